"""Versions over the API: lists, one in full, activation by hand, predictions, drivers, health, limits."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from integration.baselines.plant import (
    BRIEF,
    DRIVERS,
    EMPTY,
    FAULTY,
    HALL,
    PLAIN,
    PRESS,
    RECENT,
    TRAINED,
    UNKNOWN,
    Plant,
    question_of,
    readable,
    training_of,
)

from enms.web import baseline_models
from enms.web.baseline_models import Activation, BaselineDetails, BaselineDrivers, Baselines, BaselinesHealth


def add_foreign(plant: Plant, machine: UUID = HALL, version: int = 1) -> str:
    """A row of a platform's own, in use, without a model of ours."""
    (row,) = plant.rows(
        "INSERT INTO energy_baselines (machine_id, energy_type, model_name, model_type, model_version,"
        " training_start_date, training_end_date, training_samples, coefficients, intercept, feature_names,"
        " r_squared, rmse, mae, is_active) VALUES (%s, 'electrical', 'theirs', 'linear_regression', %s,"
        " '2026-01-01', '2026-02-01', 700, '{\"x\": 1}', 1, '{x}', 0.9, 1, 1, true) RETURNING id",
        machine, version,
    )  # fmt: skip
    return str(row["id"])


def _activate(plant: Plant, model_id: str, reason: str | None = None) -> Any:
    return plant.post(f"baseline/model/{model_id}/activate", {"reason": reason}, Activation)


def test_lists_are_filtered_and_cut_into_pages(plant: Plant) -> None:
    first = plant.train(drivers=["production_count"])
    second = plant.train()
    hall = plant.train(machine_id=HALL, drivers=["outdoor_temp_c", "shift"])

    def listed(**asked: Any) -> tuple[int, list[str]]:
        answer = plant.get("baseline/models", Baselines, **asked)
        return answer["total_count"], [each["model_id"] for each in answer["models"]]

    ids = [hall["model_id"], second["model_id"], first["model_id"]]
    assert listed() == (3, ids)
    assert listed(machine_id=PRESS) == (2, ids[1:])
    assert listed(active=True) == (2, ids[:2])
    assert listed(machine_id=PRESS, active=False) == (1, ids[2:])
    assert listed(limit=1, offset=1) == (3, ids[1:2])
    assert listed(offset=7) == (3, [])
    assert listed(energy_type="steam") == (0, [])
    assert listed(machine_id=UNKNOWN) == (0, [])
    line = plant.get("baseline/models", Baselines, machine_id=PRESS, active=True)["models"][0]
    assert (line["machine_name"], line["model"], line["verdict"]) == ("Press", "linear", "valid")
    assert (line["drivers"], line["training_samples"]) == (DRIVERS, second["training_samples"])


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ({"machine_id": "x"}, "machine_id"),
        ({"active": "perhaps"}, "active"),
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
        ({"offset": -1}, "offset"),
        ({"machine": "x"}, "machine"),
    ],
)
def test_lists_that_cannot_be(plant: Plant, asked: dict[str, Any], parameter: str) -> None:
    assert plant.refused("GET", "baseline/models", params=asked)["parameter"] == parameter


def test_a_version_in_full(plant: Plant) -> None:
    trained = plant.train()
    shown = plant.get(f"baseline/model/{trained['model_id']}", BaselineDetails)
    told = {
        name: value for name, value in trained.items() if name in baseline_models.TrainedBaseline.model_fields
    }
    told = {name: value for name, value in told.items() if name not in ("created", "activated", "activation")}
    assert {name: shown[name] for name in told} == told
    assert [each["event"] for each in shown["events"]] == ["trained", "activated"]
    assert plant.refused("GET", "baseline/model/x")["parameter"] == "model_id"
    assert plant.refused("GET", f"baseline/model/{uuid4()}", 404)["parameter"] == "model_id"


def test_a_platforms_own_row_tells_what_it_has(plant: Plant) -> None:
    foreign = add_foreign(plant)
    shown = plant.get(f"baseline/model/{foreign}", BaselineDetails)
    assert (shown["is_usable"], shown["is_active"], shown["verdict"]) == (False, True, None)
    assert (shown["drivers"], shown["events"]) == (["x"], [])
    line = plant.get("baseline/models", Baselines, machine_id=HALL)["models"][0]
    assert (line["is_usable"], line["interval"]) == (False, None)

    problem = plant.refused("POST", f"baseline/model/{foreign}/activate", 409, json={})
    assert "another program" in problem["detail"]
    question = question_of(PLAIN, machine_id=HALL, model_id=foreign)
    assert "another program" in plant.refused("GET", "baseline/deviation", 409, params=question)["detail"]
    # One of ours takes its place, and is the next version.
    ours = plant.train(machine_id=HALL, drivers=["outdoor_temp_c", "shift"])
    assert (ours["model_version"], ours["is_active"]) == (2, True)
    assert plant.versions(HALL) == {1: False, 2: True}


def test_forward_and_back(plant: Plant) -> None:
    first = plant.train(drivers=["production_count"])
    second = plant.train()
    back = _activate(plant, first["model_id"], "the new sensor is broken")
    assert back == {
        "model_id": first["model_id"], "machine_id": str(PRESS), "model_version": 1, "former_version": 2,
        "is_active": True,
    }  # fmt: skip
    assert plant.versions() == {1: True, 2: False}
    assert plant.deviation()["baseline_model_version"] == 1
    assert plant.events()[-2:] == [
        (2, "deactivated", "the new sensor is broken"), (1, "activated", "the new sensor is broken"),
    ]  # fmt: skip
    before = plant.events()
    assert _activate(plant, first["model_id"])["former_version"] == 1
    assert plant.events() == before, "it was active already"
    without_body = plant.request("POST", f"baseline/model/{second['model_id']}/activate")
    assert without_body.status_code == 200
    assert plant.versions() == {1: False, 2: True}
    events = plant.get(f"baseline/model/{second['model_id']}", BaselineDetails)["events"]
    assert (events[-1]["event"], events[-1]["actor"], events[-1]["reason"]) == (
        "activated", "local", "By hand.",
    )  # fmt: skip


def test_a_rejected_one_needs_a_reason(plant: Plant) -> None:
    rejected = plant.train(drivers=["environment.lux"])
    path = f"baseline/model/{rejected['model_id']}/activate"
    for body in (None, {}, {"reason": " "}):
        problem = plant.refused("POST", path, json=body)
        assert problem["parameter"] == "reason"
    assert plant.versions() == {1: False}
    _activate(plant, rejected["model_id"], "nothing better is measured")
    assert plant.versions() == {1: True}
    assert plant.deviation()["baseline_verdict"] == "rejected"


def test_activation_that_cannot_be(plant: Plant) -> None:
    trained = plant.train()
    path = f"baseline/model/{trained['model_id']}/activate"
    assert plant.refused("POST", path, json={"why": "x"})["parameter"] == "why"
    assert plant.refused("POST", path, json={"reason": "a\0b"})["parameter"] == "reason"
    assert plant.refused("POST", "baseline/model/x/activate")["parameter"] == "model_id"


def test_a_prediction_with_its_interval(plant: Plant) -> None:
    trained = plant.train()
    answer = plant.predict(production_count=300, material_moisture_percent=5)
    by_formula = trained["intercept"] + 300 * trained["coefficients"]["production_count"]
    by_formula += 5 * trained["coefficients"]["material_moisture_percent"]
    assert answer["predicted_kwh"] == pytest.approx(by_formula)
    # Chance alone has a standard deviation of 1 kWh.
    assert answer["high_kwh"] - answer["predicted_kwh"] == pytest.approx(1.96, rel=0.1)
    assert answer["predicted_kwh"] - answer["low_kwh"] == pytest.approx(1.96, rel=0.1)
    assert (answer["confidence"], answer["is_extrapolated"]) == (0.95, False)
    assert answer["baseline_model_id"] == trained["model_id"]
    again = plant.predict(production_count=300, material_moisture_percent=5, at="2026-01-03T04:00:00Z")
    assert again["predicted_kwh"] == answer["predicted_kwh"]


def test_outside_of_training_is_flagged_with_the_distance(plant: Plant) -> None:
    trained = plant.train()
    answer = plant.predict(production_count=900, material_moisture_percent=0)
    assert answer["is_extrapolated"]
    drivers = {each["driver"]: each for each in answer["drivers"]}
    ranges = trained["ranges"]
    assert drivers["production_count"]["beyond_range"] == 900 - ranges["production_count"]["max"]
    moisture = ranges["material_moisture_percent"]
    assert drivers["material_moisture_percent"]["beyond_range"] == pytest.approx(-moisture["min"])
    assert drivers["material_moisture_percent"]["trained"] == moisture
    inside = plant.predict(production_count=300, material_moisture_percent=5)
    width = answer["high_kwh"] - answer["low_kwh"]
    assert width > inside["high_kwh"] - inside["low_kwh"]


def test_calendar_terms_are_taken_from_the_instant(plant: Plant) -> None:
    plant.train(machine_id=HALL, drivers=["outdoor_temp_c", "shift"])
    weather = {"machine_id": HALL, "outdoor_temp_c": 4}
    day = plant.predict(at="2026-02-03T09:00:00Z", **weather)
    night = plant.predict(at="2026-02-03T22:30:00Z", **weather)
    assert day["predicted_kwh"] - night["predicted_kwh"] == pytest.approx(9, abs=1)
    assert plant.predict(shift="night", **weather)["predicted_kwh"] == night["predicted_kwh"]
    # What is told goes before the calendar.
    told = plant.predict(shift="night", at="2026-02-03T09:00:00Z", **weather)
    assert told["predicted_kwh"] == night["predicted_kwh"]
    problem = plant.refused("GET", "baseline/predict", params={k: str(v) for k, v in weather.items()})
    assert (problem["parameter"], sorted(problem["allowed"])) == ("shift", ["early", "late", "night"])
    problem = plant.refused("GET", "baseline/predict", params={"shift": "noon"} | readable(weather))
    assert (problem["parameter"], problem["given"]) == ("shift", "noon")


def test_days_are_predicted_whole(plant: Plant) -> None:
    plant.train(interval="day")
    answer = plant.predict(production_count=4800, material_moisture_percent=5)
    assert answer["interval"] == "day"
    assert answer["predicted_kwh"] == pytest.approx(24 * (10 + 7.5) + 0.05 * 4800, rel=0.02)


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"production_count": None}, "production_count"),
        ({"production_count": "many"}, "production_count"),
        ({"production_count": "NaN"}, "production_count"),
        ({"production_count": "inf"}, "production_count"),
        ({"production_count": "-1e999"}, "production_count"),
        ({"production_count": ""}, "production_count"),
        ({"outdoor_temp_c": 5}, "outdoor_temp_c"),
        ({"at": "2026-02-03T09:00:00"}, "at"),
        ({"at": "soon"}, "at"),
        ({"machine_id": "press"}, "machine_id"),
        ({"energy_type": "\0"}, "energy_type"),
    ],
)
def test_predictions_that_cannot_be(plant: Plant, changes: dict[str, Any], parameter: str) -> None:
    if not plant.versions():
        plant.train()
    asked = {"machine_id": str(PRESS), "production_count": 300, "material_moisture_percent": 5} | changes
    given = {name: value for name, value in asked.items() if value is not None}
    problem = plant.refused("GET", "baseline/predict", params=given)
    assert problem["parameter"] == parameter
    if parameter == "outdoor_temp_c":
        assert problem["allowed"] == DRIVERS


def test_every_driver_there_is(site: Plant) -> None:
    answer = site.get("baseline/drivers", BaselineDrivers, **question_of(TRAINED))
    found = {each["name"]: each for each in answer["drivers"]}
    assert answer["intervals"] == 105 * 24
    assert {
        *DRIVERS, "outdoor_temp_c", "pressure_bar", "operating_hours", "environment.lux",
        "production.tool_number", "production.cycles", "heating_degrees", "cooling_degrees", "weekday",
        "shift", "working_day",
    } <= found.keys()  # fmt: skip
    count = found["production_count"]
    assert (count["kind"], count["coverage"], count["is_usable"], count["is_automatic"]) == (
        "numeric", 1, True, True,
    )  # fmt: skip
    assert count["correlation"] > 0.95
    assert (count["minimum"], count["unit"], count["reason"]) == (0, "units", None)
    assert 0 < found["material_moisture_percent"]["correlation"] < 0.5
    assert abs(found["environment.lux"]["correlation"]) < 0.1
    assert found["pressure_bar"]["coverage"] == pytest.approx(96 / 97, abs=0.001)
    constant = found["production.tool_number"]
    assert (constant["is_usable"], constant["is_automatic"]) == (False, False)
    assert "same value throughout" in constant["reason"]
    assert constant["correlation"] is None
    assert found["operating_hours"]["is_usable"]
    assert found["weekday"]["kind"] == "category"
    assert "monday" in found["weekday"]["levels"]
    assert (found["shift"]["is_automatic"], found["shift"]["is_usable"]) == (False, True)
    assert "No shift is reported" in found["shift"]["reason"]
    # Whoever is listed as usable can be trained with.
    usable = [name for name, each in found.items() if each["is_usable"]]
    assert "production.tool_number" not in usable
    refused = site.refused("POST", "baseline/analyze", json=readable(training_of(drivers=["x"])))
    assert sorted(refused["allowed"]) == sorted(found)


def test_drivers_by_day_and_carrier(site: Plant) -> None:
    daily = site.get("baseline/drivers", BaselineDrivers, **question_of(PLAIN, interval="day"))
    assert (daily["interval"], daily["intervals"]) == ("day", 30)
    gas = site.get(
        "baseline/drivers",
        BaselineDrivers,
        **question_of(("2026-01-01", "2026-01-31"), energy_type="natural_gas"),
    )
    found = {each["name"]: each for each in gas["drivers"]}
    assert found["outdoor_temp_c"]["correlation"] < -0.8
    hall = site.get("baseline/drivers", BaselineDrivers, **question_of(TRAINED, machine_id=HALL))
    found = {each["name"]: each for each in hall["drivers"]}
    assert "production_count" not in found
    # No mode is reported: told by the power, which is energy itself.
    assert (found["operating_hours"]["is_usable"], found["operating_hours"]["is_automatic"]) == (True, False)
    problem = site.refused("GET", "baseline/drivers", params=question_of(PLAIN, machine_id=EMPTY))
    assert (problem["parameter"], problem["code"]) == ("start", "no-readings")


def _health(plant: Plant, machine: UUID) -> Any:
    answer = plant.get("baseline/health", BaselinesHealth, machine_id=machine)
    assert answer["total_count"] == 1
    return answer["machines"][0]


def test_health_of_one_that_describes_its_machine(plant: Plant) -> None:
    (row,) = plant.rows(
        "SELECT min(time) AS at, max(time) AS until FROM energy_readings WHERE machine_id = %s", RECENT
    )
    trained = plant.train(
        machine_id=RECENT, start_date=row["at"].isoformat(), end_date=row["until"].isoformat()
    )
    found = _health(plant, RECENT)
    assert (found["status"], found["retrain"], found["reasons"]) == ("good", False, [])
    assert (found["model_id"], found["verdict"], found["age_days"]) == (trained["model_id"], "valid", 0)
    assert found["error_ratio"] == pytest.approx(1, abs=0.15)
    assert found["range_overlap"] > 0.95
    assert found["judged_intervals"] > 600

    plant.rows(
        "UPDATE energy_readings SET energy_kwh = 1.3 * energy_kwh, power_kw = 1.3 * power_kw"
        " WHERE machine_id = %s AND time > %s - interval '28 days' RETURNING 1 AS one",
        RECENT, row["until"],
    )  # fmt: skip
    found = _health(plant, RECENT)
    assert (found["status"], found["retrain"], found["deviation_severity"]) == ("retrain", True, "critical")
    assert any("times that of its training" in reason for reason in found["reasons"])
    assert any("% more than expected" in reason for reason in found["reasons"])


def test_health_without_a_model_or_readings(plant: Plant) -> None:
    found = _health(plant, BRIEF)
    assert (found["status"], found["retrain"]) == ("no_model", True)
    plant.train()
    found = _health(plant, PRESS)
    # Its readings end before the last 28 days.
    assert (found["status"], found["retrain"]) == ("unknown", False)
    assert "no reading" in found["reasons"][0]


def test_health_of_one_whose_document_is_lost(plant: Plant) -> None:
    trained = plant.train()
    (row,) = plant.rows("SELECT artifact_key FROM energy_baselines WHERE id = %s", trained["model_id"])
    plant.aws.client("s3").delete_object(Bucket=plant.store.bucket, Key=row["artifact_key"])
    plant.forget()
    found = _health(plant, PRESS)
    assert found["status"] == "unreadable"
    assert row["artifact_key"] in found["reasons"][0]


def test_health_of_all_by_pages(plant: Plant) -> None:
    answer = plant.get("baseline/health", BaselinesHealth, limit=2)
    assert (answer["total_count"], len(answer["machines"])) == (5, 2)
    names = [each["machine_name"] for each in answer["machines"]]
    rest = plant.get("baseline/health", BaselinesHealth, limit=100, offset=2)
    names += [each["machine_name"] for each in rest["machines"]]
    assert names == sorted(["Press", "Hall", "Recent", "Brief", "Empty"])
    other = plant.get("baseline/health", BaselinesHealth, factory_id=UNKNOWN)
    assert other["machines"] == []
    assert plant.refused("GET", "baseline/health", params={"limit": 101})["parameter"] == "limit"


def test_limits_are_the_operators(site: Plant) -> None:
    strict = Plant(
        site.url, site.store, site.aws,
        {"baseline_limits": {"least_r_squared": 0.99, "least_samples_hour": 3000}},
    )  # fmt: skip
    verdict = strict.analyze()["verdict"]
    reasons = {each["code"]: each for each in verdict["reasons"]}
    assert verdict["status"] == "rejected"
    assert (reasons["r_squared"]["limit"], reasons["r_squared"]["severity"]) == (0.99, "rejected")
    assert reasons["samples"]["severity"] == "caution"
    assert "collect 20 more days" in reasons["samples"]["text"]
    assert site.analyze()["verdict"]["status"] == "valid"
    strict.database.close()


def test_a_limit_that_there_is_not_is_told(site: Plant) -> None:
    wrong = Plant(site.url, site.store, site.aws, {"baseline_limits": {"least_r2": 0.9}})
    problem = wrong.train_refused()
    assert problem["parameter"] == "BASELINE_LIMITS"
    assert "there is no least_r2; there are least_samples_hour" in problem["detail"]
    wrong.database.close()


def test_faulty_days_are_part_of_the_record(plant: Plant) -> None:
    trained = plant.train(start_date="2026-07-01", end_date=FAULTY[1])
    counts = {each["code"]: each["count"] for each in trained["refused"]}
    assert {"no_energy", "maintenance", "flat_meter", "missing_driver"} <= counts.keys()
    assert trained["training_samples"] + sum(counts.values()) == 31 * 24
