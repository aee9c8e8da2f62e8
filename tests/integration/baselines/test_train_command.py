"""`enms train` and `enms baselines …` on a factory: what they keep, tell, and refuse."""

import json
from collections.abc import Callable

import pytest
from integration.baselines.plant import SAVING, TRAINED, Plant
from typer.testing import CliRunner, Result

from enms.settings import TrainingSettings
from enms_local.cli import create_app, describe, exit_code

type Enms = Callable[..., Result]

PERIOD = ("--start", TRAINED[0], "--end", TRAINED[1])
TRAIN = ("train", "--machine", "Press", *PERIOD)
TRUE_DRIVERS = "production_count, material_moisture_percent"


@pytest.fixture
def enms(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> Enms:
    """Runs `enms …` on the factory's database and models."""
    monkeypatch.setenv("ENMS_DATABASE_URL", plant.url)
    monkeypatch.setattr("enms_local.cli.models.models", lambda: (TrainingSettings(), plant.store))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(create_app(), arguments)

    return run


def refusal(result: Result) -> str:
    assert isinstance(result.exception, Exception), result.output
    assert exit_code(result.exception) == 2
    assert result.stdout == ""
    return describe(result.exception)


def test_a_model_is_trained_kept_and_active(enms: Enms, plant: Plant) -> None:
    result = enms(*TRAIN, "--drivers", TRUE_DRIVERS)

    assert result.exit_code == 0, result.exception
    for part in ("Press: version 1, linear", "production_count", "Verdict: valid", "It is the active one"):
        assert part in result.stdout
    assert plant.versions() == {1: True}
    assert plant.rows("SELECT trained_by FROM energy_baselines") == [{"trained_by": "command"}]


def test_drivers_by_themselves_as_json(enms: Enms) -> None:
    trained = json.loads(enms(*TRAIN, "--drivers", "auto", "--json").stdout)
    assert {"production_count", "material_moisture_percent"} <= trained["coefficients"].keys()
    assert trained["verdict"]["status"] == "valid"


def test_a_rejected_model_is_an_answer(enms: Enms, plant: Plant) -> None:
    result = enms(*TRAIN, "--drivers", "outdoor_temp_c")
    assert result.exit_code == 0
    assert "Verdict: rejected" in result.stdout
    assert "It isn't active" in result.stdout
    assert plant.versions() == {1: False}


def test_a_rejected_model_is_forced_with_a_reason(enms: Enms, plant: Plant) -> None:
    assert "reason" in refusal(enms(*TRAIN, "--drivers", "outdoor_temp_c", "--force"))
    assert plant.versions() == {}
    forced = enms(*TRAIN, "--drivers", "outdoor_temp_c", "--force", "--reason", "for a demonstration")
    assert forced.exit_code == 0
    assert plant.versions() == {1: True}


def test_the_last_days_are_the_default(enms: Enms) -> None:
    result = enms("train", "--machine", "Recent", "--drivers", TRUE_DRIVERS, "--json")
    assert json.loads(result.stdout)["training_samples"] == 90 * 24
    fewer = enms("train", "--machine", "Recent", "--drivers", TRUE_DRIVERS, "--days", "30", "--json")
    assert json.loads(fewer.stdout)["training_samples"] == 30 * 24


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--drivers", "nonsense"), "There is no nonsense for Press"),
        (("--drivers", "energy_kwh"), "can't be a driver"),
        (("--drivers", "production.tool_number"), "tool_number has the same value"),
        (("--drivers", "production_count", "--days", "30"), "give one of the two"),
    ],
)
def test_refused(enms: Enms, plant: Plant, arguments: tuple[str, ...], sentence: str) -> None:
    assert sentence in refusal(enms(*TRAIN, *arguments))
    assert plant.versions() == {}


def test_a_machine_that_there_is_not(enms: Enms) -> None:
    assert "There is no machine 'Lathe'" in refusal(enms("train", "--machine", "Lathe"))


def test_a_machine_without_readings(enms: Enms) -> None:
    assert "no reading" in refusal(enms("train", "--machine", "Empty"))


def test_versions_are_listed_and_activated(enms: Enms, plant: Plant) -> None:
    enms(*TRAIN, "--drivers", TRUE_DRIVERS)
    enms(*TRAIN, "--drivers", "production_count", "--model", "linear")
    listed = json.loads(enms("baselines", "list", "--machine", "Press", "--json").stdout)
    assert [each["model_version"] for each in listed] == [2, 1]
    assert "material_moisture_percent" not in listed[0]["drivers"]
    table = enms("baselines", "list").stdout
    assert "MODEL_VERSION" in table
    assert listed[1]["model_id"] in table

    inactive = next(each for each in listed if not each["is_active"])
    result = enms("baselines", "activate", inactive["model_id"], "--reason", "as of the audit")

    assert result.exit_code == 0, result.exception
    assert f"Version {inactive['model_version']} is active in place of version" in result.stdout
    assert plant.versions()[inactive["model_version"]]
    assert (inactive["model_version"], "activated", "as of the audit") in plant.events()
    again = enms("baselines", "activate", inactive["model_id"], "--json")
    assert json.loads(again.stdout)["is_active"]


def test_a_model_that_there_is_not(enms: Enms) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    assert "There is no model" in refusal(enms("baselines", "activate", unknown))
    assert enms("baselines", "activate", "seven").exit_code == 2


def test_the_period_is_days_of_the_factory(enms: Enms) -> None:
    period = ("--start", SAVING[0], "--end", SAVING[0])
    assert "need" in refusal(enms("train", "--machine", "Press", *period, "--drivers", TRUE_DRIVERS))
