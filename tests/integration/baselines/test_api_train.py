"""Training over the API: what it answers, what it keeps, and what becomes of it later."""

import hashlib
import json
from typing import Any

import pytest
from integration.baselines.plant import (
    BRIEF,
    DRIVERS,
    HALL,
    PRESS,
    PUBLIC,
    TRAINED,
    TRUE,
    TRUE_GAS,
    TRUE_INTERCEPT,
    UNKNOWN,
    Plant,
    local,
    readable,
    training_of,
)

from enms.web import baseline_models, models

# Hours of the chapter TRAINED: 105 days, none of which clocks change on.
HOURS = 105 * 24
# 30 days are 720 hours: enough to be used with care.
MONTH = {"start_date": "2026-01-01", "end_date": "2026-01-30"}


def test_what_was_asked_for_is_found(plant: Plant) -> None:
    trained = plant.train()

    for details in trained["coefficient_details"]:
        truth = TRUE[details["name"]]
        assert details["low"] < truth < details["high"]
        assert trained["coefficients"][details["name"]] == pytest.approx(truth, rel=0.03)
    assert trained["intercept"] == pytest.approx(TRUE_INTERCEPT, abs=0.5)
    assert trained["rmse"] == pytest.approx(1, rel=0.1)
    assert trained["training_samples"] == HOURS
    assert trained["verdict"]["status"] == "valid"
    assert trained["refused"] == []
    assert trained["training_period"] == {"start": "2025-11-30T23:00:00Z", "end": "2026-03-15T23:00:00Z"}
    assert (trained["created"], trained["activated"], trained["is_active"]) == (True, True, True)
    assert (trained["model_version"], trained["trained_by"]) == (1, "local")


def test_it_is_kept_as_it_was_answered(plant: Plant) -> None:
    response = plant.request("POST", "baseline/train", json=readable(training_of(reason="first one")))
    trained = response.json()
    location = response.headers["location"]
    assert location == f"{PUBLIC}/api/v1/baseline/model/{trained['model_id']}"

    content = plant.content_of(trained["model_id"])
    (row,) = plant.rows("SELECT * FROM energy_baselines")
    assert hashlib.sha256(content).hexdigest() == row["artifact_sha256"] == trained["sha256"]
    assert json.loads(content)["machine"]["name"] == "Press"
    assert (row["machine_id"], row["is_active"], row["verdict"]) == (PRESS, True, "valid")
    assert row["coefficients"] == trained["coefficients"]
    assert row["r_squared"] == pytest.approx(trained["r_squared"], abs=1e-4)
    assert plant.events() == [(1, "trained", "first one"), (1, "activated", "There was no active model.")]

    shown = plant.get(location, baseline_models.BaselineDetails)
    assert {name: shown[name] for name in trained if name in shown} == {
        name: value for name, value in trained.items() if name in shown
    }
    assert [event["event"] for event in shown["events"]] == ["trained", "activated"]


def test_the_same_again_is_the_model_that_exists(plant: Plant) -> None:
    first = plant.train()
    before = plant.traces()
    second = plant.train(status=200)
    assert plant.traces() == before
    assert second == first | {
        "created": False,
        "activation": "The same data and settings gave this model before.",
    }


def test_equal_data_and_settings_give_equal_bytes(plant: Plant) -> None:
    first = plant.train()
    again = plant.train(force=True, reason="to see")
    assert (first["model_version"], again["model_version"]) == (1, 2)
    assert first["sha256"] == again["sha256"]
    assert plant.content_of(first["model_id"]) == plant.content_of(again["model_id"])
    # The order in which drivers are named is a setting of no consequence for the figures.
    other = plant.train(drivers=DRIVERS[::-1])
    assert other["coefficients"] == pytest.approx(first["coefficients"], rel=1e-9)


def test_forcing_needs_a_reason(plant: Plant) -> None:
    plant.train()
    for reason in (None, "", "  "):
        problem = plant.train_refused(force=True, reason=reason)
        assert (problem["parameter"], problem["given"]) == ("reason", reason)


def test_forced_it_is_the_next_version_and_the_reason_is_kept(plant: Plant) -> None:
    plant.train()
    trained = plant.train(force=True, reason="the auditor asked for it")
    assert (trained["created"], trained["activated"]) == (True, True)
    assert plant.versions() == {1: False, 2: True}
    assert plant.events()[2:] == [
        (2, "trained", "the auditor asked for it"),
        (1, "deactivated", "Forced: the auditor asked for it"),
        (2, "activated", "Forced: the auditor asked for it"),
    ]


def test_a_rejected_model_is_an_answer_and_not_used(plant: Plant) -> None:
    trained = plant.train(drivers=["environment.lux"])
    assert trained["verdict"]["status"] == "rejected"
    reasons = {each["code"]: each for each in trained["verdict"]["reasons"]}
    assert reasons["r_squared"]["severity"] == "rejected"
    assert reasons["r_squared"]["measured"] < reasons["r_squared"]["limit"] == 0.8
    assert trained["verdict"]["reasons"][0]["severity"] == "rejected"
    assert (trained["created"], trained["activated"], trained["is_active"]) == (True, False, False)
    assert plant.versions() == {1: False}
    assert hashlib.sha256(plant.content_of(trained["model_id"])).hexdigest() == trained["sha256"]

    forced = plant.train(drivers=["environment.lux"], force=True, reason="nothing better")
    assert forced["is_active"]
    assert forced["verdict"]["status"] == "rejected"


def test_the_first_to_be_used_with_care_is_used(plant: Plant) -> None:
    careful = plant.train(drivers=["production_count"], **MONTH)
    assert (careful["verdict"]["status"], careful["is_active"]) == ("caution", True)
    (samples,) = [each for each in careful["verdict"]["reasons"] if each["code"] == "samples"]
    assert (samples["severity"], samples["measured"], samples["limit"]) == ("caution", 720, 1000)
    assert "collect 12 more days" in samples["text"]

    valid = plant.train()
    assert (valid["verdict"]["status"], valid["is_active"]) == ("valid", True)
    careful = plant.train(start_date="2026-02-01", end_date="2026-03-02")
    assert (careful["verdict"]["status"], careful["is_active"]) == ("caution", False)
    assert "doesn't displace the active version 2" in careful["activation"]
    assert plant.versions() == {1: False, 2: True, 3: False}


def test_too_few_samples_are_told_with_the_days_to_come(plant: Plant) -> None:
    short = plant.train(start_date="2026-01-01", end_date="2026-01-14")
    (samples,) = [each for each in short["verdict"]["reasons"] if each["code"] == "samples"]
    assert (samples["severity"], samples["measured"], samples["limit"]) == ("rejected", 336, 500)
    assert "collect 28 more days" in samples["text"]


def test_the_better_of_two_on_the_same_recent_time_is_used(plant: Plant) -> None:
    champion = plant.train(drivers=["production_count"])
    better = plant.train()
    assert champion["is_active"]
    assert better["is_active"]
    assert better["activation"].startswith("It is no worse")
    worse = plant.train(drivers=["production_count", "outdoor_temp_c"], start_date="2025-12-02")
    assert not worse["is_active"]
    assert plant.versions() == {1: False, 2: True, 3: False}


def test_a_worse_valid_one_does_not_take_over(plant: Plant) -> None:
    plant.train()
    worse = plant.train(drivers=["production_count"])
    assert worse["verdict"]["status"] == "valid"
    assert not worse["is_active"]
    assert worse["activation"].startswith("The active version stays: on 336 recent hours")


def test_what_happened_since_decides(plant: Plant) -> None:
    # Since the leak the champion is wrong on what is new to both.
    plant.train()
    challenger = plant.train(start_date="2026-03-01", end_date="2026-05-14")
    assert "720" not in challenger["activation"]
    assert challenger["is_active"] is (challenger["verdict"]["status"] == "valid")
    settled = plant.train(start_date="2026-04-15", end_date="2026-05-14", force=True, reason="repaired?")
    assert settled["coefficients"]["production_count"] == pytest.approx(0.0525, rel=0.03)


def test_other_intervals_are_not_compared(plant: Plant) -> None:
    plant.train()
    daily = plant.train(interval="day")
    assert not daily["is_active"]


def test_automatic_drivers_are_the_true_ones(plant: Plant) -> None:
    trained = plant.train(drivers="auto")
    assert sorted(trained["drivers"]) == sorted(DRIVERS)
    selection = trained["selection"]
    assert selection["ranked"][0]["cv_rmse_percent"] <= selection["ranked"][-1]["cv_rmse_percent"]
    dropped = {each["driver"]: each for each in selection["dropped"]}
    assert dropped["production.tool_number"]["code"] == "constant"
    temperatures = {dropped[name]["code"] for name in ("outdoor_temp_c", "environment.outdoor_temp_f")}
    assert "collinear" in temperatures
    assert dropped["production_count_good"]["code"] == "not_a_cause"
    assert all(each["text"] for each in selection["dropped"])


def test_figures_stand_beside_each_other(plant: Plant) -> None:
    trained = plant.train()
    diagnostics = trained["diagnostics"]
    assert 1.8 < diagnostics["durbin_watson"] < 2.2
    assert diagnostics["f_p_value"] < 1e-6
    assert len(diagnostics["influential"]) == 5
    for details in trained["coefficient_details"]:
        assert details["std_error"] == pytest.approx(details["plain_std_error"], rel=0.5)
        assert details["t_value"] == pytest.approx(details["value"] / details["std_error"])
        assert 1 <= details["vif"] < 1.5
    shares = [details["contribution_percent"] for details in trained["coefficient_details"]]
    assert sum(shares) == pytest.approx(100)
    assert trained["out_of_time"]["cv_rmse_percent"] >= trained["cv_rmse_percent"]


@pytest.mark.parametrize(
    ("model", "drivers", "kind"),
    [
        ("linear", ["outdoor_temp_c", "shift"], "linear"),
        ("change_point", ["shift"], "change_point"),
        ("time_of_week_temperature", ["outdoor_temp_c"], "time_of_week_temperature"),
        ("auto", ["outdoor_temp_c"], "time_of_week_temperature"),
        ("auto", ["outdoor_temp_c", "shift"], "change_point"),
    ],
)
def test_each_form_can_be_had(plant: Plant, model: str, drivers: list[str], kind: str) -> None:
    trained = plant.train(machine_id=HALL, drivers=drivers, model=model)
    assert trained["model"] == kind
    tried = {each["form"] for each in trained["contenders"]}
    expected = {"linear", "change_point", "time_of_week_temperature"} if model == "auto" else {model}
    assert tried == expected
    if kind == "change_point":
        knots = [term["knot"] for term in trained["terms"] if term["kind"] == "hinge"]
        assert any(abs(knot - 9) < 1.5 for knot in knots)


def test_automatic_form_stays_linear_unless_another_wins(plant: Plant) -> None:
    trained = plant.train(model="auto")
    assert trained["model"] == "linear"
    assert {each["form"] for each in trained["contenders"]} >= {"linear", "change_point"}


def test_degrees_find_their_balance_point(plant: Plant) -> None:
    trained = plant.train(machine_id=HALL, drivers=["cooling_degrees", "shift"])
    (term,) = [term for term in trained["terms"] if term["kind"] == "hinge"]
    assert term["knot"] == pytest.approx(9, abs=1)
    assert trained["coefficients"]["cooling_degrees"] == pytest.approx(0.9, rel=0.15)


def test_by_day(plant: Plant) -> None:
    trained = plant.train(interval="day")
    assert (trained["interval"], trained["training_samples"]) == ("day", 105)
    assert trained["verdict"]["status"] == "caution"
    (samples,) = [each for each in trained["verdict"]["reasons"] if each["code"] == "samples"]
    assert "collect 260 more days" in samples["text"]
    assert trained["coefficients"]["production_count"] == pytest.approx(0.05, rel=0.05)
    # A day of 24 hours has 24 times the moisture's share and the intercept.
    assert trained["coefficients"]["material_moisture_percent"] == pytest.approx(24 * 1.5, rel=0.1)
    limits = {each["code"]: each["limit"] for each in trained["verdict"]["reasons"]}
    assert limits["cv_rmse_percent"] == 25


def test_another_carrier_has_versions_of_its_own(plant: Plant) -> None:
    plant.train()
    plant.train(force=True, reason="to have two")
    gas = plant.train(
        energy_type="natural_gas", drivers=["outdoor_temp_c"], end_date="2026-01-31",
    )  # fmt: skip
    assert (gas["energy_type"], gas["model_version"], gas["is_active"]) == ("natural_gas", 1, True)
    assert gas["coefficients"] == pytest.approx(TRUE_GAS, rel=0.05)
    assert plant.versions() == {1: False, 2: True}
    assert plant.versions(energy_type="natural_gas") == {1: True}
    listed = plant.get("baseline/models", baseline_models.Baselines, energy_type="natural_gas")
    assert [each["model_id"] for each in listed["models"]] == [gas["model_id"]]


def test_what_was_refused_is_part_of_the_record(plant: Plant) -> None:
    # The pressure is no number in some hours: those are left out, and the record says so.
    trained = plant.train(drivers=[*DRIVERS, "pressure_bar"])
    (refused,) = trained["refused"]
    assert (refused["code"], refused["driver"]) == ("missing_driver", "pressure_bar")
    assert refused["count"] + trained["training_samples"] == HOURS
    document = json.loads(plant.content_of(trained["model_id"]))
    assert document["training"]["refused"] == trained["refused"]


def test_a_period_that_reaches_to_the_present_gives_the_same_model_again(plant: Plant) -> None:
    asked = {"machine_id": BRIEF, "drivers": ["production_count"], "end_date": "2199-12-31T00:00:00Z"}
    start = plant.rows("SELECT min(time) AS at FROM energy_readings WHERE machine_id = %s", BRIEF)[0]["at"]
    asked |= {"start_date": start.isoformat(), "end_date": (start.replace(year=start.year + 1)).isoformat()}
    first = plant.train(**asked)
    again = plant.request("POST", "baseline/train", json=readable(training_of(**asked)))
    # The hour may have ended in between.
    assert again.status_code in (200, 201)
    assert again.json()["training_period"]["end"].endswith(":00:00Z")
    if again.json()["training_period"] == first["training_period"]:
        assert (again.status_code, again.json()["sha256"]) == (200, first["sha256"])


def _run(plant: Plant, response: Any) -> Any:
    location = response.headers["location"]
    assert response.json()["location"] == location
    assert location.startswith(f"{PUBLIC}/api/v1/jobs/runs/")
    return plant.get(location, models.JobRunDetails)


def test_later_is_a_run_that_holds_the_model(plant: Plant) -> None:
    body = readable(training_of())
    response = plant.request("POST", "baseline/train", json=body, headers={"Prefer": "respond-async"})
    assert response.status_code == 202
    models.Accepted.model_validate_json(response.text)
    run = _run(plant, response)
    assert (run["job"], run["state"], run["actor"]) == ("train-baseline", "succeeded", "local")
    (item,) = run["items"]
    assert item["item"] == str(PRESS)
    assert item["detail"]["verdict"] == "valid"
    shown = plant.get(f"baseline/model/{item['detail']['model_id']}", baseline_models.BaselineDetails)
    assert shown["is_active"]
    assert {event["run_id"] for event in shown["events"]} == {run["id"]}


def test_what_may_take_long_is_done_later_unasked(plant: Plant) -> None:
    body = readable(training_of(start_date="2025-08-01", end_date="2026-06-30", model="auto"))
    response = plant.request("POST", "baseline/train", json=body)
    assert response.status_code == 202
    run = _run(plant, response)
    assert run["state"] == "succeeded"
    assert run["items"][0]["detail"]["model_version"] == 1


def test_what_fails_later_says_why_in_its_run(plant: Plant) -> None:
    body = readable(training_of(drivers=["nonsense"]))
    response = plant.request("POST", "baseline/train", json=body, headers={"Prefer": "respond-async"})
    assert response.status_code == 202
    run = _run(plant, response)
    assert run["state"] == "failed"
    assert "There is no nonsense for Press" in run["error"]
    assert plant.versions() == {}


def test_later_too_what_means_nothing_is_refused_at_once(plant: Plant) -> None:
    before = plant.traces()
    for changes, parameter, status in (
        ({"start_date": "2026-03-01", "end_date": "2026-02-01"}, "end_date", 422),
        ({"force": True}, "reason", 422),
        ({"machine_id": UNKNOWN}, "machine_id", 404),
    ):
        problem = plant.refused(
            "POST", "baseline/train", status, json=readable(training_of(**changes)),
            headers={"Prefer": "respond-async"},
        )  # fmt: skip
        assert problem["parameter"] == parameter
    assert plant.traces() == before


def test_analysis_gives_the_figures_of_training_and_keeps_nothing(plant: Plant) -> None:
    before = plant.traces()
    analyzed = plant.analyze()
    assert plant.traces() == before
    trained = plant.train()
    shared = analyzed.keys() & trained.keys()
    assert {"coefficients", "verdict", "diagnostics", "refused", "out_of_time"} < shared
    assert {name: analyzed[name] for name in shared} == {name: trained[name] for name in shared}
    points = analyzed["points"]
    assert 200 < len(points["starts_at"]) == len(points["actual_kwh"]) == len(points["predicted_kwh"]) <= 500


def test_the_factorys_time_zone_changes_no_hourly_model(plant: Plant) -> None:
    start, end = local(TRAINED[0]).isoformat(), local("2026-03-16").isoformat()
    here = plant.train(start_date=start, end_date=end)
    forecast = {"machine_id": PRESS, "production_count": 250, "material_moisture_percent": 5}
    expected = plant.get("baseline/predict", baseline_models.Prediction, **forecast)
    try:
        plant.rows("UPDATE factories SET timezone = 'Asia/Kathmandu' RETURNING id")
        there = plant.train(start_date=start, end_date=end)
        assert there["created"]
        assert there["coefficients"] == here["coefficients"]
        assert there["intercept"] == here["intercept"]
        assert there["sha256"] != here["sha256"], "the zone is part of the record"
        activate = f"baseline/model/{there['model_id']}/activate"
        plant.post(activate, {}, baseline_models.Activation)
        again = plant.get("baseline/predict", baseline_models.Prediction, **forecast)
        assert again["predicted_kwh"] == expected["predicted_kwh"]
    finally:
        plant.rows("UPDATE factories SET timezone = 'Europe/Berlin' RETURNING id")


def test_a_country_that_nobody_knows_has_no_holidays(plant: Plant) -> None:
    set_country = "UPDATE factories SET metadata = jsonb_set(metadata, '{country}', %s::jsonb) RETURNING id"
    plant.rows(set_country, '"Germania"')
    try:
        answer = plant.train(drivers=["production_count", "working_day"], force=True, reason="a trial")
        assert answer["created"]
        assert plant.predict(production_count=100, at="2026-05-01T08:00:00Z")["predicted_kwh"] > 0
    finally:
        plant.rows(set_country, '"DE"')


def test_hours_that_were_told_by_mode_are_never_guessed_from_power(plant: Plant) -> None:
    plant.train(drivers=["production_count", "operating_hours"], force=True, reason="whatever its verdict")
    start, end = local("2026-03-17"), local("2026-03-18")
    this_day = "machine_id = %s AND time >= %s AND time < %s"
    told = plant.rows(
        f"SELECT time, operating_mode::text AS mode FROM production_data WHERE {this_day}", PRESS, start, end
    )
    plant.rows(
        f"UPDATE production_data SET operating_mode = NULL WHERE {this_day} RETURNING time", PRESS, start, end
    )
    try:
        question = {"machine_id": PRESS, "start": "2026-03-17", "end": "2026-03-17"}
        problem = plant.refused("GET", "baseline/deviation", params=question)
        assert "operating_hours wasn't recorded" in problem["detail"]
    finally:
        for row in told:
            plant.rows(
                "UPDATE production_data SET operating_mode = %s::operating_mode"
                " WHERE machine_id = %s AND time = %s RETURNING time",
                row["mode"], PRESS, row["time"],
            )  # fmt: skip
