"""Challenger against champion: on the same recent intervals, which neither may have an edge in."""

import numpy as np
import pytest

from enms.science.arrays import Values
from enms.science.baseline.challenge import challenge, recent_rows
from enms.science.baseline.observations import Interval, Observations


def _data(interval: Interval = "hour", count: int = 2000) -> Observations:
    return Observations(interval, 1000 + np.arange(count), np.full(count, 10.0))


def _off(data: Observations, by: float) -> Values:
    return data.energy_kwh + by


@pytest.mark.parametrize(
    ("interval", "new", "rows"),
    [("hour", 120, 120), ("hour", 119, 14 * 24), ("hour", 0, 14 * 24), ("day", 5, 5), ("day", 4, 14)],
)
def test_what_is_new_to_both_decides_else_the_last_two_weeks(interval: Interval, new: int, rows: int) -> None:
    data = _data(interval)
    decides = recent_rows(data, int(data.positions[-1]) + 1 - new)
    assert decides.sum() == rows
    assert decides[-rows:].all()


@pytest.mark.parametrize(("challenger", "is_won"), [(1.9, True), (2.0, True), (2.1, False)])
def test_no_worse_is_good_enough(challenger: float, *, is_won: bool) -> None:
    data = _data()
    rows = recent_rows(data, 10**6)
    found = challenge(data, rows, _off(data, -2.0), _off(data, challenger))
    assert found.is_won is is_won
    assert found.intervals == 14 * 24
    assert found.champion_rmse == pytest.approx(2.0)
    assert found.challenger_rmse == pytest.approx(challenger)


def test_only_what_both_can_predict_is_compared() -> None:
    data = _data()
    rows = recent_rows(data, 10**6)
    champion, challenger = _off(data, 2.0), _off(data, 1.0)
    champion[-10:], challenger[-20:-10] = np.nan, np.nan
    challenger[-10:] = 1e6
    found = challenge(data, rows, champion, challenger)
    assert found.intervals == 14 * 24 - 20
    assert found.is_won


def test_a_champion_that_predicts_nothing_loses() -> None:
    data = _data()
    found = challenge(data, recent_rows(data, 10**6), np.full(2000, np.nan), _off(data, 5.0))
    assert (found.champion_rmse, found.challenger_rmse) == (None, pytest.approx(5.0))
    assert found.is_won


@pytest.mark.parametrize("champion", [2.0, np.nan])
def test_a_challenger_that_predicts_nothing_never_wins(champion: float) -> None:
    data = _data()
    found = challenge(data, recent_rows(data, 10**6), _off(data, champion), np.full(2000, np.nan))
    assert found.intervals == 0
    assert not found.is_won
