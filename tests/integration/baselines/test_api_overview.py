"""A factory's machines beside their baselines: the figures of `deviation`, and what can't be judged."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from integration.baselines.plant import (
    BRIEF,
    EMPTY,
    FAULTY,
    HALL,
    LEAKING,
    PLAIN,
    PRESS,
    RECENT,
    SPRING_DAY,
    UNKNOWN,
    Plant,
    local,
)
from integration.baselines.works import FACTORY

from enms.services import baseline_overview
from enms.web.baseline_models import BaselineOverview

FIGURES = (
    "deviation_kwh",
    "deviation_percent",
    "deviation_std_error_kwh",
    "deviation_sigma",
    "deviation_severity",
)


@pytest.fixture(scope="module")
def press(site: Plant) -> Any:
    """The press's baseline, by hour."""
    return site.train()


@pytest.fixture(scope="module")
def hall(site: Plant) -> Any:
    """The hall's, by day, until the end of February."""
    return site.train(
        machine_id=HALL,
        drivers=["outdoor_temp_c"],
        interval="day",
        end_date="2026-03-10",
        force=True,
        reason="x",
    )


def _asked(start: str, end: str, **changes: Any) -> dict[str, Any]:
    return {"factory_id": FACTORY, "start": start, "end": end} | changes


def _overview(site: Plant, start: str, end: str, **changes: Any) -> Any:
    return site.get("baseline/overview", BaselineOverview, **_asked(start, end, **changes))


def _of(answer: Any, machine: Any) -> Any:
    (found,) = [each for each in answer["machines"] if each["machine_id"] == str(machine)]
    return found


@pytest.mark.parametrize("period", [PLAIN, LEAKING, FAULTY, (SPRING_DAY, SPRING_DAY)])
def test_a_machines_figures_are_those_of_its_deviation(
    site: Plant, press: Any, period: tuple[str, str]
) -> None:
    answer = _overview(site, *period)
    found, alone = _of(answer, PRESS), site.deviation(period)
    assert answer["time_period"] == alone["time_period"]
    assert {name: found[name] for name in FIGURES} == {name: alone[name] for name in FIGURES}
    assert found["actual_kwh"] == alone["total_actual_kwh"]
    assert found["predicted_kwh"] == alone["total_predicted_kwh"]
    assert found["judged_intervals"] == alone["judged_intervals"]
    assert (found["model_id"], found["model_version"], found["verdict"]) == (
        press["model_id"], press["model_version"], "valid",
    )  # fmt: skip
    assert found["reason"] is None
    assert answer["total"]["judged_machines"] == 1


def test_a_sparkline_sums_neighbours_and_loses_nothing(site: Plant, press: Any) -> None:
    for period, width, points in (
        ((SPRING_DAY, SPRING_DAY), 1, 23),
        (("2026-03-16", "2026-03-22"), 2, 84),
        (PLAIN, 8, 90),
    ):
        found = _of(_overview(site, *period), PRESS)
        line = found["intervals"]
        assert (line["interval"], line["intervals_per_point"]) == ("hour", width)
        assert {
            len(line[name]) for name in ("starts_at", "actual_kwh", "predicted_kwh", "judged_intervals")
        } == {points}
        assert line["starts_at"][0] == local(period[0]).timestamp()
        assert sum(line["actual_kwh"]) == pytest.approx(found["actual_kwh"], abs=1e-3)
        assert sum(line["predicted_kwh"]) == pytest.approx(found["predicted_kwh"], abs=1e-3)
        assert sum(line["judged_intervals"]) == found["judged_intervals"]


def test_where_nothing_could_be_judged_a_sparkline_has_a_gap(site: Plant, press: Any) -> None:
    line = _of(_overview(site, FAULTY[0], FAULTY[0]), PRESS)["intervals"]
    hours = [n for n, count in enumerate(line["judged_intervals"]) if count == 0]
    assert hours == [8, 9, 10, 11]
    assert all(line["actual_kwh"][n] is line["predicted_kwh"][n] is None for n in hours)


def test_the_factorys_total_is_that_of_its_judged_machines(site: Plant, press: Any, hall: Any) -> None:
    answer = _overview(site, "2026-03-11", "2026-03-15")
    judged = [_of(answer, machine) for machine in (PRESS, HALL)]
    total = answer["total"]
    assert (total["judged_machines"], total["machines"]) == (2, 5)
    for name in ("actual_kwh", "predicted_kwh", "deviation_kwh"):
        assert total[name] == pytest.approx(sum(each[name] for each in judged))
    assert total["deviation_percent"] == pytest.approx(100 * total["deviation_kwh"] / total["predicted_kwh"])
    assert total["deviation_std_error_kwh"] ** 2 == pytest.approx(
        sum(each["deviation_std_error_kwh"] ** 2 for each in judged)
    )
    assert total["deviation_severity"] in ("normal", "warning", "critical")
    assert (judged[1]["intervals"]["interval"], judged[1]["judged_intervals"]) == ("day", 5)


def test_what_cant_be_judged_says_why_in_its_place(site: Plant, press: Any, hall: Any) -> None:
    answer = _overview(site, *PLAIN)
    assert [each["machine_name"] for each in answer["machines"]] == [
        "Brief",
        "Empty",
        "Hall",
        "Press",
        "Recent",
    ]
    for machine, code in ((EMPTY, "no_model"), (RECENT, "no_model"), (HALL, "no_readings")):
        found = _of(answer, machine)
        assert found["reason"]["code"] == code
        assert found["reason"]["text"].endswith(".")
        assert found["actual_kwh"] is found["deviation_sigma"] is found["intervals"] is None
        assert found["judged_intervals"] == 0
    assert _of(answer, EMPTY)["last_reading_at"] is None
    assert _of(answer, HALL)["last_reading_at"] == "2026-03-15T22:00:00Z"
    assert _of(answer, HALL)["model_id"] == hall["model_id"]
    day = (datetime.fromisoformat(FAULTY[0]) + timedelta(days=2)).date().isoformat()
    repaired = _overview(site, local(day, 8).isoformat(), local(day, 10).isoformat())
    assert _of(repaired, PRESS)["reason"]["code"] == "nothing_judged"
    assert repaired["total"]["actual_kwh"] is repaired["total"]["deviation_sigma"] is None
    assert repaired["total"]["judged_machines"] == 0


def test_a_period_that_goes_on_is_judged_as_far_as_it_is_over(site: Plant, press: Any) -> None:
    site.train(machine_id=RECENT, start_date=_day(-90), end_date=_day(-8), force=True, reason="x")
    answer = _overview(site, _day(-2), _day(2))
    found = _of(answer, RECENT)
    assert found["reason"] is None
    assert 48 <= found["judged_intervals"] == sum(found["intervals"]["judged_intervals"]) <= 74
    assert found["intervals"]["starts_at"][-1] < datetime.now(UTC).timestamp()
    assert answer["time_period"]["hours"] >= 119


def _day(distance: int) -> str:
    return (datetime.now(UTC) + timedelta(days=distance)).date().isoformat()


def test_one_machines_failure_leaves_the_others_alone(
    site: Plant, press: Any, hall: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    period = ("2026-03-11", "2026-03-15")
    held_against = baseline_overview.held_against

    def fails_for_the_hall(database: Any, machine: Any, *rest: Any) -> Any:
        if machine.id == HALL:
            raise ZeroDivisionError
        return held_against(database, machine, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(baseline_overview, "held_against", fails_for_the_hall)
        answer = _overview(site, *period)
    assert _of(answer, HALL)["reason"]["code"] == "failed"
    assert "ZeroDivision" not in str(answer)
    assert answer["total"]["judged_machines"] == 1
    for key in site.objects():
        if str(HALL) in key:
            site.aws.client("s3").put_object(Bucket=site.store.bucket, Key=key, Body=b"{}")
    content = site.content_of(hall["model_id"])
    site.forget()
    answer = _overview(site, *period)
    assert content == b"{}"
    assert _of(answer, HALL)["reason"]["code"] == "unreadable_model"
    assert _of(answer, PRESS)["reason"] is None


def test_pages_and_machines_out_of_service(site: Plant, press: Any) -> None:
    answer = _overview(site, *PLAIN, limit=2, offset=3)
    assert [each["machine_name"] for each in answer["machines"]] == ["Press", "Recent"]
    assert (answer["total_count"], answer["limit"], answer["offset"]) == (5, 2, 3)
    assert _overview(site, *PLAIN, offset=9)["machines"] == []
    site.rows("UPDATE machines SET is_active = false WHERE id = %s RETURNING id", BRIEF)
    try:
        answer = _overview(site, *PLAIN)
        assert answer["total_count"] == answer["total"]["machines"] == 4
    finally:
        site.rows("UPDATE machines SET is_active = true WHERE id = %s RETURNING id", BRIEF)
    gas = _overview(site, *PLAIN, energy_type="natural_gas")
    assert {each["reason"]["code"] for each in gas["machines"]} == {"no_model"}
    assert _of(gas, PRESS)["last_reading_at"] == "2026-01-31T22:00:00Z"


@pytest.mark.parametrize(
    ("changed", "status", "parameter"),
    [
        ({"factory_id": UNKNOWN}, 404, "factory_id"),
        ({"factory_id": PRESS}, 404, "factory_id"),
        ({"factory_id": None}, 422, "factory_id"),
        ({"factory_id": "works"}, 422, "factory_id"),
        ({"start": None}, 422, "start"),
        ({"start": "2026-03-28T00:00:00"}, 422, "start"),
        ({"start": "2124-01-01", "end": "2124-01-02"}, 422, "start"),
        ({"end": "2026-03-01"}, 422, "end"),
        ({"start": "2024-01-01"}, 422, "end"),
        ({"limit": 101}, 422, "limit"),
        ({"offset": -1}, 422, "offset"),
        ({"energy_type": ""}, 422, "energy_type"),
        ({"machine_id": PRESS}, 422, "machine_id"),
    ],
)
def test_bad_input_is_refused_by_name(
    site: Plant, changed: dict[str, Any], status: int, parameter: str
) -> None:
    asked = _asked(*PLAIN) | changed
    given = {name: value for name, value in asked.items() if value is not None}
    assert site.refused("GET", "baseline/overview", status, params=given)["parameter"] == parameter


def test_the_longest_period_has_a_sparkline(site: Plant, press: Any) -> None:
    line = _of(_overview(site, "2025-09-01", "2026-10-05"), PRESS)["intervals"]
    assert (line["intervals_per_point"], len(line["starts_at"])) == (120, 80)
