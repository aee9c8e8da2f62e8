"""Forecasts on a deployed stack: trained, served, scored, and unharmed by a fit that is killed."""

import csv
import json
import math
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import psutil
import psycopg2
import pytest
from e2e.running_stack import Answer, Stack
from integration.local_aws import wait_until

from enms.web import forecast_models, schedule_models
from enms_local.stack.database import DATABASE, own_server
from enms_local.stack.settings import StackSettings

DAYS = 42
QUARTER = timedelta(minutes=15)
BERLIN = ZoneInfo("Europe/Berlin")
API = "/api/analytics/api/v1"
PATIENCE_SECONDS = 200


@dataclass(frozen=True)
class Forge:
    """A factory with one machine of six weeks up to now."""

    stack: Stack
    machine_id: str
    factory_id: str

    def get(self, route: str, **asked: object) -> Answer:
        return self.stack.get(f"{API}/{route}?{urlencode(asked)}")

    def demand(self, horizon: str = "24h") -> forecast_models.Forecast:
        answer = self.get("forecast/demand", machine_id=self.machine_id, horizon=horizon)
        assert answer.status == 200, answer
        return forecast_models.Forecast.model_validate(answer.body)

    def post(self, route: str, body: object) -> Answer:
        request = urllib.request.Request(
            f"{self.stack.origin}{API}/{route}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.headers.get_content_type(), json.load(answer))
        except HTTPError as error:
            with error:
                return Answer(error.code, error.headers.get_content_type(), json.load(error))

    def train(self, horizon: str, *, wait: bool = True) -> Answer:
        return self.post("forecast/train", {"machine_id": self.machine_id, "horizon": horizon, "wait": wait})

    def run(self, location: str) -> Any:
        answer = self.stack.get(location)
        assert answer.status == 200, answer
        return answer.body


@pytest.fixture(scope="module")
def forge(fresh_stack: Stack, first_output: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """The factory, registered and imported as a user would; closed at the end, as others count machines."""
    stack = fresh_stack
    stack.enms("up")
    stack.enms("factories", "add", "Forge", "--timezone", "Europe/Berlin", "--country", "DE")
    added = ("--factory", "Forge", "--type", "motor", "--rated-kw", "90")
    stack.enms("machines", "add", "Hammer", *added)
    file = _readings(tmp_path_factory.mktemp("forge") / "hammer.csv")
    columns = ("--time-column", "time", "--value-column", "kw", "--unit", "kW", "--interval", "15min")
    stack.enms("import", "energy", str(file), "--machine", "Hammer", *columns, "--stamp", "start")
    machines = stack.api("api/v1/machines")["machines"]
    (hammer,) = [machine for machine in machines if machine["name"] == "Hammer"]
    yield Forge(stack, hammer["id"], hammer["factory_id"])
    url = own_server(StackSettings.load(stack.settings, Path("no-such-file"))).tcp_url(DATABASE)
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("UPDATE machines SET is_active = false WHERE id = %s", [hammer["id"]])
        cursor.execute("UPDATE factories SET is_active = false WHERE id = %s", [hammer["factory_id"]])


def _readings(file: Path) -> Path:
    now = datetime.now(UTC)
    end = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    with file.open("w", newline="") as text:
        rows = csv.writer(text)
        rows.writerow(("time", "kw"))
        for number in range(DAYS * 96, 0, -1):
            at = end - QUARTER * number
            works = at.weekday() < 5 and 5 <= at.hour < 21
            kw = (60.0 if works else 9.0) + 4 * math.sin(at.timestamp() / 7_777) ** 3
            rows.writerow((at.isoformat(), f"{kw:.3f}"))
    return file


def _as_soon_as(check: Any) -> Any:
    return wait_until(check, PATIENCE_SECONDS)


def test_a_day_is_trained_and_served(forge: Forge) -> None:
    answer = forge.train("24h")
    if answer.status == 202:
        _as_soon_as(lambda: forge.run(answer.body["location"])["state"] == "succeeded")
    else:
        assert answer.status == 201, answer
        trained = forecast_models.TrainedForecast.model_validate(answer.body)
        assert any(row.is_chosen for row in trained.backtest.models)
    first = forge.demand()
    assert len(first.predictions) == 24
    assert (first.model.version, first.horizon) == (1, "24h")
    again = forge.demand()
    assert (again.state, again.forecast_generated_at) == ("stored", first.forecast_generated_at)


def test_the_peak_is_the_forecasts(forge: Forge) -> None:
    demand = forge.demand()
    peak = forge.get("forecast/peak", machine_id=forge.machine_id, horizon="24h", limit_kw=40)
    told = forecast_models.ForecastPeak.model_validate(peak.body)
    assert (told.power_kw, told.timestamp) == (
        demand.peak_demand_predicted.power_kw,
        demand.peak_demand_predicted.timestamp,
    )
    assert told.probability_over_limit is not None


def test_a_killed_fit_leaves_the_former_model_serving_and_is_done_again(forge: Forge) -> None:
    before = forge.demand().model.id
    answer = forge.train("24h", wait=False)
    assert answer.status == 202, answer
    _as_soon_as(lambda: forge.run(answer.body["location"])["state"] == "running")

    for fit in _fits(forge.stack):
        fit.kill()

    listed = forge.get("forecast/models", machine_id=forge.machine_id, horizon="24h").body
    assert [model["id"] for model in listed["models"]] == [str(before)]
    assert forge.demand().model.id == before
    run = _as_soon_as(lambda: (found := forge.run(answer.body["location"]))["state"] == "succeeded" and found)
    assert run["items"][0]["detail"]["horizon"] == "24h"


def _fits(stack: Stack) -> list[psutil.Process]:
    """The processes that train forecasts now."""
    return [
        process
        for process in stack.processes()
        if "awslambdaric" in process.cmdline() and Path(process.cwd()).name == "train-forecasts"
    ]


def test_the_rule_of_the_next_hour_fires_and_is_accounted_for(forge: Forge) -> None:
    def fired() -> Any:
        jobs = {each["job"]: each for each in forge.stack.api("scheduler/status")["jobs"]}
        last = jobs["forecast-1h"]["last_run"]
        if not last or last["trigger"] != "schedule" or last["state"] != "succeeded":
            return None
        found = forge.stack.api(f"api/v1/jobs/runs/{last['id']}")
        # An earlier firing knew nothing of this factory.
        return (
            found
            if {forge.machine_id, forge.factory_id} <= {each["item"] for each in found["items"]}
            else None
        )

    run = _as_soon_as(fired)

    assert (run["job"], run["actor"], run["counts"]["failed"]) == ("forecast-1h", "service:forecast-1h", 0)
    items = {item["item"] for item in run["items"]}
    lag = next(
        each["lag"] for each in forge.stack.api("scheduler/status")["jobs"] if each["job"] == "forecast-1h"
    )
    assert lag["machines"] == len(items)


def test_whose_model_is_missing_is_trained_without_being_asked(forge: Forge) -> None:
    def models() -> set[str]:
        answer = forge.get("forecast/models", factory_id=forge.factory_id)
        return {model["horizon"] for model in answer.body["models"]}

    assert _as_soon_as(lambda: (found := models()) == {"1h", "24h", "7d", "7d-hourly"} and found)
    answer = forge.get("forecast/demand", factory_id=forge.factory_id, horizon="7d")
    assert forecast_models.Forecast.model_validate(answer.body).step_minutes == 1440


def test_accuracy_is_told_before_there_is_any(forge: Forge) -> None:
    answer = forge.get("forecast/accuracy", machine_id=forge.machine_id, horizon="24h")
    told = forecast_models.ForecastAccuracy.model_validate(answer.body)
    assert (told.horizon, told.is_degraded) == ("24h", False)
    assert told.in_words


def test_regressors_are_taken_and_named(forge: Forge) -> None:
    morning = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    values = [
        {
            "start": (morning + timedelta(hours=n)).isoformat(),
            "end": (morning + timedelta(hours=n + 1)).isoformat(),
            "value": 5.0 + n / 10,
        }
        for n in range(48)
    ]
    body = {
        "factory_id": forge.factory_id,
        "name": "outdoor_temp_c",
        "kind": "temperature",
        "values": values,
    }
    assert forge.post("forecast/regressors", body).status == 201
    shown = forge.get("forecast/regressors", factory_id=forge.factory_id).body
    assert [each["name"] for each in shown["regressors"]] == ["outdoor_temp_c"]
    refused = forge.post("forecast/regressors", {**body, "values": [values[0], values[5]]})
    assert (refused.status, refused.media_type) == (422, "application/problem+json")


@pytest.mark.parametrize(
    ("route", "asked", "status", "parameter"),
    [
        ("forecast/demand", {"horizon": "2h"}, 422, "horizon"),
        ("forecast/demand", {"horizon": "24h", "model": "arima"}, 422, "model"),
        ("forecast/peak", {"horizon": "24h", "limit_kw": "-1"}, 422, "limit_kw"),
        ("forecast/accuracy", {"horizon": "24h", "start": "soon"}, 422, "start"),
    ],
)
def test_bad_questions_are_told_which_parameter(
    route: str, asked: dict[str, str], status: int, parameter: str, forge: Forge
) -> None:
    answer = forge.get(route, machine_id=forge.machine_id, **asked)
    assert (answer.status, answer.body["parameter"]) == (status, parameter)


def test_a_schedule_moves_a_job_out_of_the_dear_hours(forge: Forge) -> None:
    dear = ("--rate", "0.40", "--currency", "EUR", "--hours", "6-22")
    cheap = ("--rate", "0.10", "--currency", "EUR", "--hours", "22-6")
    for name, rate in (("day", dear), ("night", cheap)):
        forge.stack.enms("tariffs", "add", name, "--factory", "Forge", *rate, "--valid-from", "2020-01-01")
    tomorrow = (datetime.now(BERLIN) + timedelta(days=1)).date()
    job = {"id": "furnace", "power_kw": 40, "duration_minutes": 120}
    planned = {"planned_start": datetime.combine(tomorrow, time(12), BERLIN).isoformat()}
    body = {
        "factory_id": forge.factory_id,
        "start": str(tomorrow),
        "end": str(tomorrow),
        "jobs": [job | planned],
    }
    answer = forge.post("forecast/optimal-schedule", body)
    told = schedule_models.LoadSchedule.model_validate(answer.body)
    assert (answer.status, told.status) == (200, "optimal")
    (run,) = told.schedule
    assert run.start.astimezone(BERLIN).hour < 6 or run.start.astimezone(BERLIN).hour >= 22
    assert told.saving == pytest.approx(80 * 0.3, abs=0.02)

    proposed = forge.get("forecast/optimal-schedule", factory_id=forge.factory_id, horizon="24h")
    assert proposed.status == 200
    schedule_models.LoadSchedule.model_validate(proposed.body)


@pytest.mark.parametrize(
    ("changed", "parameter"),
    [
        ({"duration_minutes": -15}, "duration_minutes"),
        ({"duration_minutes": 60 * 48}, "duration_minutes"),
        ({"after": ["nobody"]}, "after"),
    ],
)
def test_a_job_that_cannot_be_is_refused_by_name(
    changed: dict[str, Any], parameter: str, forge: Forge
) -> None:
    tomorrow = str((datetime.now(BERLIN) + timedelta(days=1)).date())
    job = {"id": "furnace", "power_kw": 40, "duration_minutes": 120} | changed
    body = {"factory_id": forge.factory_id, "start": tomorrow, "end": tomorrow, "jobs": [job]}
    answer = forge.post("forecast/optimal-schedule", body)
    assert (answer.status, answer.media_type) == (422, "application/problem+json")
    assert answer.body["parameter"] == f"jobs.{parameter}"
    assert "'furnace'" in answer.body["detail"]


def test_more_than_two_hundred_jobs_are_too_many(forge: Forge) -> None:
    tomorrow = str((datetime.now(BERLIN) + timedelta(days=1)).date())
    jobs = [{"id": f"job {number}", "power_kw": 1, "duration_minutes": 15} for number in range(201)]
    body = {"factory_id": forge.factory_id, "start": tomorrow, "end": tomorrow, "jobs": jobs}
    answer = forge.post("forecast/optimal-schedule", body)
    assert (answer.status, answer.body["parameter"]) == (422, "jobs")


def test_forecasts_from_the_shell(forge: Forge) -> None:
    table = forge.stack.enms("forecast", "--machine", "Hammer", "--horizon", "24h")
    assert "Hammer: peak" in table
    assert len(table.splitlines()) > 24
    told = json.loads(forge.stack.enms("forecast", "--factory", "Forge", "--horizon", "1h", "--json"))
    assert len(told["predictions"]) == 4
    run = json.loads(forge.stack.enms("jobs", "run", "forecast-24h", "--json"))
    assert (run["trigger"], run["counts"]["failed"]) == ("command", 0)
    refused = forge.stack.run("forecast", "--machine", "Anvil")
    assert (refused.returncode, "There is no machine 'Anvil'" in refused.stderr) == (2, True)
