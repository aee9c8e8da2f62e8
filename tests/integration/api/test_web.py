"""What every route shares: errors, ids, rights, and other origins."""

import pytest
from fastapi import APIRouter
from integration.api.conftest import Client, Log, client_of

from enms.database.connection import Database
from enms.settings import JobsSettings
from enms.web import access
from enms.web.app import create_app


def test_an_unknown_path_is_a_problem(client: Client) -> None:
    answer = client.get("/api/v1/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_a_method_that_is_not_possible_says_which_are(client: Client) -> None:
    answer = client.request("DELETE", "/api/v1/factories")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_what_nobody_foresaw_shows_an_id_and_nothing_else(log: Log) -> None:
    router = APIRouter()

    @router.get("/broken", dependencies=[access.viewer])
    def broken() -> None:
        raise RuntimeError("secret detail")

    client = Client(create_app([router], JobsSettings(), Database(lambda: "")))
    answer = client.get("/broken")
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:enms:problem:internal-error")
    assert "secret detail" not in answer.text
    named = [line for line in log.lines if line["request_id"] == answer.json()["request_id"]]
    assert [line["message"] for line in named] == ["unexpected error", "request"]
    assert "secret detail" in named[0]["exception"]


def test_the_log_tells_the_request_and_no_body(client: Client, log: Log) -> None:
    answer = client.request("POST", "/api/v1/jobs/daily-kpis/run", json={"date": "wrong-day"})
    assert answer.status_code == 422
    line = log.lines[-1]
    assert (line["method"], line["path"], line["status"]) == ("POST", "/api/v1/jobs/daily-kpis/run", 422)
    assert line["request_id"] == answer.headers["x-request-id"]
    assert "wrong-day" not in log.stream.getvalue()


def test_only_configured_origins_may_read_answers(site_url: str) -> None:
    client = client_of(site_url, cors_allowed_origins=("https://portal.example",))
    known = client.get("/health", headers={"Origin": "https://portal.example"})
    assert known.headers["access-control-allow-origin"] == "https://portal.example"
    foreign = client.get("/health", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in foreign.headers
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    assert client.request("OPTIONS", "/api/v1/jobs/daily-kpis/run", headers=preflight).status_code == 400
    preflight["Origin"] = "https://portal.example"
    assert client.request("OPTIONS", "/api/v1/jobs/daily-kpis/run", headers=preflight).status_code == 200


def test_by_default_no_other_origin_may(client: Client) -> None:
    answer = client.get("/health", headers={"Origin": "https://portal.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_a_caller_without_the_right_is_refused(site_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = access.Caller("visitor", frozenset({access.Right.VIEWER}))
    monkeypatch.setattr("enms.web.middleware.identify_caller", lambda scope: visitor)
    client = client_of(site_url)
    assert client.get("/api/v1/factories").status_code == 200
    answer = client.request("POST", "/api/v1/jobs/daily-kpis/run")
    assert (answer.status_code, answer.json()["needed"]) == (403, "engineer")
