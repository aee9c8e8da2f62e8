"""Lasting changes: found where they are, and not where there is only noise, memory or a single day."""

import numpy as np
import pytest
from scipy.signal import lfilter

from enms.science.arrays import Values
from enms.science.baseline.change_points import cusum, daily_sums, lasting_changes


def _days(random: np.random.Generator, count: int, rho: float) -> Values:
    """Noise of standard deviation 1."""
    noise = random.standard_normal(count + 100) * np.sqrt(1 - rho**2)
    values: Values = lfilter([1.0], [1.0, -rho], noise)[100:]
    return values


def test_cumulative_sum_passes_over_unjudged_days() -> None:
    np.testing.assert_array_equal(cusum(np.array([1.0, np.nan, -3.0, 2.0])), [1, 1, -2, 0])


def test_a_change_is_found_on_its_day_with_its_size() -> None:
    days = 5 * _days(np.random.default_rng(1), 90, 0.3) - 3
    days[45:] += 20
    (found,) = lasting_changes(days)
    assert abs(found.index - 45) <= 1
    assert found.size_kwh_per_day == pytest.approx(20, abs=3)
    assert found.before_kwh_per_day == pytest.approx(-3, abs=2.5)
    assert found.after_kwh_per_day - found.before_kwh_per_day == pytest.approx(found.size_kwh_per_day)
    assert found.p_value <= 0.002


def test_several_changes_are_found_in_order() -> None:
    days = _days(np.random.default_rng(2), 240, 0.3)
    days[80:160] += 4
    days[160:] -= 3
    first, second = lasting_changes(days)
    assert abs(first.index - 80) <= 2
    assert abs(second.index - 160) <= 2
    assert first.size_kwh_per_day > 0 > second.size_kwh_per_day


def test_unjudged_days_keep_the_calendar() -> None:
    days = _days(np.random.default_rng(3), 100, 0.0)
    days[60:] += 5
    days[[3, 4, 5, 30, 59, 70]] = np.nan
    (found,) = lasting_changes(days)
    assert found.index == 60


def test_a_period_that_is_shifted_throughout_has_no_change_inside() -> None:
    random = np.random.default_rng(4)
    found = [lasting_changes(50 + _days(random, 60, 0.3)) for _ in range(20)]
    assert sum(map(bool, found)) <= 1


def test_one_outlying_day_is_no_lasting_change() -> None:
    random = np.random.default_rng(5)
    changes = 0
    for day in range(0, 90, 3):
        days = _days(random, 90, 0.3)
        days[day] += 15
        changes += bool(lasting_changes(days))
    assert changes <= 2


def test_one_outlying_day_doesn_t_hide_a_change() -> None:
    days = _days(np.random.default_rng(6), 90, 0.3)
    days[45:] += 3
    days[70] -= 40
    (found,) = lasting_changes(days)
    assert abs(found.index - 45) <= 2
    assert found.size_kwh_per_day == pytest.approx(3, abs=0.8)


@pytest.mark.parametrize(("count", "rho"), [(60, 0.0), (90, 0.6)])
def test_false_alarms_are_as_rare_as_stated(count: int, rho: float) -> None:
    random = np.random.default_rng([count, int(10 * rho)])
    alarms = sum(bool(lasting_changes(_days(random, count, rho))) for _ in range(100))
    # One is expected; docs/adr/0005 has the rates of 1 000 runs.
    assert alarms <= 4


@pytest.mark.parametrize(("rho", "size", "least"), [(0.0, 1.5, 0.8), (0.3, 2.0, 0.8), (0.6, 3.0, 0.6)])
def test_changes_are_found_about_when_they_began(rho: float, size: float, least: float) -> None:
    random = np.random.default_rng([7, int(10 * rho)])
    found = []
    for _ in range(15):
        days = _days(random, 90, rho)
        days[45:] += size
        found += [change.index for change in lasting_changes(days)[:1]]
    assert len(found) / 15 >= least
    assert np.median(np.abs(np.array(found) - 45)) <= 4


@pytest.mark.parametrize(
    "days",
    [
        np.zeros(0),
        np.full(80, np.nan),
        np.zeros(80),
        np.full(80, 5.1),
        np.arange(20.0),
    ],
    ids=["none", "unjudged", "zeros", "constant", "too few"],
)
def test_nothing_to_tell_gives_no_change(days: Values) -> None:
    assert lasting_changes(days) == []


def test_a_step_without_noise_is_found_once() -> None:
    (found,) = lasting_changes(np.repeat([0.0, 1.0], 40))
    assert (found.index, found.size_kwh_per_day) == (40, 1.0)


def test_the_unit_makes_no_difference() -> None:
    days = _days(np.random.default_rng(8), 90, 0.3)
    days[30:] += 2
    (one,), (thousand,) = lasting_changes(days), lasting_changes(1000 * days)
    assert (thousand.index, thousand.p_value) == (one.index, one.p_value)
    assert thousand.size_kwh_per_day == pytest.approx(1000 * one.size_kwh_per_day)


def test_a_state_lasts_at_least_so_many_days() -> None:
    days = _days(np.random.default_rng(9), 90, 0.0)
    days[-5:] += 8
    found = lasting_changes(days, min_days=14)
    assert all(change.index <= 90 - 14 for change in found)


def test_days_are_scaled_to_their_hours_where_enough_is_there() -> None:
    # The first day whole, three quarters of the second, less of the third; the fourth has 25 hours, the
    # fifth nothing.
    days = np.repeat([0, 1, 2, 3], [24, 18, 17, 24])
    sums = daily_sums(days, np.ones(len(days)), np.array([24.0, 24.0, 24.0, 25.0, 24.0]))
    np.testing.assert_allclose(sums, [24, 24, np.nan, 25, np.nan])
