"""`enms forecast` and `enms jobs run forecast-…`: what they show, train and refuse."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from integration.api.test_retraining import MemoryStore
from integration.baselines.works import FACTORY, MACHINE, Works
from integration.forecasts.loads import add_machine, draw, weekly
from typer.testing import CliRunner, Result

from enms.database import jobs
from enms.database.connection import Database
from enms.services import forecast_requests
from enms.settings import TrainingSettings
from enms_local.cli import create_app, describe, exit_code

if TYPE_CHECKING:
    from uuid import UUID

type Enms = Callable[..., Result]

DAYS = 30
HORIZONS = ("1h", "24h", "7d", "7d-hourly")


@pytest.fixture
def enms(works: Works, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Enms:
    """Runs `enms …` on a press of thirty days up to now, with models in memory."""
    now = datetime.now(UTC)
    end = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    add_machine(works, MACHINE, "Press")
    draw(
        works, end - timedelta(days=DAYS), end, lambda at: weekly(at) + math.sin(at.timestamp() / 7_777) ** 3
    )
    store = MemoryStore()
    monkeypatch.setenv("ENMS_DATABASE_URL", database_url)
    monkeypatch.setattr("enms_local.cli.models.models", lambda: (TrainingSettings(), store))
    # The runner closes its stderr, on which later tests would log.
    monkeypatch.setattr("enms.observability.log_to_stderr", lambda: None)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(create_app(), arguments)

    return run


def test_an_hour_is_trained_and_shown(enms: Enms) -> None:
    shown = enms("forecast", "--machine", "Press", "--horizon", "1h", "--train")
    assert shown.exit_code == 0, shown.exception
    header, *steps, peak, by = shown.stdout.splitlines()
    assert header.split() == ["BEGINS", "KW", "80", "%", "95", "%", "KWH"]
    assert len(steps) == 4
    assert peak.startswith("Press: peak ")
    assert "version 1" in by
    assert "Press: " in shown.stderr

    told = json.loads(enms("forecast", "--machine", "Press", "--horizon", "1h", "--json").stdout)
    assert (told["state"], told["model"]["version"]) == ("stored", 1)


def test_a_factory_is_forecast_as_a_whole(enms: Enms) -> None:
    shown = enms("forecast", "--factory", str(FACTORY), "--horizon", "7d", "--json")
    assert shown.exit_code == 0, shown.exception
    told = json.loads(shown.stdout)
    assert (told["factory_name"], len(told["predictions"])) == (str(FACTORY), 7)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Say whose load: --machine NAME or --factory NAME."),
        (("--machine", "Anvil"), "There is no machine 'Anvil'"),
        (("--factory", "Nowhere"), "There is no factory 'Nowhere'"),
        (("--machine", "Press", "--model", "arima"), "arima is not kept for 24h"),
    ],
)
def test_what_cannot_be_shown_is_refused(arguments: tuple[str, ...], told: str, enms: Enms) -> None:
    error = enms("forecast", *arguments).exception
    assert isinstance(error, Exception)
    assert (told in describe(error), exit_code(error)) == (True, 2)


def test_a_horizon_that_there_is_not_is_a_wrong_use(enms: Enms) -> None:
    assert enms("forecast", "--machine", "Press", "--horizon", "2h").exit_code == 2


def test_a_job_from_the_shell_trains_what_is_missing(
    enms: Enms, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[UUID] = []
    monkeypatch.setattr(forecast_requests, "run", lambda *asked: trained.append(asked[-1]))

    first = json.loads(enms("jobs", "run", "forecast-1h", "--json").stdout)

    assert (first["job"], first["trigger"], first["counts"]["machines"]) == ("forecast-1h", "command", 2)
    runs = [jobs.run(database, run_id) for run_id in trained]
    named = {run["parameters"]["name"]: run["parameters"]["horizons"] for run in runs if run is not None}
    assert named == {"Press": list(HORIZONS), str(FACTORY): list(HORIZONS)}


def test_a_job_shows_what_became_of_each(enms: Enms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast_requests, "run", lambda *_: None)
    enms("forecast", "--machine", "Press", "--horizon", "1h", "--train")
    made, again = enms("jobs", "run", "forecast-1h"), enms("jobs", "run", "forecast-1h")
    assert (made.exit_code, again.exit_code) == (0, 0), made.exception
    # What was shown is stored already; what is kept beside it is made by the job.
    for shown, told in ((made, "succeeded"), (again, "made before")):
        (press,) = [line for line in shown.stdout.splitlines() if "Press" in line]
        assert told in press
        assert shown.stdout.splitlines()[-1].endswith("succeeded.")
