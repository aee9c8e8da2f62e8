"""A forecast inside its limits."""

from dataclasses import replace

import numpy as np
import pytest
from unit.science.forecasting.plant import plant

from enms.science.forecasting.guards import guarded, highest_kw, seasonal_naive
from enms.science.forecasting.window import Window


def test_what_is_plausible_stays_as_it_is() -> None:
    point = np.linspace(20, 120, 24)
    made = guarded(point, plant())
    assert made.power_kw.tolist() == point.tolist()
    assert made.reason is None


def test_it_is_held_between_zero_and_the_limit() -> None:
    window = plant()
    made = guarded(np.where(np.arange(24) < 12, -5.0, 300.0), window)
    assert made.power_kw[:12].tolist() == [0.0] * 12
    assert made.power_kw[12:].tolist() == [highest_kw(window)] * 12


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e12, -1e12])
def test_what_runs_away_is_replaced_by_the_naive_with_a_reason(value: float) -> None:
    window = plant()
    point = np.full(24, 50.0)
    point[7] = value
    made = guarded(point, window)
    assert made.power_kw.tolist() == seasonal_naive(window).tolist()
    assert made.reason is not None


def test_the_limit_is_above_history_and_what_the_machine_is_built_for() -> None:
    window = plant()
    seen_kw = window.power_kw.max()
    assert highest_kw(replace(window, rated_power_kw=None)) == pytest.approx(1.2 * seen_kw)
    assert highest_kw(replace(window, rated_power_kw=120.0)) == pytest.approx(132.0)
    # A machine that draws more than its plate says is believed.
    assert highest_kw(replace(window, rated_power_kw=50.0)) == pytest.approx(seen_kw)
    assert highest_kw(replace(window, rated_power_kw=9_999.0)) == pytest.approx(1.2 * seen_kw)


def test_a_machine_that_was_off_may_stay_off() -> None:
    window = replace(plant(), power_kw=np.zeros(56 * 24))
    assert guarded(np.zeros(24), window).reason is None
    assert guarded(np.full(24, 3.0), window).reason is not None


def test_the_naive_of_a_short_past_is_the_day_before_or_the_last_value() -> None:
    window = plant(days=3)
    assert seasonal_naive(window).tolist() == window.power_kw[-24:].tolist()
    hours = plant(days=0, end_hour=5)
    assert seasonal_naive(hours).tolist() == [hours.power_kw[-1]] * 24
    nothing = Window(3_600, 0, np.zeros(0), np.zeros(0), 24, np.zeros(24, dtype=bool))
    assert seasonal_naive(nothing).tolist() == [0.0] * 24
