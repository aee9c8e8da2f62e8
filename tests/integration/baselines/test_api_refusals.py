"""What can't be trained: each gets an answer that says what was wrong, and leaves nothing behind."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from integration.baselines.plant import (
    DRIVERS,
    EMPTY,
    HALL,
    PRESS,
    RECENT,
    STEPPED,
    TRAINED,
    UNKNOWN,
    Plant,
    local,
    readable,
    training_of,
)


def test_an_unknown_driver_is_answered_with_those_there_are(plant: Plant) -> None:
    problem = plant.train_refused(drivers=["production_count", "colour", "mood"])
    assert problem["given"] == ["colour", "mood"]
    assert {"production_count", "environment.lux", "production.cycles", "weekday"} < set(problem["allowed"])
    assert "colour" not in problem["allowed"]
    assert "There is no colour, mood for Press" in problem["detail"]


def test_one_that_was_never_recorded_is_unknown_too(plant: Plant) -> None:
    problem = plant.train_refused(drivers=["production_count", "cop"])
    assert problem["given"] == ["cop"]
    problem = plant.train_refused(machine_id=RECENT, drivers=["outdoor_temp_c"], **_recently())
    assert problem["given"] == ["outdoor_temp_c"]
    assert "production_count" in problem["allowed"]


def test_one_that_is_never_known_in_the_period(plant: Plant) -> None:
    plant.rows(
        "UPDATE environmental_data SET cop = 3 WHERE machine_id = %s AND time > %s RETURNING 1 AS one",
        PRESS, local(STEPPED[0]),
    )  # fmt: skip
    problem = plant.train_refused(drivers=["production_count", "cop"])
    assert (problem["parameter"], problem["given"]) == ("drivers", ["cop"])


def test_a_constant_driver(plant: Plant) -> None:
    problem = plant.train_refused(drivers=["production_count", "production.tool_number"])
    assert (problem["parameter"], problem["given"]) == ("drivers", "production.tool_number")
    assert "same value" in problem["detail"]
    assert problem["code"] == "constant-driver"
    analyzed = plant.refused(
        "POST", "baseline/analyze", json=readable(training_of(drivers=["production.tool_number"]))
    )
    assert analyzed["code"] == "constant-driver"


def test_drivers_that_determine_each_other_are_both_named(plant: Plant) -> None:
    problem = plant.train_refused(drivers=["production_count", "production.cycles"])
    assert problem["code"] == "collinear-drivers"
    assert problem["given"] == ["production.cycles", "production_count"]
    assert "production.cycles is fully determined by production_count" in problem["detail"]


def test_more_drivers_than_a_tenth_of_the_samples(plant: Plant) -> None:
    problem = plant.train_refused(
        drivers=[*DRIVERS, "outdoor_temp_c", "weekday"], interval="day", end_date="2026-01-19"
    )
    assert problem["code"] == "too-many-drivers"
    assert problem["given"] == 10
    assert "need 100 days, and 50 can be used" in problem["detail"]


def test_without_readings_the_latest_one_is_told(plant: Plant) -> None:
    problem = plant.train_refused(start_date="2026-09-01", end_date="2026-09-30")
    assert (problem["parameter"], problem["code"]) == ("start_date", "no-readings")
    assert problem["latest_reading_at"] == "2026-07-31T21:00:00Z"
    assert "the latest is from 2026-07-31T21:00:00Z" in problem["detail"]
    problem = plant.train_refused(machine_id=EMPTY)
    assert "it has none at all" in problem["detail"]
    problem = plant.train_refused(energy_type="steam")
    assert "no reading of steam energy" in problem["detail"]


def test_a_period_without_a_whole_interval(plant: Plant) -> None:
    moments = {"start_date": "2026-01-01T00:10:00Z", "end_date": "2026-01-01T01:50:00Z"}
    problem = plant.train_refused(**moments)
    assert "No hour lies wholly between 2026-01-01T00:10:00Z and 2026-01-01T01:50:00Z" in problem["detail"]
    assert problem["parameter"] == "start_date"
    problem = plant.train_refused(start_date="2026-01-01", end_date="2026-01-01T10:00:00Z", interval="day")
    assert "No day lies wholly between" in problem["detail"]


@pytest.mark.parametrize("field", ["machine_id", "start_date", "drivers", "model", "energy_type", "reason"])
def test_texts_that_are_no_unicode(plant: Plant, field: str) -> None:
    """Half of a surrogate pair: JSON can say it, nothing can store it."""
    body = training_of(force=True, reason="x") | {field: ["\ud800"] if field == "drivers" else "\ud800"}
    content = json.dumps(readable(body))
    assert "\\ud800" in content
    problem = plant.refused(
        "POST", "baseline/train", content=content, headers={"content-type": "application/json"}
    )
    assert problem["parameter"] == field


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"start_date": "2199-01-01", "end_date": "2199-02-01"}, "start_date"),
        ({"start_date": "2026-03-01", "end_date": "2026-02-01"}, "end_date"),
        ({"start_date": "2026-03-01T00:00:00Z", "end_date": "2026-03-01T00:00:00Z"}, "end_date"),
        ({"start_date": "2020-01-01"}, "end_date"),
        ({"start_date": "2026-01-01T00:00:00"}, "start_date"),
        ({"start_date": "yesterday"}, "start_date"),
        ({"start_date": 20260101}, "start_date"),
        ({"end_date": None}, "end_date"),
        ({"drivers": []}, "drivers"),
        ({"drivers": "production_count"}, "drivers"),
        ({"drivers": [""]}, "drivers"),
        ({"drivers": ["production_count", 7]}, "drivers"),
        ({"drivers": ["a\0b"]}, "drivers"),
        ({"drivers": ["x"] * 61}, "drivers"),
        ({"drivers": None}, "drivers"),
        ({"driver": ["production_count"]}, "driver"),
        ({"model": "neural"}, "model"),
        ({"interval": "minute"}, "interval"),
        ({"energy_type": "\0"}, "energy_type"),
        ({"machine_id": "press"}, "machine_id"),
        ({"force": "perhaps"}, "force"),
        ({"force": True, "reason": "a\0b"}, "reason"),
        ({"force": True, "reason": "x" * 1001}, "reason"),
    ],
)
def test_a_body_that_means_nothing(plant: Plant, changes: dict[str, Any], parameter: str) -> None:
    problem = plant.train_refused(**changes)
    assert problem["parameter"] == parameter
    assert problem["detail"].startswith(f"{parameter}: ")


def test_no_json_at_all(plant: Plant) -> None:
    for content in (b"", b"{", b"[]", b"null", b'"text"'):
        plant.refused("POST", "baseline/train", content=content, headers={"content-type": "application/json"})


@pytest.mark.parametrize("target", ["energy_kwh", "power_kw"])
def test_what_is_explained_explains_nothing(plant: Plant, target: str) -> None:
    problem = plant.train_refused(drivers=["colour", target])
    assert (problem["parameter"], problem["given"]) == ("drivers", target)
    assert f"{target} is what the baseline explains" in problem["detail"]


def test_a_form_that_needs_a_temperature(plant: Plant) -> None:
    for model in ("change_point", "time_of_week_temperature"):
        for drivers in (["production_count"], "auto"):
            problem = plant.train_refused(machine_id=RECENT, drivers=drivers, model=model, **_recently())
            assert (problem["parameter"], problem["given"]) == ("model", model)
            assert "outdoor_temp_c" in problem["detail"]


def test_an_unknown_machine_is_not_found(plant: Plant) -> None:
    problem = plant.train_refused(404, machine_id=UNKNOWN)
    assert problem["given"] == str(UNKNOWN)
    for path in ("deviation", "savings", "drivers"):
        plant.refused(
            "GET", f"baseline/{path}", 404,
            params={"machine_id": str(UNKNOWN), "start": TRAINED[0], "end": TRAINED[1]},
        )  # fmt: skip
    for path in ("predict", "health", "adjustments"):
        plant.refused("GET", f"baseline/{path}", 404, params={"machine_id": str(UNKNOWN)})
    for method, path in (
        ("GET", "model/{}"), ("POST", "model/{}/activate"), ("DELETE", "adjustments/{}"),
    ):  # fmt: skip
        plant.refused(method, f"baseline/{path}".format(UNKNOWN), 404)


def test_values_that_are_no_numbers_are_left_out(plant: Plant) -> None:
    """What is NaN in a column, or a text or a giant in the metadata, counts as not recorded."""
    day = (HALL, local("2026-01-10"), local("2026-01-11"))
    where = "WHERE machine_id = %s AND time >= %s AND time < %s RETURNING 1 AS one"
    plant.rows(f"UPDATE environmental_data SET outdoor_temp_c = 'NaN' {where}", *day)
    trained = plant.train(machine_id=HALL, drivers=["outdoor_temp_c", "shift"])
    assert trained["training_samples"] == 105 * 24 - 24
    assert [(each["code"], each["count"]) for each in trained["refused"]] == [("missing_driver", 24)]

    for lux in ('"NaN"', "1e300", "null", "true"):
        plant.rows(f"UPDATE environmental_data SET metadata = %s::jsonb {where}", f'{{"lux": {lux}}}', *day)
        trained = plant.train(machine_id=HALL, drivers=["environment.lux", "shift"], force=True, reason=lux)
        assert trained["training_samples"] == 105 * 24 - 24


def _recently() -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        "start_date": (now - timedelta(days=20)).isoformat(),
        "end_date": (now + timedelta(days=20)).isoformat(),
    }
