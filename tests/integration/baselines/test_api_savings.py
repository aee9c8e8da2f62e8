"""Savings over the API: how much, how certain, what it is worth, and events that people judge."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from integration.baselines.plant import (
    DAY_RATE,
    EMPTY,
    HARDLY_SAVED_SHARE,
    NEARLY_SAVING,
    NIGHT_RATE,
    PLAIN,
    PRESS,
    RUSH_DAY,
    SAVED_SHARE,
    SAVING,
    SPRING_DAY,
    STEP_DAY,
    STEP_KWH,
    STEPPED,
    TRAINED,
    UNKNOWN,
    Plant,
    local,
    press_load,
    question_of,
    readable,
)

from enms.web import baseline_models

# What was saved is a share of what would have been used: of the share that was, it is so much.
SAVED_OF_ACTUAL = SAVED_SHARE / (1 - SAVED_SHARE)


@pytest.fixture(scope="module")
def trained(site: Plant) -> Any:
    """The press's baseline."""
    return site.train()


@pytest.fixture
def judged(site: Plant, trained: Any) -> Plant:
    """The factory in which no person has judged anything yet."""
    site.rows("DELETE FROM analytics.baseline_adjustments RETURNING id")
    return site


def adjust(plant: Plant, **changes: Any) -> Any:
    """An adjustment, kept."""
    return plant.post("baseline/adjustments", event(**changes), baseline_models.Adjustment, 201)


def event(**changes: Any) -> dict[str, Any]:
    """What a person says of the step."""
    return {
        "machine_id": PRESS, "start": local(STEP_DAY).isoformat(), "kwh_per_hour": STEP_KWH,
        "reason": "second dryer",
    } | changes  # fmt: skip


def certainty(answer: Any) -> dict[float, Any]:
    """Its intervals by their confidence."""
    return {each["confidence"]: each for each in answer["uncertainty"]}


def test_what_was_saved_lies_within_the_stated_interval(site: Plant, trained: Any) -> None:
    answer = site.savings()
    truth = SAVED_OF_ACTUAL * answer["actual_kwh"]
    stated = certainty(answer)
    assert stated[0.9]["low_kwh"] < truth < stated[0.9]["high_kwh"]
    assert answer["avoided_kwh"] == pytest.approx(truth, rel=0.05)
    assert answer["avoided_percent"] == pytest.approx(100 * SAVED_SHARE, abs=0.5)
    assert answer["is_significant"]
    assert answer["significance"] == "Shown at 90% confidence."
    assert answer["baseline_period"] == trained["training_period"]
    assert answer["avoided_kwh"] == pytest.approx(answer["baseline_kwh"] - answer["actual_kwh"])


def test_more_confidence_needs_a_wider_interval(site: Plant, trained: Any) -> None:
    answer = site.savings()
    stated = certainty(answer)
    assert list(stated) == [0.68, 0.8, 0.9]
    widths = [each["half_width_kwh"] for each in stated.values()]
    assert widths == sorted(widths)
    for each in stated.values():
        assert each["low_kwh"] == pytest.approx(answer["avoided_kwh"] - each["half_width_kwh"])
        assert each["high_kwh"] == pytest.approx(answer["avoided_kwh"] + each["half_width_kwh"])
        assert each["percent_of_savings"] == pytest.approx(
            100 * each["half_width_kwh"] / answer["avoided_kwh"]
        )
        # Of errors without memory Guideline 14's formula says much the same.
        assert each["ashrae_14_percent_of_savings"] == pytest.approx(each["percent_of_savings"], rel=0.4)


@pytest.mark.parametrize("chapter", [PLAIN, NEARLY_SAVING])
def test_next_to_nothing_is_not_significant(site: Plant, trained: Any, chapter: tuple[str, str]) -> None:
    answer = site.savings(chapter)
    stated = certainty(answer)[0.9]
    truth = HARDLY_SAVED_SHARE * answer["actual_kwh"] if chapter == NEARLY_SAVING else 0
    assert stated["low_kwh"] < truth < stated["high_kwh"]
    assert not answer["is_significant"]
    assert answer["significance"].startswith("Not significant")


def test_it_is_worth_what_each_hour_costs(site: Plant, trained: Any) -> None:
    answer = site.savings()
    hours = site.deviation(SAVING)["hourly_deviations"]
    rates = [_rate(datetime.fromisoformat(each["hour"])) for each in hours]
    avoided = [-each["deviation_kwh"] for each in hours]
    worth = sum(rate * kwh for rate, kwh in zip(rates, avoided, strict=True))
    assert answer["avoided_cost"] == pytest.approx(worth, abs=0.01)
    assert (answer["currency"], answer["avoided_cost_reason"]) == ("EUR", None)
    assert not answer["has_default_rates"]
    # What the baseline would have cost, less what the KPI says that the energy did cost.
    expected = sum(rate * each["predicted_kwh"] for rate, each in zip(rates, hours, strict=True))
    cost = site.get("kpi/energy-cost", **question_of(SAVING))["total_cost"]
    assert answer["avoided_cost"] == pytest.approx(expected - cost, abs=0.01)


def test_its_emissions_are_by_the_factor_of_each_day(site: Plant, trained: Any) -> None:
    answer = site.savings()
    hours = site.deviation(SAVING)["hourly_deviations"]
    june = local("2026-06-01")
    factors = [0.38 if datetime.fromisoformat(each["hour"]) < june else 0.35 for each in hours]
    expected = sum(each["predicted_kwh"] * kg for each, kg in zip(hours, factors, strict=True))
    emitted = site.get("kpi/carbon", **question_of(SAVING))["total_co2_kg"]
    assert answer["avoided_co2_kg"] == pytest.approx(expected - emitted, abs=0.01)
    assert answer["avoided_co2_reason"] is None


def _rate(at: datetime) -> float:
    return DAY_RATE if 6 <= at.astimezone(ZoneInfo("Europe/Berlin")).hour < 22 else NIGHT_RATE


def test_months_have_their_ratio(site: Plant, trained: Any) -> None:
    answer = site.savings()
    months = answer["months"]
    assert [each["month"] for each in months] == ["2026-05-01", "2026-06-01"]
    assert [each["judged_intervals"] for each in months] == [17 * 24, 13 * 24]
    for each in months:
        assert each["enpi"] == pytest.approx(each["actual_kwh"] / each["baseline_kwh"])
        assert each["enpi"] == pytest.approx(1 - SAVED_SHARE, abs=0.01)
    for name in ("actual_kwh", "baseline_kwh", "avoided_kwh"):
        assert sum(each[name] for each in months) == pytest.approx(answer[name])


def test_inside_and_outside_the_range_add_up(site: Plant, trained: Any) -> None:
    answer = site.savings()
    inside, outside = answer["within_range"], answer["extrapolated"]
    assert inside["intervals"] + outside["intervals"] == answer["judged_intervals"] == 720
    assert inside["avoided_kwh"] + outside["avoided_kwh"] == pytest.approx(answer["avoided_kwh"])
    assert {each["driver"] for each in outside["drivers"]} >= {"production_count"}
    rush = site.savings((RUSH_DAY, RUSH_DAY))
    assert rush["extrapolated"]["intervals"] >= 4
    none = site.savings(("2026-05-18", "2026-05-18"))["extrapolated"]
    if not none["intervals"]:
        assert (none["avoided_kwh"], none["half_width_kwh"], none["drivers"]) == (0, 0, [])


def test_a_day_of_23_hours(site: Plant, trained: Any) -> None:
    answer = site.savings((SPRING_DAY, SPRING_DAY))
    assert answer["judged_intervals"] == answer["time_period"]["hours"] == 23
    assert len(answer["months"]) == 1


def test_by_a_daily_model(site: Plant, trained: Any) -> None:
    daily = site.train(interval="day")
    answer = site.savings(model_id=daily["model_id"])
    assert answer["judged_intervals"] == 30
    stated = certainty(answer)[0.9]
    assert stated["low_kwh"] < SAVED_OF_ACTUAL * answer["actual_kwh"] < stated["high_kwh"]
    hourly = site.savings()
    assert answer["avoided_cost"] == pytest.approx(hourly["avoided_cost"], rel=0.05)
    assert answer["avoided_co2_kg"] == pytest.approx(hourly["avoided_co2_kg"], rel=0.05)


def test_another_carrier_has_no_price(site: Plant, trained: Any) -> None:
    site.train(energy_type="natural_gas", drivers=["outdoor_temp_c"], end_date="2026-01-15")
    answer = site.savings(("2026-01-16", "2026-01-31"), energy_type="natural_gas")
    assert answer["avoided_cost"] is answer["currency"] is answer["avoided_co2_kg"] is None
    assert (answer["avoided_cost_reason"], answer["avoided_co2_reason"]) == ("no_price", "no_factor")


def test_a_step_is_proposed_with_date_and_size(judged: Plant) -> None:
    (proposed,) = judged.savings(STEPPED)["proposed_events"]
    assert (proposed["began_on"], proposed["start"]) == (STEP_DAY, "2026-07-11T22:00:00Z")
    assert proposed["kwh_per_hour"] == pytest.approx(STEP_KWH, rel=0.1)
    assert proposed["size_kwh_per_day"] == pytest.approx(24 * proposed["kwh_per_hour"])
    assert f"Since {STEP_DAY} the machine uses" in proposed["text"]
    assert judged.savings(PLAIN)["proposed_events"] == []


def test_an_accepted_one_is_applied_and_shown(judged: Plant) -> None:
    before = judged.savings(STEPPED)
    kept = adjust(judged)
    after = judged.savings(STEPPED)
    hours = 14 * 24
    assert before["avoided_percent"] < -5
    assert after["adjustments_kwh"] == pytest.approx(hours * STEP_KWH)
    assert after["avoided_kwh"] == pytest.approx(before["avoided_kwh"] + hours * STEP_KWH)
    assert after["baseline_kwh"] == before["baseline_kwh"]
    assert after["adjusted_baseline_kwh"] == pytest.approx(after["baseline_kwh"] + hours * STEP_KWH)
    assert abs(after["avoided_percent"]) < 1
    (shown,) = after["adjustments"]
    assert shown == {
        "adjustment_id": kept["adjustment_id"], "start": "2026-07-11T22:00:00Z", "end": None,
        "kwh_per_hour": STEP_KWH, "reason": "second dryer", "hours": hours, "kwh": hours * STEP_KWH,
    }  # fmt: skip
    assert after["proposed_events"] == []
    assert sum(each["avoided_kwh"] for each in after["months"]) == pytest.approx(after["avoided_kwh"])
    assert after["uncertainty"][2]["half_width_kwh"] == before["uncertainty"][2]["half_width_kwh"]
    # It is worth what the hours that it covers cost.
    assert after["avoided_cost"] - before["avoided_cost"] == pytest.approx(
        14 * STEP_KWH * (16 * DAY_RATE + 8 * NIGHT_RATE)
    )
    # The deviation is what it was: it knows no adjustments.
    assert judged.deviation(STEPPED)["deviation_kwh"] == pytest.approx(-before["avoided_kwh"])


def test_an_adjustment_counts_for_its_own_hours_only(judged: Plant) -> None:
    start, end = local("2026-07-01", 8), local("2026-07-01", 10) + timedelta(minutes=30)
    adjust(judged, start=start.isoformat(), end=end.isoformat(), kwh_per_hour=-4)
    answer = judged.savings(STEPPED)
    assert answer["adjustments_kwh"] == pytest.approx(-10)
    assert answer["adjustments"][0]["hours"] == pytest.approx(2.5)
    assert judged.savings(SAVING)["adjustments"] == []
    cut = judged.savings((local("2026-07-01", 9).isoformat(), local("2026-07-02").isoformat()))
    assert cut["adjustments_kwh"] == pytest.approx(-6)
    daily = judged.train(201 if not _has_daily(judged) else 200, interval="day")
    assert judged.savings(STEPPED, model_id=daily["model_id"])["adjustments_kwh"] == pytest.approx(-10)


def _has_daily(plant: Plant) -> bool:
    return bool(
        plant.rows("SELECT 1 AS one FROM energy_baselines WHERE machine_id = %s AND interval = 'day'", PRESS)
    )


def test_a_refused_one_stops_the_proposal_and_adjusts_nothing(judged: Plant) -> None:
    before = judged.savings(STEPPED)
    adjust(judged, decision="refused", reason="it is the leak, which we repair")
    after = judged.savings(STEPPED)
    assert after["proposed_events"] == []
    assert after["adjustments"] == []
    assert (after["adjustments_kwh"], after["avoided_kwh"]) == (0, before["avoided_kwh"])


def test_one_that_was_taken_back_does_not_count(judged: Plant) -> None:
    before = judged.savings(STEPPED)
    kept = adjust(judged)
    path = f"baseline/adjustments/{kept['adjustment_id']}"
    gone = judged.request("DELETE", path)
    assert gone.status_code == 200
    baseline_models.Adjustment.model_validate_json(gone.text)
    assert gone.json()["withdrawn_by"] == "local"
    assert judged.savings(STEPPED) == before
    again = judged.request("DELETE", path)
    assert (again.status_code, again.json()) == (200, gone.json())

    asked = {"machine_id": PRESS}
    assert judged.get("baseline/adjustments", baseline_models.Adjustments, **asked)["total_count"] == 0
    listed = judged.get("baseline/adjustments", baseline_models.Adjustments, withdrawn=True, **asked)
    assert listed["adjustments"] == [gone.json()]


def test_adjustments_of_another_carrier_do_not_count(judged: Plant) -> None:
    adjust(judged, energy_type="natural_gas")
    answer = judged.savings(STEPPED)
    assert answer["adjustments"] == []
    assert len(answer["proposed_events"]) == 1


def test_they_are_listed_by_period(judged: Plant) -> None:
    first = adjust(judged, start="2026-07-01T00:00:00Z", end="2026-07-02T00:00:00Z")
    second = adjust(judged, start="2026-07-05T02:00:00+02:00", decision="refused")
    assert second["start"] == "2026-07-05T00:00:00Z"
    assert (first["actor"], first["decision"], second["end"]) == ("local", "accepted", None)

    def listed(**period: str) -> list[str]:
        found = judged.get("baseline/adjustments", baseline_models.Adjustments, machine_id=PRESS, **period)
        assert found["total_count"] == len(found["adjustments"])
        return [each["adjustment_id"] for each in found["adjustments"]]

    ids = [first["adjustment_id"], second["adjustment_id"]]
    assert listed() == ids
    assert listed(end="2026-07-03T00:00:00Z") == ids[:1]
    assert listed(start="2026-07-02T00:00:00Z") == ids[1:]
    assert listed(start="2026-07-01T00:00:00Z", end="2026-07-01T00:00:01Z") == ids[:1]


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"start": "2026-07-01T00:00:00"}, "start"),
        ({"start": "soon"}, "start"),
        ({"start": None}, "start"),
        ({"end": "2026-07-01"}, "end"),
        ({"end": local(STEP_DAY).isoformat()}, "end"),
        ({"end": "2026-01-01T00:00:00Z"}, "end"),
        ({"kwh_per_hour": 0}, "kwh_per_hour"),
        ({"kwh_per_hour": "much"}, "kwh_per_hour"),
        ({"kwh_per_hour": None}, "kwh_per_hour"),
        ({"reason": ""}, "reason"),
        ({"reason": "a\0bcd"}, "reason"),
        ({"reason": "x" * 1001}, "reason"),
        ({"reason": None}, "reason"),
        ({"decision": "perhaps"}, "decision"),
        ({"energy_type": ""}, "energy_type"),
        ({"machine_id": "press"}, "machine_id"),
        ({"who": "me"}, "who"),
    ],
)
def test_judgements_that_mean_nothing(judged: Plant, changes: dict[str, Any], parameter: str) -> None:
    problem = judged.refused("POST", "baseline/adjustments", json=readable(event(**changes)))
    assert problem["parameter"] == parameter
    assert judged.rows("SELECT count(*) AS n FROM analytics.baseline_adjustments") == [{"n": 0}]


def test_infinite_adjustments_are_refused(judged: Plant) -> None:
    for value in ("NaN", "Infinity", "1e999"):
        body = (
            f'{{"machine_id": "{PRESS}", "start": "2026-07-01T00:00:00Z", "reason": "odd", "kwh_per_hour": '
        )
        problem = judged.refused(
            "POST", "baseline/adjustments", content=f"{body}{value}}}",
            headers={"content-type": "application/json"},
        )  # fmt: skip
        assert problem["parameter"] == "kwh_per_hour"


def test_judgements_of_what_is_not_there(judged: Plant) -> None:
    body = readable(event(machine_id=UNKNOWN))
    assert judged.refused("POST", "baseline/adjustments", 404, json=body)["given"] == str(UNKNOWN)
    problem = judged.refused("DELETE", f"baseline/adjustments/{UNKNOWN}", 404)
    assert problem["given"] == str(UNKNOWN)
    assert judged.refused("DELETE", "baseline/adjustments/x")["parameter"] == "adjustment_id"
    question = {"machine_id": str(PRESS), "start": "2026-07-01T00:00:00"}
    assert judged.refused("GET", "baseline/adjustments", params=question)["parameter"] == "start"
    assert judged.get("baseline/adjustments", machine_id=EMPTY) == {"total_count": 0, "adjustments": []}


def test_the_fixture_knows_the_truth() -> None:
    drawn = press_load()
    assert drawn.starts[0] == datetime(2025, 10, 24, 22, tzinfo=UTC)
    assert drawn.within(*TRAINED).sum() == 105 * 24
    assert drawn.within(*PLAIN).sum() == 719
