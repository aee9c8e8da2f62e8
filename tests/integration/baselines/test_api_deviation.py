"""Deviation over the API: sums, periods, how unusual it is, what could not be judged, and lasting changes."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from integration.baselines.plant import (
    AUTUMN_DAY,
    DRIVERS,
    EMPTY,
    FAULTY,
    HALL,
    HOUR,
    LEAK_SHARE,
    LEAKING,
    NOISY_HOUR,
    PLAIN,
    PRESS,
    RUSH_COUNT,
    RUSH_DAY,
    SAVING,
    SPRING_DAY,
    STEP_DAY,
    STEP_KWH,
    STEPPED,
    TRAINED,
    Plant,
    local,
    question_of,
    training_of,
)

NO_BASELINE = "no-active-baseline"


@pytest.fixture(scope="module")
def trained(site: Plant) -> Any:
    """The press's baseline, by hour."""
    return site.train()


@pytest.fixture(scope="module")
def by_day(site: Plant, trained: Any) -> Any:
    """Another one, by day, which is not in use."""
    return site.train(interval="day")


def _sum(entries: list[dict[str, Any]], name: str) -> float:
    return sum(entry[name] for entry in entries)


def test_totals_are_the_sums_of_the_hours(site: Plant, trained: Any) -> None:
    answer = site.deviation()
    hours = answer["hourly_deviations"]
    assert answer["judged_intervals"] == len(hours) == 719
    for total, each in (
        ("total_actual_kwh", "actual_kwh"),
        ("total_predicted_kwh", "predicted_kwh"),
        ("deviation_kwh", "deviation_kwh"),
    ):
        assert answer[total] == pytest.approx(_sum(hours, each), abs=1e-3)
    assert answer["deviation_kwh"] == pytest.approx(
        answer["total_actual_kwh"] - answer["total_predicted_kwh"]
    )
    assert answer["deviation_percent"] == pytest.approx(
        100 * answer["deviation_kwh"] / answer["total_predicted_kwh"]
    )
    assert answer["baseline_model_id"] == trained["model_id"]
    assert answer["baseline_model_version"] == trained["model_version"]
    assert answer["time_period"]["hours"] == 719
    assert "daily_deviations" not in answer


def test_what_was_used_is_what_the_kpi_says(site: Plant, trained: Any) -> None:
    for chapter in (PLAIN, FAULTY):
        answer = site.deviation(chapter)
        judged = {each["hour"]: each["actual_kwh"] for each in answer["hourly_deviations"]}
        series = site.get(
            f"machines/{PRESS}/series", metric="energy_kwh", start=chapter[0], end=chapter[1], interval="1h"
        )["data"]
        metered = {_hour(at): kwh for at, kwh in zip(*list(series.values())[:2], strict=True)}
        assert all(metered[hour] == pytest.approx(kwh, abs=1e-6) for hour, kwh in judged.items())
    whole = site.get("kpi/all", None, **question_of(PLAIN))
    assert site.deviation(PLAIN)["total_actual_kwh"] == pytest.approx(whole["total_energy_kwh"], abs=1e-6)


def _hour(text: str) -> str:
    return datetime.fromisoformat(text).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_predictions_are_those_of_the_formula(site: Plant, trained: Any) -> None:
    answer = site.deviation((SPRING_DAY, SPRING_DAY))
    rows = site.rows(
        "SELECT time, production_count, (metadata ->> 'material_moisture_percent')::float AS moisture"
        " FROM production_data WHERE machine_id = %s AND time >= %s AND time < %s ORDER BY time",
        PRESS, local(SPRING_DAY), local("2026-03-30"),
    )  # fmt: skip
    count, moisture = (trained["coefficients"][name] for name in DRIVERS)
    expected = [
        trained["intercept"] + count * row["production_count"] + moisture * row["moisture"] for row in rows
    ]
    assert [each["predicted_kwh"] for each in answer["hourly_deviations"]] == pytest.approx(expected)


def test_periods_are_half_open(site: Plant, trained: Any) -> None:
    start, middle, end = (local("2026-03-20", hour).isoformat() for hour in (0, 7, 20))
    whole = site.deviation((start, end))
    parts = [site.deviation((start, middle)), site.deviation((middle, end))]
    assert [each["judged_intervals"] for each in parts] == [7, 13]
    assert _sum(parts, "deviation_kwh") == pytest.approx(whole["deviation_kwh"])
    hours = [each["hour"] for part in parts for each in part["hourly_deviations"]]
    assert hours == [each["hour"] for each in whole["hourly_deviations"]]
    # An hour counts where it lies wholly in the period.
    ragged = site.deviation((start.replace(":00:00+", ":30:00+"), end.replace(":00:00+", ":59:00+")))
    assert ragged["judged_intervals"] == 19


@pytest.mark.parametrize(("day", "hours"), [(SPRING_DAY, 23), ("2026-03-28", 24), (AUTUMN_DAY, 25)])
def test_days_on_which_clocks_change(site: Plant, by_day: Any, day: str, hours: int) -> None:
    answer = site.deviation((day, day), interval="day")
    (entry,) = answer["daily_deviations"]
    assert (entry["day"], entry["judged_intervals"]) == (day, hours)
    assert answer["time_period"]["hours"] == hours
    assert entry["deviation_kwh"] == pytest.approx(answer["deviation_kwh"])
    daily = site.deviation((day, day), model_id=by_day["model_id"])
    (entry,) = daily["daily_deviations"]
    assert (entry["day"], daily["judged_intervals"], daily["model_interval"]) == (day, 1, "day")
    assert entry["actual_kwh"] == pytest.approx(answer["total_actual_kwh"])


def test_an_hourly_model_by_day(site: Plant, trained: Any) -> None:
    hourly, daily = site.deviation(), site.deviation(interval="day")
    days = daily["daily_deviations"]
    assert len(days) == 30
    assert sorted(each["judged_intervals"] for each in days)[:2] == [23, 24]
    assert _sum(days, "deviation_kwh") == pytest.approx(hourly["deviation_kwh"])
    assert daily["deviation_sigma"] == hourly["deviation_sigma"]
    assert "hourly_deviations" not in daily
    (noisy,) = [each for each in days if each["severity"] == "critical"]
    assert noisy["day"] == NOISY_HOUR.date().isoformat()


def test_a_daily_model_has_no_hours(site: Plant, by_day: Any) -> None:
    question = question_of(PLAIN, interval="hour", model_id=by_day["model_id"])
    problem = site.refused("GET", "baseline/deviation", params=question)
    assert (problem["parameter"], problem["given"], problem["allowed"]) == ("interval", "hour", "day")


def test_the_sum_of_deviations_by_day(site: Plant, trained: Any) -> None:
    answer = site.deviation(interval="day")
    sums, total = [], 0.0
    for day in answer["daily_deviations"]:
        total += day["deviation_kwh"]
        sums.append((day["day"], pytest.approx(total)))
    assert [(each["day"], each["cusum_kwh"]) for each in answer["cusum"]] == sums


def test_one_noisy_hour_is_no_deviation_of_the_month(site: Plant, trained: Any) -> None:
    answer = site.deviation()
    assert answer["deviation_severity"] == "normal"
    assert answer["lasting_change"] is None
    (noisy,) = [each for each in answer["hourly_deviations"] if abs(each["sigma"]) > 6]
    assert noisy["hour"] == _hour(NOISY_HOUR.isoformat())
    assert noisy["severity"] == "critical"
    assert noisy["deviation_kwh"] == pytest.approx(12, abs=3)


def test_five_percent_more_throughout_are_critical(site: Plant, trained: Any) -> None:
    answer = site.deviation(LEAKING)
    assert answer["deviation_percent"] == pytest.approx(100 * LEAK_SHARE, abs=0.5)
    assert answer["deviation_severity"] == "critical"
    assert answer["deviation_sigma"] > 3
    # It was so before the period began: nothing changes within it.
    assert answer["lasting_change"] is None


def test_less_is_a_deviation_too(site: Plant, trained: Any) -> None:
    answer = site.deviation(SAVING)
    assert answer["deviation_sigma"] < -3
    assert answer["deviation_severity"] == "critical"
    assert answer["cusum"][-1]["cusum_kwh"] == pytest.approx(answer["deviation_kwh"])


def test_a_lasting_change_is_found_on_its_day(site: Plant, trained: Any) -> None:
    change = site.deviation(STEPPED)["lasting_change"]
    assert change["began_on"] == STEP_DAY
    assert change["size_kwh_per_day"] == pytest.approx(24 * STEP_KWH, rel=0.1)
    assert change["p_value"] < 0.01


def test_what_cannot_be_judged_is_told_with_the_reason(site: Plant, trained: Any) -> None:
    answer = site.deviation(FAULTY)
    first = local(FAULTY[0])
    reasons = {datetime.fromisoformat(each["start"]): each["code"] for each in answer["unjudged_intervals"]}
    at = {
        code: [day * 24 + hour for hour in hours]
        for day, (code, hours) in enumerate(
            (
                ("no_energy", range(8, 12)),
                ("spread", range(8, 15)),
                ("maintenance", range(8, 10)),
                ("flat_meter", range(8, 10)),
                ("missing_driver", range(8, 11)),
            )
        )
    }
    for code in ("no_energy", "maintenance", "flat_meter", "missing_driver"):
        assert [reasons.get(first + hour * HOUR) for hour in at[code]] == [code] * len(at[code])
    spread = [reasons.get(first + hour * HOUR) for hour in at["spread"]]
    assert {"catch_up"} <= set(spread) <= {"catch_up", "incomplete"}
    assert None not in spread
    assert answer["judged_intervals"] == 6 * 24 - len(reasons) == len(answer["hourly_deviations"])
    counts = Counter(reasons.values())
    assert {each["code"]: each["count"] for each in answer["unjudged"]} == counts
    assert all(each["text"] for each in answer["unjudged"])
    missing = [each for each in answer["unjudged"] if each["code"] == "missing_driver"]
    assert {each["driver"] for each in missing} <= set(DRIVERS)
    assert abs(answer["deviation_percent"]) < 20 + 100 * STEP_KWH / 20


def test_outside_the_range_of_training_is_told_with_the_distance(site: Plant, trained: Any) -> None:
    answer = site.deviation((RUSH_DAY, RUSH_DAY))
    (beyond,) = [each for each in answer["extrapolated"]["drivers"] if each["driver"] == "production_count"]
    most = trained["ranges"]["production_count"]["max"]
    assert beyond["intervals"] == 4
    assert beyond["trained"] == trained["ranges"]["production_count"]
    assert beyond["furthest"] == RUSH_COUNT - most
    marked = [each["hour"] for each in answer["hourly_deviations"] if each["is_extrapolated"]]
    assert len(marked) == answer["extrapolated"]["intervals"] >= 4
    assert {_hour((local(RUSH_DAY, 8) + n * HOUR).isoformat()) for n in range(4)} <= set(marked)
    plain = site.deviation(("2026-03-18", "2026-03-18"))
    assert plain["extrapolated"]["intervals"] == len(
        [each for each in plain["hourly_deviations"] if each["is_extrapolated"]]
    )


def test_a_period_without_readings(site: Plant, trained: Any) -> None:
    problem = site.refused("GET", "baseline/deviation", params=question_of(("2026-09-01", "2026-09-02")))
    assert problem["code"] == "no-readings"
    problem = site.refused(
        "GET", "baseline/deviation",
        params=question_of((
            (local(FAULTY[0], 8)).isoformat(), (local(FAULTY[0], 10)).isoformat(),
        )),
    )  # fmt: skip
    assert problem["parameter"] == "start"


def test_a_period_of_which_nothing_can_be_judged(site: Plant, trained: Any) -> None:
    day = (datetime.fromisoformat(FAULTY[0]) + timedelta(days=2)).date().isoformat()
    period = (local(day, 8).isoformat(), local(day, 10).isoformat())
    for path in ("deviation", "savings"):
        problem = site.refused("GET", f"baseline/{path}", params=question_of(period))
        assert "None of the period's 2 hours can be judged: 2 × more than 25%" in problem["detail"]


def test_a_period_that_means_nothing(site: Plant, trained: Any) -> None:
    for period, parameter in (
        (("2026-03-02", "2026-03-01"), "end"),
        (("2199-01-01", "2199-01-02"), "start"),
        (("2020-01-01", "2026-01-01"), "end"),
        (("then", "2026-01-01"), "start"),
    ):
        for path in ("deviation", "savings", "drivers"):
            problem = site.refused("GET", f"baseline/{path}", params=question_of(period))
            assert problem["parameter"] == parameter
    problem = site.refused("GET", "baseline/deviation", params=question_of(PLAIN, interval="week"))
    assert problem["parameter"] == "interval"
    problem = site.refused("GET", "baseline/deviation", params=question_of(PLAIN, machine="x"))
    assert problem["parameter"] == "machine"


def test_the_model_of_another_machine_or_carrier(site: Plant, trained: Any) -> None:
    hall = site.train(machine_id=HALL, drivers=["outdoor_temp_c", "shift"])
    for path in ("deviation", "savings"):
        question = question_of(PLAIN, model_id=hall["model_id"])
        problem = site.refused("GET", f"baseline/{path}", params=question)
        assert (problem["parameter"], problem["given"]) == ("model_id", hall["model_id"])
        assert "Hall" in problem["detail"]
    question = question_of(TRAINED, model_id=trained["model_id"], energy_type="natural_gas")
    assert site.refused("GET", "baseline/deviation", params=question)["parameter"] == "model_id"


def test_a_former_version_may_be_asked(site: Plant, trained: Any, by_day: Any) -> None:
    answer = site.deviation(("2026-03-16", "2026-03-29"), model_id=by_day["model_id"])
    assert answer["baseline_model_version"] == by_day["model_version"]
    assert answer["baseline_verdict"] == "caution"


def test_a_machine_that_has_none_says_what_is_missing(plant: Plant) -> None:
    def missing(machine: Any, **question: Any) -> str:
        told = question_of(PLAIN) | {"machine_id": machine} | question
        problem = plant.refused("GET", "baseline/deviation", 409, params=told)
        assert problem["code"] == NO_BASELINE
        assert problem["machine_id"] == str(machine)
        others = plant.refused("GET", "baseline/savings", 409, params=told)
        assert others["detail"] == problem["detail"]
        forecast = {"machine_id": machine} | question
        assert plant.refused("GET", "baseline/predict", 409, params=forecast)["code"] == NO_BASELINE
        detail: str = problem["detail"]
        return detail

    assert "none was trained yet: POST baseline/train" in missing(EMPTY)
    assert "none was trained yet" in missing(PRESS)
    plant.train(drivers=["environment.lux"])
    assert "the newest of 1, version 1, is rejected" in missing(PRESS)
    assert "no active baseline of natural_gas energy; none" in missing(PRESS, energy_type="natural_gas")
    plant.rows(
        "INSERT INTO energy_baselines (machine_id, energy_type, model_name, model_type, model_version,"
        " training_start_date, training_end_date, training_samples, coefficients, intercept, feature_names,"
        " r_squared, rmse, mae, is_active) VALUES (%s, 'electrical', 'Hall', 'linear_regression', 1,"
        " '2026-01-01', '2026-02-01', 700, '{}', 1, '{}', 0.9, 1, 1, true) RETURNING id",
        HALL,
    )
    assert "made by another program" in missing(HALL)


def test_the_carriers_are_asked_apart(plant: Plant) -> None:
    plant.train()
    gas = plant.train(energy_type="natural_gas", drivers=["outdoor_temp_c"], end_date="2026-01-15")
    answer = plant.deviation(("2026-01-16", "2026-01-31"), energy_type="natural_gas")
    assert answer["baseline_model_id"] == gas["model_id"]
    assert answer["energy_type"] == "natural_gas"
    assert training_of()["machine_id"] == PRESS
