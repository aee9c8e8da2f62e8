"""What the group `forecast` answers: a training, what is stored, a peak, regressors, and bad input."""

import json
import math
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest
from integration.api.conftest import BOILER, FACTORY, PRESS, PUBLIC, UNKNOWN, Client, client_of
from integration.api.test_retraining import MemoryStore
from psycopg2.extras import execute_values

from enms.services import forecast_requests, forecast_training
from enms.web import forecast_models, models
from enms_local.development import load_function
from enms_local.postgres import PostgresServer

BASE = f"{PUBLIC}/api/v1/forecast"
CHECKOUT = Path(__file__).resolve().parents[3]
HEAVY = ("numpy", "pandas", "scipy", "sklearn", "statsmodels", "prophet", "holidays")
DAYS = 35
QUARTER = timedelta(minutes=15)


@pytest.fixture(scope="module")
def plant_url(postgres: PostgresServer, migrated_template: str) -> Iterator[str]:
    """A plant with a press of five weeks up to now, and a boiler that never reported; tests share it."""
    name = f"forecast_{uuid.uuid4().hex[:12]}"
    server = psycopg2.connect(postgres.url())
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{migrated_template}"')
        _fill(postgres.url(name))
        yield postgres.url(name)
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    server.close()


def _fill(url: str) -> None:
    now = datetime.now(UTC)
    last = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    starts = [last - QUARTER * number for number in range(DAYS * 96, 0, -1)]
    with psycopg2.connect(url) as plant, plant.cursor() as rows:
        rows.execute(
            f"""
            INSERT INTO factories (id, name, timezone) VALUES ('{FACTORY}', 'Plant', 'Europe/Berlin');
            INSERT INTO machines (id, factory_id, name, type, rated_power_kw, data_interval_seconds) VALUES
                ('{PRESS}', '{FACTORY}', 'Press', 'injection_molding', 90, 900),
                ('{BOILER}', '{FACTORY}', 'Boiler', 'boiler', 60, 900)
            """
        )
        execute_values(
            rows,
            "INSERT INTO energy_readings (time, machine_id, power_kw, energy_kwh) VALUES %s",
            [(at, PRESS, _power_kw(at), _power_kw(at) / 4) for at in starts],
            page_size=5_000,
        )
    plant.close()


def _power_kw(at: datetime) -> float:
    """Two shifts on weekdays, and something that no calendar tells."""
    works = at.weekday() < 5 and 5 <= at.hour < 21
    return round((55.0 if works else 8.0) + 4 * math.sin(at.timestamp() / 7_777) ** 3, 3)


@pytest.fixture(scope="module")
def client(plant_url: str) -> Iterator[Client]:
    """The development application on it, with models in memory."""
    client = client_of(plant_url, models_bucket="in-memory")
    store = client.app.state.model_store = MemoryStore()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load_function("jobs"), "model_store", lambda _: store)
        yield client
    client.app.state.database.close()


def _call(client: Client, method: str, path: str, body: object = None) -> httpx.Response:
    return client.request(method, f"{BASE}/{path}", json=body)


@pytest.fixture(scope="module")
def trained(client: Client) -> dict[str, Any]:
    """The press' hour, trained and waited for."""
    answer = _call(client, "POST", "train", {"machine_id": PRESS, "horizon": "1h"})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_a_training_tells_its_table_and_its_choice(trained: dict[str, Any]) -> None:
    told = forecast_models.TrainedForecast.model_validate(trained)
    assert (told.machine_name, told.horizon, told.model.version, told.created) == ("Press", "1h", 1, True)
    assert told.reason
    assert sum(row.is_chosen for row in told.backtest.models) >= 1
    assert told.backtest.origins > 0


def test_the_same_data_give_no_second_version(client: Client, trained: dict[str, Any]) -> None:
    again = _call(client, "POST", "train", {"machine_id": PRESS, "horizon": "1h"})
    assert (again.status_code, again.json()["created"]) == (200, False)
    assert again.json()["model"]["id"] == trained["model"]["id"]


def test_a_training_that_nobody_waits_for_is_a_run(
    client: Client, trained: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # How it is fitted is told elsewhere.
    monkeypatch.setattr(forecast_training, "train", lambda *_: trained)
    answer = _call(client, "POST", "train", {"machine_id": PRESS, "horizon": "1h", "wait": False})
    assert answer.status_code == 202
    assert answer.headers["location"] == answer.json()["location"]
    run = models.JobRunDetails.model_validate(client.request("GET", answer.headers["location"]).json())
    (item,) = run.items
    assert (run.job, run.state, run.actor, item.item) == ("train-forecasts", "succeeded", "local", PRESS)
    assert item.detail == trained


def test_a_forecast_is_stored_with_its_bands(client: Client, trained: dict[str, Any]) -> None:
    first = forecast_models.Forecast.model_validate(
        client.get("/api/v1/forecast/demand", machine_id=PRESS, horizon="1h").json()
    )
    assert (first.step_minutes, len(first.predictions), first.timezone) == (15, 4, "Europe/Berlin")
    for step in first.predictions:
        assert step.confidence_interval_lower <= step.lower_80_kw <= step.predicted_power_kw
        assert step.predicted_power_kw <= step.upper_80_kw <= step.confidence_interval_upper
        assert step.energy_kwh == pytest.approx(step.predicted_power_kw / 4, abs=2e-3)
    again = client.get("/api/v1/forecast/demand", machine_id=PRESS, horizon="1h").json()
    assert (again["state"], again["forecast_generated_at"]) == (
        "stored",
        client.get("/api/v1/forecast/demand", machine_id=PRESS, horizon="1h").json()["forecast_generated_at"],
    )


_READ = """
import json, sys
import app
class Context: aws_request_id = "8f5d0f0a-6b0e-4c7e-8f0a-1c2d3e4f5a6b"
status = [app.handler(event, Context)["statusCode"] for event in json.loads(sys.argv[1])]
print(json.dumps([status, [name for name in sys.argv[2:] if name in sys.modules]]))
"""


def test_what_is_stored_is_read_without_numpy(
    client: Client, trained: dict[str, Any], plant_url: str
) -> None:
    client.get("/api/v1/forecast/demand", machine_id=PRESS, horizon="1h")
    client.get("/api/v1/forecast/peak", machine_id=PRESS, horizon="24h")
    asked: dict[str, dict[str, str]] = {
        "demand": {"horizon": "1h"},
        "peak": {"horizon": "24h"},
        "models": {},
        "accuracy": {"horizon": "1h"},
        "regressors": {},
    }
    events = [_event(route, {"machine_id": PRESS, **query}) for route, query in asked.items()]
    done = subprocess.run(
        [sys.executable, "-c", _READ, json.dumps(events), *HEAVY],
        cwd=CHECKOUT / "functions" / "forecast",
        env={
            "PYTHONPATH": str(CHECKOUT / "shared"),
            "ENMS_DATABASE_URL": plant_url,
            "MODELS_BUCKET": "never-asked",
            "LOG_LEVEL": "CRITICAL",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [[200] * len(asked), []]


def _event(route: str, query: dict[str, str]) -> dict[str, Any]:
    sample: dict[str, Any] = json.loads((CHECKOUT / "events" / "forecast-demand.json").read_text())
    path = f"/api/v1/forecast/{route}"
    several = {name: [value] for name, value in query.items()}
    return {
        **sample,
        "path": path,
        "resource": path,
        "queryStringParameters": query,
        "multiValueQueryStringParameters": several,
    }


def test_models_are_listed_active_ones_first(client: Client, trained: dict[str, Any]) -> None:
    listed = forecast_models.ForecastModels.model_validate(
        client.get("/api/v1/forecast/models", machine_id=PRESS, horizon="1h", history="true").json()
    )
    assert listed.models[0].is_active
    assert trained["model"]["id"] in [str(each.id) for each in listed.models]


def test_what_was_foretold_is_not_judged_before_it_came(client: Client, trained: dict[str, Any]) -> None:
    told = forecast_models.ForecastAccuracy.model_validate(
        client.get("/api/v1/forecast/accuracy", machine_id=PRESS, horizon="1h").json()
    )
    assert (told.scored, told.mase, told.is_degraded) == (0, None, False)


def test_the_peak_is_beside_the_limit_that_is_given_or_this_months(client: Client) -> None:
    given = forecast_models.ForecastPeak.model_validate(
        client.get("/api/v1/forecast/peak", machine_id=PRESS, horizon="24h", limit_kw=1_000).json()
    )
    assert (given.limit_kw, given.limit_source) == (1_000, "given")
    assert given.probability_over_limit is not None
    assert given.probability_over_limit < 0.01
    assert given.interval_95[0] <= given.interval_80[0] <= given.interval_80[1] <= given.interval_95[1]
    month = client.get("/api/v1/forecast/peak", machine_id=PRESS, horizon="24h").json()
    assert month["limit_source"] == "peak_so_far_this_month"
    assert month["limit_kw"] == month["peak_so_far_this_month_kw"]
    assert month["peak_so_far_this_month_at"]


def test_regressors_are_received_and_shown(client: Client) -> None:
    morning = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    body = {
        "factory_id": FACTORY,
        "name": "outdoor_temp_c",
        "kind": "temperature",
        "source": "weather service",
        "values": [
            {
                "start": (morning + timedelta(hours=n)).isoformat(),
                "end": (morning + timedelta(hours=n + 1)).isoformat(),
                "value": 4.0 + n,
            }
            for n in range(24)
        ],
    }
    received = _call(client, "POST", "regressors", body)
    assert (received.status_code, received.json()["stored"]) == (201, 24), received.text
    assert _call(client, "POST", "regressors", body).json()["replaced"] == 24
    shown = client.get("/api/v1/forecast/regressors", machine_id=PRESS).json()
    assert [(each["name"], each["machine_id"]) for each in shown["regressors"]] == [("outdoor_temp_c", None)]
    assert len(shown["regressors"][0]["values"]) == 24


_HOUR = {"start": "2036-03-27T00:00:00Z", "end": "2036-03-27T01:00:00Z", "value": 1.0}
_LATER = {"start": "2036-03-27T05:00:00Z", "end": "2036-03-27T06:00:00Z", "value": 1.0}


@pytest.mark.parametrize(
    ("path", "asked", "status", "parameter"),
    [
        ("demand", {"horizon": "2h", "machine_id": PRESS}, 422, "horizon"),
        ("demand", {"machine_id": PRESS}, 422, "horizon"),
        ("demand", {"horizon": "24h"}, 422, "machine_id"),
        ("demand", {"horizon": "24h", "machine_id": PRESS, "factory_id": FACTORY}, 422, "machine_id"),
        ("demand", {"horizon": "24h", "machine_id": UNKNOWN}, 404, "machine_id"),
        ("demand", {"horizon": "24h", "machine_id": PRESS, "model": "arima"}, 422, "model"),
        ("demand", {"horizon": "24h", "machine_id": PRESS, "typo": 1}, 422, "typo"),
        ("peak", {"horizon": "1h", "machine_id": PRESS}, 422, "horizon"),
        ("peak", {"horizon": "24h", "machine_id": PRESS, "limit_kw": -1}, 422, "limit_kw"),
        ("peak", {"horizon": "24h", "machine_id": PRESS, "limit_kw": "inf"}, 422, "limit_kw"),
        ("models", {"machine_id": UNKNOWN}, 404, "machine_id"),
        ("accuracy", {"horizon": "24h", "machine_id": PRESS, "start": "soon"}, 422, "start"),
        ("regressors", {}, 422, "machine_id"),
    ],
)
def test_bad_questions_are_told_which_parameter(
    path: str, asked: dict[str, Any], status: int, parameter: str, client: Client
) -> None:
    answer = client.get(f"/api/v1/forecast/{path}", **asked)
    assert (answer.status_code, answer.json().get("parameter")) == (status, parameter), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "body", "status", "parameter"),
    [
        ("train", {"machine_id": PRESS, "horizon": "1y"}, 422, "horizon"),
        ("train", {"machine_id": UNKNOWN, "horizon": "1h"}, 404, "machine_id"),
        ("train", {"horizon": "1h"}, 422, "machine_id"),
        ("regressors", {"factory_id": FACTORY, "name": "t", "kind": "mood", "values": [_HOUR]}, 422, "kind"),
        ("regressors", {"factory_id": FACTORY, "name": "t", "kind": "other", "values": []}, 422, "values"),
        (
            "regressors",
            {"factory_id": FACTORY, "name": "t", "kind": "other", "values": [_HOUR, _LATER]},
            422,
            "values",
        ),
        (
            "regressors",
            {
                "factory_id": FACTORY,
                "name": "t",
                "kind": "other",
                "values": [
                    {"start": "2020-03-27T00:00:00Z", "end": "2020-03-27T01:00:00Z", "value": 1.0},
                ],
            },
            422,
            "values",
        ),
        (
            "regressors",
            {"factory_id": UNKNOWN, "name": "t", "kind": "other", "values": [_HOUR]},
            404,
            "factory_id",
        ),
    ],
)
def test_bad_bodies_are_told_which_parameter(
    path: str, body: dict[str, Any], status: int, parameter: str, client: Client
) -> None:
    answer = _call(client, "POST", path, body)
    assert answer.status_code == status, answer.text
    assert answer.json()["parameter"].split(".")[-1].split("[")[0] in (parameter, "start"), answer.text


def test_a_machine_without_readings_says_what_is_missing(client: Client) -> None:
    asked = client.get("/api/v1/forecast/demand", machine_id=BOILER, horizon="24h")
    refused = _call(client, "POST", "train", {"machine_id": BOILER, "horizon": "24h"})
    for answer in (asked, refused):
        assert (answer.status_code, answer.json()["code"]) == (422, "no-readings"), answer.text
        assert "Boiler" in answer.json()["detail"]
    (run,) = client.get("/api/v1/jobs/runs", job="train-forecasts", state="failed").json()["runs"]
    assert run["error"] == refused.json()["detail"]


@pytest.mark.parametrize(
    ("job", "trained_next"), [("forecast-1h", ["Plant"]), ("forecast-24h", ["Press"]), ("forecast-7d", [])]
)
def test_a_job_runs_when_asked_and_is_accounted_for(
    job: str,
    trained_next: list[str],
    client: Client,
    trained: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[uuid.UUID] = []
    monkeypatch.setattr(forecast_requests, "run", lambda *told: asked.append(told[-1]))
    answer = client.request("POST", f"{PUBLIC}/api/v1/jobs/{job}/run")
    assert (answer.status_code, answer.json()["job"]) == (202, job)
    run = models.JobRunDetails.model_validate(client.request("GET", answer.headers["location"]).json())
    assert (run.state, run.counts["machines"], run.counts["failed"]) == ("succeeded", 3, 0), run
    assert {item.item for item in run.items} == {PRESS, BOILER, FACTORY}
    wanted = [client.get(f"/api/v1/jobs/runs/{run_id}").json()["parameters"]["name"] for run_id in asked]
    # Who has readings and lacks the job's model, with all that it lacks: so nobody is asked for twice.
    assert wanted == trained_next


def test_the_scheduler_tells_how_far_forecasts_are_behind(client: Client, trained: dict[str, Any]) -> None:
    client.request("POST", f"{PUBLIC}/api/v1/jobs/forecast-1h/run")
    status = models.SchedulerStatus.model_validate(client.get("/api/v1/scheduler/status").json())
    job = next(each for each in status.jobs if each.job == "forecast-1h")
    assert job.rule == "cron(1,16,31,46 * * * ? *)"
    assert job.lag is not None
    # The boiler has no readings; the factory's hour has not been trained.
    assert (job.lag.machines, job.lag.never_done) == (3, 2)
    assert job.lag.behind <= 1
    assert next(each for each in status.jobs if each.job == "daily-kpis").lag is None


def test_what_is_wanted_is_asked_for_once(client: Client, trained: dict[str, Any]) -> None:
    database = client.app.state.database
    subject = forecast_requests.find_subject(database, None, uuid.UUID(FACTORY))
    wanted = [forecast_requests.Wanted(subject, "24h")]
    # The jobs' tests have asked already.
    with database.connection() as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM analytics.job_runs WHERE state = 'queued'")
    (run_id,) = forecast_requests.request_wanted(database, wanted)
    run = client.get(f"/api/v1/jobs/runs/{run_id}").json()
    # All that it has no model of, at once.
    assert run["parameters"]["horizons"] == ["1h", "24h", "7d", "7d-hourly"]
    assert (run["state"], run["actor"]) == ("queued", "service:make-forecasts")
    assert forecast_requests.request_wanted(database, wanted) == []
    assert forecast_requests.wait(database, run_id, 0.2) is None


@pytest.mark.parametrize(("is_urgent", "hours", "asked"), [(True, 2, 1), (False, 2, 0), (False, 7, 1)])
def test_a_training_that_came_to_nothing_is_asked_for_again_sooner_where_no_model_serves(
    is_urgent: bool, hours: int, asked: int, client: Client, trained: dict[str, Any]
) -> None:
    database = client.app.state.database
    press = forecast_requests.find_subject(database, uuid.UUID(PRESS), None)
    with database.connection() as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM analytics.job_runs WHERE job = 'train-forecasts'")
    forecast_requests.request(database, press, ["1h"], "electrical", "ada")
    # What has no model at all is not what this is about.
    forecast_requests.request(database, press, ["24h", "7d", "7d-hourly"], "electrical", "ada")
    with database.connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE analytics.job_runs SET created_at = created_at - %s * interval '1 hour'"
            " WHERE job = 'train-forecasts' AND parameters -> 'horizons' ? '1h'",
            [hours],
        )
    wanted = [forecast_requests.Wanted(press, "1h", is_urgent)]
    assert len(forecast_requests.request_wanted(database, wanted)) == asked
