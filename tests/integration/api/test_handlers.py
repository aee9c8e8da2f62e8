"""Functions as Lambda calls them: with a sample event of each trigger."""

import asyncio
import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from integration.api.conftest import PRESS, UNKNOWN, Client

from enms.database import jobs
from enms.errors import NotFoundError
from enms.settings import (
    AnomalySettings,
    ApiSettings,
    BaselineSettings,
    CatalogSettings,
    ForecastScheduleSettings,
    ForecastSettings,
    JobsSettings,
    KpiSettings,
    UiSettings,
)
from enms.web.app import function_handler
from enms_local.development import load_function

EVENTS = Path(__file__).resolve().parents[3] / "events"
PERIOD = {"start": "2026-03-28T00:00:00Z", "end": "2026-03-29T00:00:00Z"}


class Context:
    """What a function is told about its call."""

    aws_request_id = "8f5d0f0a-6b0e-4c7e-8f0a-1c2d3e4f5a6b"


@pytest.fixture(autouse=True)
def event_loop() -> Iterator[None]:
    """A loop as the Lambda runtime's process has one: Mangum takes the current one."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@dataclass
class CloudFormation:
    """Where a custom resource's answer is sent."""

    url: str = ""
    answers: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    """A server that takes the answers."""
    received = CloudFormation()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            received.answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keeps quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        received.url = f"http://127.0.0.1:{server.server_port}/answer"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield received
        server.shutdown()
        thread.join()


def _event(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def _call(folder: str, settings: type[ApiSettings], event: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
    status, headers, body = _call_for_text(folder, settings, event)
    return status, headers, json.loads(body)


def _call_for_text(
    folder: str, settings: type[ApiSettings], event: dict[str, Any]
) -> tuple[int, dict[str, str], str]:
    answer = function_handler(load_function(folder).router, settings)(event, Context)
    json.dumps(answer)
    body = base64.b64decode(answer["body"]).decode() if answer["isBase64Encoded"] else answer["body"]
    return answer["statusCode"], answer["headers"], body


def test_a_gateway_event_gets_the_http_routes_answer(
    client: Client, site_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENMS_DATABASE_URL", site_url)
    event = _event("kpi-all")
    asked = {"machine_id": PRESS, **PERIOD}
    event["queryStringParameters"] = asked
    event["multiValueQueryStringParameters"] = {name: [value] for name, value in asked.items()}
    status, headers, body = _call("kpi", KpiSettings, event)
    assert status == 200
    assert headers["x-request-id"] == Context.aws_request_id
    assert body == client.get("/api/v1/kpi/all", **asked).json()


def test_problems_come_as_text(site_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENMS_DATABASE_URL", site_url)
    status, headers, body = _call(
        "kpi",
        KpiSettings,
        _event("kpi-all") | {"multiValueQueryStringParameters": None, "queryStringParameters": None},
    )
    assert (status, headers["content-type"], body["status"]) == (422, "application/problem+json", 422)


def test_health_by_event(site_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENMS_DATABASE_URL", site_url)
    assert _call("catalog", CatalogSettings, _event("health"))[2]["status"] == "healthy"


def test_a_page_by_event(site_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENMS_DATABASE_URL", site_url)
    status, headers, body = _call_for_text("ui", UiSettings, _event("ui-overview"))
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert body.startswith("<!doctype html>")


def test_a_post_by_event(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENMS_DATABASE_URL", database_url)
    status, headers, body = _call("jobs", JobsSettings, _event("run-daily-kpis"))
    assert (status, headers["location"]) == (202, body["location"])


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("Origin", "https://example.execute-api.eu-central-1.amazonaws.com", 202),
        ("Origin", "https://evil.example", 403),
        # API Gateway tells no length: that there is a body shows in the event alone.
        ("Content-Type", "text/plain", 415),
    ],
)
def test_the_write_guard_understands_events(
    header: str, value: str, status: int, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENMS_DATABASE_URL", database_url)
    event = _event("run-daily-kpis")
    event["headers"][header] = value
    event["multiValueHeaders"][header] = [value]
    assert _call("jobs", JobsSettings, event)[0] == status


@pytest.mark.parametrize("event", ["baseline-train", "baseline-deviation"])
def test_baseline_events_reach_their_routes(
    event: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENMS_DATABASE_URL", database_url)
    monkeypatch.setenv("MODELS_BUCKET", "never-asked")
    status, _, body = _call("baseline", BaselineSettings, _event(event))
    # The sample's machine is in no database.
    assert (status, body["parameter"]) == (404, "machine_id")


@pytest.mark.parametrize(
    ("event", "status"), [("anomaly-detect", 404), ("anomaly-resolve", 404), ("anomaly-active", 200)]
)
def test_anomaly_events_reach_their_routes(
    event: str, status: int, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENMS_DATABASE_URL", database_url)
    monkeypatch.setenv("MODELS_BUCKET", "never-asked")
    found, _, body = _call("anomaly", AnomalySettings, _event(event))
    assert found == status, body


def test_a_detection_by_event(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENMS_DATABASE_URL", database_url)
    monkeypatch.setenv("MODELS_BUCKET", "never-asked")
    status, _, body = _call("jobs", JobsSettings, _event("run-detect-anomalies"))
    assert (status, body["job"]) == (202, "detect-anomalies")


def test_the_detections_rule_reaches_its_job_once(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENMS_DATABASE_URL", database_url)
    monkeypatch.setenv("MODELS_BUCKET", "never-asked")
    function = load_function("detect-anomalies")
    function._means.cache_clear()
    first = function.handler(_event("detect-hourly"), Context)
    assert function.handler(_event("detect-hourly"), Context) == first
    assert function.handler({"run_id": first["run_id"]}, Context) == first
    function._means().database.close()
    function._means.cache_clear()


@pytest.mark.parametrize(
    ("folder", "event", "settings"),
    [
        ("forecast", "forecast-demand", ForecastSettings),
        ("forecast", "forecast-peak", ForecastSettings),
        ("forecast", "forecast-train", ForecastSettings),
        ("forecast", "forecast-regressors", ForecastSettings),
        ("forecast-schedule", "forecast-optimal-schedule", ForecastScheduleSettings),
    ],
)
def test_forecast_events_reach_their_routes(
    folder: str,
    event: str,
    settings: type[ApiSettings],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ENMS_DATABASE_URL", database_url)
    monkeypatch.setenv("MODELS_BUCKET", "never-asked")
    status, _, body = _call(folder, settings, _event(event))
    # The sample's machine and factory are in no database.
    assert (status, body["parameter"] in ("machine_id", "factory_id")) == (404, True), body


def test_a_making_of_forecasts_by_event(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENMS_DATABASE_URL", database_url)
    monkeypatch.setenv("MODELS_BUCKET", "never-asked")
    status, _, body = _call("jobs", JobsSettings, _event("run-forecast-24h"))
    assert (status, body["job"]) == (202, "forecast-24h")


@pytest.mark.parametrize("job", ["forecast-1h", "forecast-24h", "forecast-7d"])
def test_the_rules_of_forecasts_reach_their_jobs_once(
    job: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENMS_DATABASE_URL", database_url)
    monkeypatch.setenv("MODELS_BUCKET", "never-asked")
    function = load_function("make-forecasts")
    function._means.cache_clear()
    first = function.handler(_event(job), Context)
    assert function.handler(_event(job), Context) == first
    assert function.handler({"run_id": first["run_id"], "step": job}, Context) == first
    run = jobs.run(function._means().database, UUID(first["run_id"]))
    assert run is not None
    assert (run["job"], run["actor"], run["state"]) == (job, f"service:{job}", "succeeded")
    function._means().database.close()
    function._means.cache_clear()


def test_a_training_by_event_ends_with_its_reason(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENMS_DATABASE_URL", database_url)
    monkeypatch.setenv("MODELS_BUCKET", "never-asked")
    function = load_function("train-forecasts")
    function._means.cache_clear()
    event, database = _event("train-forecasts"), function._means().database
    with pytest.raises(NotFoundError, match="There is no run"):
        function.handler(event, Context)
    gone = {"machine_id": UNKNOWN, "horizons": ["24h"], "energy_type": "electrical", "actor": "ada"}
    event["run_id"] = str(jobs.add_run(database, "train-forecasts", "request", "ada", gone))
    assert function.handler(event, Context) == {"run_id": event["run_id"]}
    run = jobs.run(database, UUID(event["run_id"]))
    assert run is not None
    assert (run["state"], run["error"]) == ("failed", f"There is no machine {UNKNOWN}.")
    database.close()
    function._means.cache_clear()


@pytest.fixture
def migrate_event(
    cloudformation: CloudFormation, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """CloudFormation's call for an empty database."""
    monkeypatch.setenv("ENMS_DATABASE_URL", empty_database_url)
    return _event("migrate") | {"ResponseURL": cloudformation.url}


def _has_our_schema(url: str) -> bool:
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('analytics.kpi_daily') IS NOT NULL")
        (found,) = cursor.fetchone() or (False,)
    connection.close()
    return bool(found)


def test_the_deployment_migrates_and_is_told(
    migrate_event: dict[str, Any], cloudformation: CloudFormation, empty_database_url: str
) -> None:
    handler = load_function("migrate").handler
    done = handler(migrate_event, Context)
    assert done["applied"] > 0
    assert _has_our_schema(empty_database_url)
    assert handler({}, Context) == {"applied": 0}
    (answer,) = cloudformation.answers
    assert (answer["Status"], answer["LogicalResourceId"], answer["Data"]) == ("SUCCESS", "Migration", done)


def test_deleting_the_stack_leaves_the_database(
    migrate_event: dict[str, Any], cloudformation: CloudFormation, empty_database_url: str
) -> None:
    load_function("migrate").handler(migrate_event | {"RequestType": "Delete"}, Context)
    assert cloudformation.answers[0]["Status"] == "SUCCESS"
    assert not _has_our_schema(empty_database_url)


def test_a_failed_migration_fails_the_deployment_with_its_reason(
    migrate_event: dict[str, Any], cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENMS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere")
    load_function("migrate").handler(migrate_event, Context)
    (answer,) = cloudformation.answers
    assert (answer["Status"], answer["Reason"]) == (
        "FAILED",
        "The database does not answer now: ask again in a moment.",
    )
