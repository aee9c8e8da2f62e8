"""A plant whose weeks are known: two shifts on working days, a base load, and noise."""

from dataclasses import replace

import numpy as np

from enms.science.arrays import Values
from enms.science.forecasting.window import Window

# A Monday.
FIRST_STEP = 24 * 18_001
BASE_KW, SHIFT_KW = 20.0, 100.0


def plant(days: int = 56, points: int = 24, noise_kw: float = 3.0, end_hour: int = 0) -> Window:
    """Its last days, up to an hour of the day."""
    hours = 24 * days + end_hour + points
    steps = np.arange(FIRST_STEP, FIRST_STEP + hours)
    empty = Window(3_600, FIRST_STEP, np.zeros(0), np.zeros(0), hours, np.zeros(hours, dtype=bool))
    power_kw = usual(empty) + noise_kw * np.random.default_rng(7).standard_normal(len(steps))
    return Window(
        3_600, FIRST_STEP, power_kw, np.ones(hours), 0, np.zeros(hours, dtype=bool), rated_power_kw=200.0
    ).until(hours - points, points)


def usual(window: Window) -> Values:
    """What the plant needs without noise, past and to come."""
    works = (window.weekday < 5) & (window.step_of_day >= 6) & (window.step_of_day < 22)
    return BASE_KW + SHIFT_KW * works


def with_garbage(window: Window, first: int, last: int) -> Window:
    """Some steps are nonsense, and flagged."""
    power_kw, weights = window.power_kw.copy(), window.weights.copy()
    power_kw[first:last] = 170.0
    weights[first:last] = 0.0
    return replace(window, power_kw=power_kw, weights=weights)
