"""Intervals that a baseline must not learn from: each rule, which goes first, and what rests by nature."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from enms.science.baseline.observations import Category, Observations
from enms.science.baseline.refusals import (
    Judged,
    Quality,
    flat_lines,
    judge,
    without_faults,
    without_rare_levels,
)

COUNT = 400


def _data() -> Observations:
    random = np.random.default_rng(21)
    return Observations(
        "hour",
        np.arange(COUNT),
        random.uniform(10, 20, COUNT),
        {
            "production_count": random.integers(0, 50, COUNT).astype(np.float64),
            "outdoor_temp_c": random.normal(15, 5, COUNT),
        },
        {"shift": Category(("a", "b", "c"), np.arange(COUNT) % 2)},
    )


def _quality() -> Quality:
    ones = np.ones(COUNT)
    return Quality(ones.copy(), 0 * ones, 0 * ones, np.full(COUNT, np.nan), 30.0, ones)


def _judge(data: Observations, quality: Quality, drivers: Sequence[str] = ()) -> Judged:
    return judge(data, quality, drivers, least_coverage=0.9, most_maintenance=0.25)


def _codes(judged: Judged) -> list[tuple[str, str | None, int]]:
    return [(each.code, each.driver, each.count) for each in judged.refusals]


def test_sound_intervals_are_all_usable() -> None:
    judged = _judge(_data(), _quality(), ["production_count", "outdoor_temp_c", "shift"])
    assert judged.usable.all()
    assert judged.refusals == ()
    assert (judged.reason == -1).all()


@pytest.mark.parametrize(
    ("field", "refused", "kept", "code"),
    [
        ("covered_share", 0.89, 0.9, "incomplete"),
        ("spread_share", 0.11, 0.1, "catch_up"),
        ("flat_share", 0.51, 0.5, "flat_meter"),
        ("maintenance_share", 0.26, 0.25, "maintenance"),
    ],
)
def test_shares_are_refused_beyond_their_limit(field: str, refused: float, kept: float, code: str) -> None:
    quality = _quality()
    getattr(quality, field)[7:9] = refused, kept
    judged = _judge(_data(), quality)
    assert _codes(judged) == [(code, None, 1)]
    assert np.flatnonzero(~judged.usable).tolist() == [7]


def test_energy_has_to_be_known_and_possible() -> None:
    data = _data()
    # Rated power 30 kW: in an hour at most 45 kWh.
    data.energy_kwh[:6] = [np.nan, np.inf, -0.1, 45.1, 45.0, 0.0]
    judged = _judge(data, _quality())
    assert _codes(judged) == [("no_energy", None, 2), ("impossible_energy", None, 2)]
    assert judged.reason[:6].tolist() == [0, 0, 1, 1, -1, -1]


def test_a_long_day_may_use_more() -> None:
    data = replace(_data(), interval="day")
    data.energy_kwh[:] = 1100.0
    quality = replace(_quality(), hours=np.full(COUNT, 24.0))
    quality.hours[3] = 25.0
    judged = _judge(data, quality)
    assert np.flatnonzero(judged.usable).tolist() == [3]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (np.nan, "missing_driver"),
        (np.inf, "impossible_driver"),
        (-np.inf, "impossible_driver"),
        (-61.0, "impossible_driver"),
        (99.9, "impossible_driver"),
    ],
)
def test_values_that_cannot_be_are_refused(value: float, code: str) -> None:
    data = _data()
    data.drivers["outdoor_temp_c"][11] = value
    judged = _judge(data, _quality(), ["outdoor_temp_c"])
    assert _codes(judged) == [(code, "outdoor_temp_c", 1)]
    assert _judge(data, _quality(), ["production_count"]).usable.all()


def test_an_unknown_level_is_missing() -> None:
    data = _data()
    data.categories["shift"].codes[5] = -1
    assert _codes(_judge(data, _quality(), ["shift"])) == [("missing_driver", "shift", 1)]


def test_the_first_reason_counts_and_each_interval_once() -> None:
    data, quality = _data(), _quality()
    data.energy_kwh[:2] = np.nan
    quality.covered_share[1:4] = 0
    quality.maintenance_share[3:6] = 1
    data.drivers["outdoor_temp_c"][5:7] = np.nan
    judged = _judge(data, quality, ["outdoor_temp_c"])
    assert _codes(judged) == [
        ("no_energy", None, 2),
        ("incomplete", None, 2),
        ("maintenance", None, 2),
        ("missing_driver", "outdoor_temp_c", 1),
    ]
    assert judged.reason[:8].tolist() == [0, 0, 1, 1, 2, 2, 3, -1]
    assert sum(each.count for each in judged.refusals) == (~judged.usable).sum()


def test_texts_name_the_limits_and_the_driver() -> None:
    quality = _quality()
    quality.covered_share[0] = 0
    data = _data()
    data.drivers["outdoor_temp_c"][1] = np.nan
    texts = [each.text for each in _judge(data, quality, ["outdoor_temp_c"]).refusals]
    assert texts == ["less than 90% of it has readings", "outdoor_temp_c wasn't recorded"]


def test_a_stuck_sensor_is_refused_after_its_first_value() -> None:
    data = _data()
    data.drivers["outdoor_temp_c"][50:60] = 12.5
    judged = _judge(data, _quality(), ["outdoor_temp_c"])
    assert np.flatnonzero(~judged.usable).tolist() == list(range(51, 60))
    assert judged.refusals[0].code == "flat_driver"


def test_a_count_may_stand_still() -> None:
    data = _data()
    data.drivers["production_count"][50:90] = 30.0
    assert _judge(data, _quality(), ["production_count"]).usable.all()


@pytest.mark.parametrize(("length", "is_flat"), [(5, False), (6, True)])
def test_six_equal_hours_make_a_flat_line(length: int, is_flat: bool) -> None:
    values = np.random.default_rng(22).normal(size=300)
    values[100 : 100 + length] = 3.3
    assert flat_lines(values, 6).sum() == (length - 1 if is_flat else 0)


def test_what_often_repeats_rests_by_nature() -> None:
    random = np.random.default_rng(23)
    set_point = np.repeat(random.choice([5.0, 6.0, 7.0], 200), 2)
    set_point[100:120] = 6.5
    assert not flat_lines(set_point, 6).any()


def test_a_sensor_that_is_stuck_for_most_of_the_time_is_no_set_point() -> None:
    values = np.random.default_rng(24).normal(size=1000)
    values[200:900] = 21.0
    assert flat_lines(values, 6).sum() == 699


def test_zero_is_rest_and_unknown_is_not_a_repeat() -> None:
    values = np.random.default_rng(25).normal(size=200)
    values[20:60] = 0.0
    values[100:140] = np.nan
    assert not flat_lines(values, 6).any()


@pytest.mark.parametrize("values", [[], [1.0], [2.0] * 50])
def test_nothing_to_compare_with_is_not_flat(values: list[float]) -> None:
    # A series that never changes is constant, which is refused by name elsewhere.
    assert not flat_lines(np.array(values), 6).any()


def test_a_level_that_occurs_once_is_refused() -> None:
    data = _data()
    data.categories["shift"].codes[9] = 2
    judged = without_rare_levels(_judge(data, _quality(), ["shift"]), data, ["shift"])
    assert _codes(judged) == [("rare_level", "shift", 1)]
    assert np.flatnonzero(~judged.usable).tolist() == [9]


def test_a_level_left_alone_by_other_refusals_is_rare_too() -> None:
    data, quality = _data(), _quality()
    data.categories["shift"].codes[9:11] = 2
    quality.covered_share[10] = 0
    judged = without_rare_levels(_judge(data, quality, ["shift"]), data, ["shift"])
    assert _codes(judged) == [("incomplete", None, 1), ("rare_level", "shift", 1)]


def test_faults_are_unknown_where_drivers_are_chosen() -> None:
    data = _data()
    data.drivers["outdoor_temp_c"][:3] = [-999.0, np.inf, 15.0]
    data.drivers["outdoor_temp_c"][50:60] = 12.5
    sound = without_faults(data)
    lost = np.flatnonzero(~np.isfinite(sound.drivers["outdoor_temp_c"]))
    assert lost.tolist() == [0, 1, *range(51, 60)]
    np.testing.assert_array_equal(sound.drivers["production_count"], data.drivers["production_count"])
    assert np.isinf(data.drivers["outdoor_temp_c"][1])
