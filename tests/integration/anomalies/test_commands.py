"""`enms detect` and `enms jobs run detect` on the demo's weeks: what they keep, tell, and refuse."""

import json
from collections.abc import Callable

import pytest
from integration.anomalies.demo_plant import DemoPlant
from typer.testing import CliRunner, Result

from enms_local.cli import create_app, describe, exit_code

type Enms = Callable[..., Result]

DETECT = ("detect", "--machine", "Compressor-1", "--start", "2025-10-28", "--end", "2025-10-29")


@pytest.fixture
def enms(plant: DemoPlant, monkeypatch: pytest.MonkeyPatch) -> Enms:
    """Runs `enms …` on the factory's database and detectors."""
    monkeypatch.setenv("ENMS_DATABASE_URL", plant.url)
    monkeypatch.setattr("enms_local.cli.models.models_for_detection", lambda: (plant.settings, plant.store))
    # The runner closes its stderr, on which later tests would log.
    monkeypatch.setattr("enms.observability.log_to_stderr", lambda: None)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(create_app(), arguments)

    return run


def test_what_is_found_is_told_and_kept_once(enms: Enms, plant: DemoPlant) -> None:
    plant.inject("leak", "2025-10-28T21:00", 9)
    plant.train_baseline("2025-09-22", "2025-10-20")
    first, again = enms(*DETECT), enms(*DETECT)

    assert (first.exit_code, again.exit_code) == (0, 0), first.exception
    assert first.stdout == again.stdout
    for part in ("2025-10-28 20:00Z", "baseload_increase", "EUR", "Compressor-1: 1 anomaly."):
        assert part in first.stdout
    (kept,) = plant.stored()
    assert kept["anomaly_type"] == "baseload_increase"


def test_without_storing_nothing_is_kept(enms: Enms, plant: DemoPlant) -> None:
    plant.inject("leak", "2025-10-28T21:00", 9)
    answer = json.loads(enms(*DETECT, "--no-store", "--json").stdout)
    assert answer["anomalies_detected"] >= 1
    assert {each["id"] for each in answer["anomalies"]} == {None}
    assert plant.stored() == []


def test_what_caps_the_confidence_is_told(enms: Enms) -> None:
    result = enms(*DETECT)
    assert "Mind: The machine has no active baseline" in result.stderr
    assert "Compressor-1: 0 anomalies." in result.stdout


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (("--machine", "Kompressor"), "Kompressor"),
        (("--start", "yesterday"), "--start"),
        (("--end", "2025-10-27"), "end"),
        (("--end", "2027-10-27"), "400"),
        (("--contamination", "0"), "contamination"),
        (("--contamination", "0.51"), "contamination"),
        (("--start", "2024-01-01", "--end", "2024-01-02"), "no reading"),
    ],
)
def test_what_cant_be_looked_at_is_refused(
    enms: Enms, plant: DemoPlant, changed: tuple[str, ...], told: str
) -> None:
    # Of an option that is given twice the last counts.
    result = enms(*DETECT, *changed)
    assert isinstance(result.exception, Exception), result.output
    assert exit_code(result.exception) == 2
    assert told in describe(result.exception)
    assert plant.stored() == []


def test_the_hourly_job_runs_by_hand(enms: Enms) -> None:
    result = enms("jobs", "run", "detect", "--json")
    account = json.loads(result.stdout)
    assert (account["job"], account["trigger"], account["state"]) == (
        "detect-anomalies",
        "command",
        "succeeded",
    )
    assert [item["detail"]["machine_name"] for item in account["items"]] == ["Compressor-1", "Pump-1"]


def test_the_hourly_job_tells_each_machine(enms: Enms) -> None:
    result = enms("jobs", "run", "detect")
    assert result.exit_code == 0, result.exception
    assert "Compressor-1" in result.stdout
    assert result.stdout.rstrip().endswith("succeeded.")
