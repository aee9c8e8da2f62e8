"""Which requests of browsers may change something."""

from typing import Any

import httpx
import pytest
from integration.api.conftest import Client, client_of

from enms.settings import JobsSettings
from enms.web.app import create_app

RUN = "/api/v1/jobs/daily-kpis/run"
# What the client's base address makes of it.
OWN = "http://enms.example"
PORTAL = "https://portal.example"
FOREIGN = "https://evil.example"
# Refused by the route itself, so that no test starts a run.
WRONG_DAY = {"date": "wrong-day"}


@pytest.fixture(scope="module")
def strict() -> Client:
    """An application where one portal may write."""
    return client_of("", cors_allowed_origins=(PORTAL,))


def post(client: Client, headers: dict[str, str], method: str = "POST", **body: Any) -> httpx.Response:
    return client.request(method, RUN, headers=headers, **(body or {"json": WRONG_DAY}))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": OWN},
        {"Origin": OWN.upper()},
        {"Origin": OWN, "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": PORTAL},
        {"Origin": PORTAL, "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://enms.example", "X-Forwarded-Proto": "https, http"},
        {"Origin": "http://public.example", "X-Forwarded-Host": "public.example, inner"},
    ],
    ids=str,
)
def test_our_own_pages_programs_and_listed_origins_may(strict: Client, headers: dict[str, str]) -> None:
    assert post(strict, headers).status_code == 422


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": FOREIGN},
        {"Origin": FOREIGN, "Sec-Fetch-Site": "cross-site"},
        {"Origin": FOREIGN, "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": OWN, "Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
        {"Origin": "https://enms.example"},
        {"Origin": "http://enms.example:81"},
        {"Origin": "http://enms.example.evil.example"},
    ],
    ids=str,
)
def test_foreign_pages_may_not(strict: Client, headers: dict[str, str]) -> None:
    answer = post(strict, headers)

    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert problem["type"] == "urn:enms:problem:forbidden"
    assert (problem["parameter"], problem["given"]) == ("Origin", headers.get("Origin"))
    assert problem["detail"].endswith("or have the origin listed in CORS_ALLOWED_ORIGINS.")
    assert problem["request_id"] == answer.headers["x-request-id"]


def test_by_default_no_other_origin_may_write(client: Client) -> None:
    assert post(client, {"Origin": PORTAL}).status_code == 403
    assert post(client, {"Origin": OWN}).status_code == 422


def test_an_operator_may_list_all() -> None:
    assert post(client_of("", cors_allowed_origins=("*",)), {"Origin": FOREIGN}).status_code == 422


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_every_method_that_changes_something_is_guarded(strict: Client, method: str) -> None:
    assert post(strict, {"Origin": FOREIGN}, method).status_code == 403
    assert post(strict, {"Origin": OWN}, method).status_code == 405


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_not(client: Client, method: str) -> None:
    headers = {"Origin": FOREIGN, "Sec-Fetch-Site": "cross-site"}

    assert client.request(method, "/docs", headers=headers).status_code not in (403, 415)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
    ],
)
def test_a_body_that_is_no_json_is_refused(strict: Client, content_type: str) -> None:
    answer = post(strict, {"Content-Type": content_type}, content='{"date": "wrong-day"}')

    problem = answer.json()
    assert answer.status_code == 415
    assert problem["type"] == "urn:enms:problem:unsupported-media-type"
    assert problem["detail"] == (
        f"Content-Type: {content_type} given; send JSON, with the header Content-Type: application/json."
    )


def test_a_body_without_a_type_is_refused(strict: Client) -> None:
    assert post(strict, {}, content=b"{}").status_code == 415

    async def pieces() -> Any:
        yield b"{}"

    assert post(strict, {}, content=pieces()).status_code == 415


def test_json_may_name_its_charset(strict: Client) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}

    assert post(strict, headers, content='{"date": "wrong-day"}').status_code == 422


def test_no_body_needs_no_type() -> None:
    client = Client(create_app([], JobsSettings(), database=None))

    assert client.request("POST", "/nothing").status_code == 404
    assert client.request("POST", "/nothing", headers={"Content-Length": "0"}).status_code == 404
