"""A fault becomes one episode with its cause, cost and sentence; looked at again it stays that one."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from integration.anomalies.demo_plant import PUMP, DemoPlant, local

from enms.errors import ConflictError
from enms.services import anomaly_life, anomaly_suppressions
from enms_local.demo.plant import TARIFFS

LEAK = ("2025-10-28T21:00", 9)
DAYS = ("2025-10-28", "2025-10-30")
POWER_KINDS = {"power_spike", "power_drop", "efficiency_drop", "baseload_increase", "unusual_pattern"}


@pytest.fixture
def leaking(plant: DemoPlant) -> DemoPlant:
    """A compressor with a baseline, and a leak of a night."""
    plant.inject("leak", *LEAK)
    plant.train_baseline("2025-09-22", "2025-10-20")
    return plant


def one(answer: dict[str, Any]) -> dict[str, Any]:
    """The single anomaly of an answer."""
    (anomaly,) = answer["anomalies"]
    assert answer["anomalies_detected"] == 1
    return anomaly


def without_own(anomaly: dict[str, Any]) -> dict[str, Any]:
    """An anomaly but for what is only known of a stored one."""
    return {name: value for name, value in anomaly.items() if name not in ("id", "created_at", "updated_at")}


def test_a_leak_is_one_episode_with_cause_and_cost(leaking: DemoPlant) -> None:
    answer = leaking.detect(*DAYS)

    leak = one(answer)
    assert leak["anomaly_type"] == "baseload_increase"
    assert (leak["severity"], leak["state"], leak["is_resolved"]) == ("critical", "open", False)
    assert (leak["detected_at"], leak["ended_at"]) == (local("2025-10-28T21:00"), local("2025-10-29T06:00"))
    # A quarter of what the compressor usually draws, over nine hours.
    assert leak["energy_kwh"] == pytest.approx(107, rel=0.1)
    assert leak["deviation_percent"] > 0
    # An hour of the day's price, eight of the night's.
    day, _, night = (tariff.rate_per_kwh for tariff in TARIFFS)
    assert (leak["cost"], leak["currency"]) == (
        pytest.approx(leak["energy_kwh"] * (day + 8 * night) / 9, rel=0.02),
        "EUR",
    )
    assert leak["summary"].startswith("Compressor-1 used 11.")
    assert leak["summary"].endswith("EUR): look for a leak or a load left on.")
    assert leak["contributions"][0]["feature"] == "standby_power_kw"
    assert answer["detector"]["has_baseline"]
    assert "pressure_bar_variation_sigma" in answer["detector"]["features"]
    assert (answer["note"], answer["held_back"]) == (None, [])


def test_however_often_and_in_whatever_windows_it_stays_that_one(leaking: DemoPlant) -> None:
    first = one(leaking.detect(*DAYS))
    stored = leaking.stored()
    windows = [DAYS, ("2025-10-29T02:00", "2025-10-29T03:00"), ("2025-10-27T09:00", "2025-10-29T06:00"), DAYS]
    for window in windows:
        assert one(leaking.detect(*window))["id"] == first["id"]
    # Not even touched.
    assert leaking.stored() == stored


def test_hour_by_hour_it_is_opened_extended_and_ended(leaking: DemoPlant) -> None:
    seen = []
    for hour in range(20, 30):
        start, end = (f"2025-10-{28 + each // 24}T{each % 24:02}:00" for each in (hour, hour + 1))
        seen += leaking.detect(start, end)["anomalies"]
    assert len({each["id"] for each in seen}) == 1
    at_once = one(leaking.detect(*DAYS))
    assert at_once["id"] == seen[0]["id"]
    assert at_once["detected_at"] == local("2025-10-28T21:00")
    assert "has used" in seen[-1]["summary"]


def test_what_is_over_is_told_as_such(leaking: DemoPlant) -> None:
    going_on = one(leaking.detect("2025-10-29T02:00", "2025-10-29T05:00"))
    assert (going_on["ended_at"], "so far" in going_on["summary"]) == (None, True)
    assert leaking.detect("2025-10-29T12:00", "2025-10-29T13:00")["anomalies"] == []
    (over,) = leaking.stored()
    assert over["ended_at"] == local("2025-10-29T05:00")
    assert "Compressor-1 used 11." in over["metadata"]["summary"]


def test_at_once_it_is_found_once_and_one_detector_is_trained(leaking: DemoPlant) -> None:
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: leaking.detect(*DAYS), range(3)))
    assert len({one(answer)["id"] for answer in answers}) == 1
    assert len(leaking.stored()) == 1
    assert leaking.database.rows("SELECT count(*) AS n FROM analytics.anomaly_detectors") == [{"n": 1}]


def test_what_isn_t_to_be_kept_is_told_alone(leaking: DemoPlant) -> None:
    told = one(leaking.detect(*DAYS, is_stored=False))
    assert told["id"] is None
    assert leaking.stored() == []
    assert leaking.database.rows("SELECT FROM analytics.anomaly_outbox") == []
    kept = one(leaking.detect(*DAYS))
    assert without_own(kept) == without_own(told)


def test_a_false_alarm_doesn_t_come_back_but_a_real_fault_does(leaking: DemoPlant) -> None:
    leak = one(leaking.detect(*DAYS))
    anomaly_life.resolve(leaking.database, leak["id"], "planner", "A trial.", "false_alarm")

    again = leaking.detect(*DAYS)
    assert again["anomalies"] == []
    (held_back,) = again["held_back"]
    assert (held_back["code"], held_back["anomaly_id"]) == ("false_alarm", leak["id"])
    assert held_back["reason"]

    # The like of it a night later, and something else the day after.
    leaking.inject("leak", "2025-10-29T21:00", 9)
    leaking.inject("spike", "2025-10-31T10:00", 1, 0.8)
    later = leaking.detect("2025-10-29T12:00", "2025-11-01")
    assert [each["anomaly_type"] for each in later["anomalies"]] == ["power_spike"]
    assert [each["code"] for each in later["held_back"]] == ["like_false_alarm"]
    with pytest.raises(ConflictError, match="planner"):
        anomaly_life.resolve(leaking.database, leak["id"], "another", None, "fixed")


def test_in_a_planned_stop_nothing_is_raised(leaking: DemoPlant) -> None:
    anomaly_suppressions.add(
        leaking.database, leaking.detect(*DAYS, is_stored=False)["machine_id"], local("2025-10-28T20:00"),
        local("2025-10-29T08:00"), "Test of the dryer", "planner",
    )  # fmt: skip
    answer = leaking.detect(*DAYS)
    assert (answer["anomalies"], leaking.stored()) == ([], [])
    assert [each["code"] for each in answer["held_back"]] == ["suppressed"]
    assert "Test of the dryer" in answer["held_back"][0]["reason"]


def test_a_gap_is_a_gap_and_no_power_anomaly(plant: DemoPlant) -> None:
    plant.train_baseline("2025-09-22", "2025-10-20")
    plant.inject("gap", "2025-10-30T10:00", 6)
    found = plant.detect("2025-10-29", "2025-11-01")["anomalies"]
    assert {each["anomaly_type"] for each in found} == {"data_gap"}
    gap = found[0]
    # The last reading stands for some minutes more.
    assert (gap["detected_at"], gap["ended_at"]) == (local("2025-10-30T10:15"), local("2025-10-30T16:00"))
    assert (gap["energy_kwh"], gap["cost"]) == (None, None)
    assert gap["summary"].startswith("Compressor-1 reported nothing from 30 Oct 10:15 to 16:00 (5.75 h): ")


def test_when_clocks_go_back_nothing_is_odd(plant: DemoPlant) -> None:
    plant.train_baseline("2025-09-22", "2025-10-20")
    found = plant.detect("2025-10-25T12:00", "2025-10-26T12:00")["anomalies"]
    assert not {each["anomaly_type"] for each in found} & POWER_KINDS


def test_when_clocks_go_forward_nothing_is_odd_either(plant: DemoPlant) -> None:
    found = plant.detect("2026-03-28T12:00", "2026-03-29T12:00", PUMP)["anomalies"]
    assert not {each["anomaly_type"] for each in found} & POWER_KINDS


def test_a_sensor_s_fault_is_told_in_its_own_unit(plant: DemoPlant) -> None:
    plant.inject("pressure", "2025-10-29T09:00", 5)
    found = plant.detect("2025-10-29", "2025-10-30")["anomalies"]
    pressure = next(each for each in found if each["anomaly_type"] == "pressure_anomaly")
    assert pressure["metric_unit"] == "bar"
    assert (pressure["cost"], pressure["energy_kwh"]) == (None, None) or pressure["cost"] is not None
    assert "pressure was restless from 29 Oct 0" in pressure["summary"]


def test_less_contamination_gives_no_more_and_no_budget_no_less(leaking: DemoPlant) -> None:
    def found(**changes: Any) -> int:
        answer = leaking.detect("2025-10-20", "2025-10-30", is_stored=False, **changes)
        return int(answer["anomalies_detected"])

    usual = found()
    assert 1 <= found(contamination=0.001) <= usual
    assert found(contamination=0.5) >= usual
    assert found(with_budget=False) >= usual
