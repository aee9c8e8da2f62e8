"""Exponential smoothing of a weekly profile and of a deviation from it that dies out.

With s the profile by place in the week, d the deviation and e what a step brought beyond its forecast:

    forecast of y[t + h] = s[place] + damping^h d[t]
    d[t + 1] = damping d[t] + deviation gain × e
    s[place] += profile gain × e

Without damping it is the additive Holt-Winters method without a trend; with it SARIMA(1, 0, 1)(0, 1, 1) by
its innovations (Hyndman, Koehler, Ord & Snyder 2008, Forecasting with Exponential Smoothing). Its parameters
are those of a grid whose forecasts over the whole horizon erred least. A public holiday moves a share of the
way to the week's quietest day, learned from holidays past; neither holidays nor steps that aren't to be
learned from move the profile or the deviation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from enms.science.arrays import Values
from enms.science.forecasting.window import Window
from enms.science.problems import UnfitError

_DAMPINGS = (0.0, 0.5, 0.8, 0.9, 0.97, 1.0)
_DEVIATION_GAINS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.8)
_PROFILE_GAINS = (0.02, 0.05, 0.1, 0.2, 0.35)
_GRID = np.array(list(product(_DAMPINGS, _DEVIATION_GAINS, _PROFILE_GAINS)))
_FIRST_WEEKS = 4
# Forecasts are judged from here on: before it they show how the profile began.
_MOST_WARM_WEEKS = 8
# What is believed of holidays before any was seen, and for how many it counts.
_HOLIDAY_SHARE, _HOLIDAY_BELIEF = 0.5, 2.0


@dataclass(frozen=True)
class ExponentialSmoothing:
    """A weekly profile with a damped deviation, learned from the past only."""

    name: str = "exponential smoothing"
    cost: int = 2
    least_days: float = 35.0
    uses_regressors: bool = False

    def fit(self, window: Window) -> "FittedExponential":
        """Takes the parameters that erred least over the horizon.

        Raises:
            UnfitError: No step tells.
        """
        past = len(window)
        begin = min(_MOST_WARM_WEEKS * window.week, past // 3)
        known = window.weights * ~window.is_holiday[:past]
        losses = np.zeros(len(_GRID))

        def judge(at: int, forecast: Values) -> None:
            if begin <= at <= past - window.points:
                off = np.abs(forecast - window.power_kw[at : at + window.points])
                losses[:] += off @ known[at : at + window.points]

        _follow(window, _GRID, judge)
        if not losses.any():
            raise UnfitError("little-history", "No step tells how fast a weekly profile changes.")
        return FittedExponential(*_GRID[int(losses.argmin())].tolist())

    def load(self, document: dict[str, Any]) -> "FittedExponential":
        """The model of a document."""
        return FittedExponential(
            float(document["damping"]), float(document["deviation_gain"]), float(document["profile_gain"])
        )


@dataclass(frozen=True)
class FittedExponential:
    """How fast profile and deviation follow.

    Attributes:
        damping: What a step leaves of the deviation.
        deviation_gain: How far the deviation takes over what a step brought.
        profile_gain: How far the profile does.
    """

    damping: float
    deviation_gain: float
    profile_gain: float

    def forecast(self, window: Window) -> Values:
        """Mean power of the steps to come, shape (h,): the past is followed to its end."""
        if len(window) < window.week:
            return np.full(window.points, np.nan)
        parameters = np.array([[self.damping, self.deviation_gain, self.profile_gain]])
        forecast: Values = _follow(window, parameters)[0]
        return forecast

    def document(self) -> dict[str, Any]:
        """Its parameters."""
        return {
            "damping": self.damping,
            "deviation_gain": self.deviation_gain,
            "profile_gain": self.profile_gain,
        }


def _follow(
    window: Window, parameters: Values, at_each: Callable[[int, Values], None] | None = None
) -> Values:
    """Forecasts from the window's end by each row of parameters, shape (g, h).

    Args:
        window: The past.
        parameters: Damping, gain of the deviation, gain of the profile; shape (g, 3).
        at_each: Told the place and the forecasts of every step of the past, shape (g, h).
    """
    damping, deviation_gain, profile_gain = parameters.T
    past, points, place = len(window), window.points, window.step_of_week
    fading = damping[:, None] ** np.arange(1, points + 1)
    profile = np.tile(_first_profile(window), (len(parameters), 1))
    deviation = np.zeros(len(parameters))
    holidays = _Holidays(len(parameters), float(window.power_kw.var()))
    for at in range(past):
        own = place[at]
        if at_each is not None:
            coming = place[at : at + points]
            usual = profile[:, coming] + fading * deviation[:, None]
            at_each(at, holidays.applied(usual, profile, window.is_holiday[at : at + points]))
        expected = profile[:, own] + damping * deviation
        if window.is_holiday[at]:
            holidays.learn(window.power_kw[at], expected, profile[:, own], profile, window.weights[at])
            deviation = damping * deviation
            continue
        brought = window.weights[at] * (window.power_kw[at] - expected)
        deviation = damping * deviation + deviation_gain * brought
        profile[:, own] += profile_gain * brought
    usual = profile[:, place[past:]] + fading * deviation[:, None]
    return holidays.applied(usual, profile, window.is_holiday[past:])


class _Holidays:
    """How far holidays come down to the quietest of the week: least squares with a belief to begin with."""

    def __init__(self, rows: int, variance: float) -> None:
        self._squares = np.full(rows, _HOLIDAY_BELIEF * variance)
        self._products = _HOLIDAY_SHARE * self._squares

    def learn(self, power_kw: float, expected: Values, own: Values, profile: Values, weight: float) -> None:
        """Takes a holiday that came, each argument but the first and the last by row."""
        way = profile.min(axis=1) - own
        self._squares += weight * way**2
        self._products += weight * way * (power_kw - expected)

    def applied(self, usual: Values, profile: Values, is_holiday: np.ndarray) -> Values:
        """Forecasts with their holidays, shape (g, h)."""
        if not is_holiday.any():
            return usual
        share = self._products / np.where(self._squares > 0, self._squares, 1)
        way = np.minimum(profile.min(axis=1)[:, None] - usual, 0)
        return usual + is_holiday * share[:, None] * way


def _first_profile(window: Window) -> Values:
    """Mean by place in the week over the first weeks; where none was seen, the mean of those that were."""
    first = min(_FIRST_WEEKS * window.week, len(window))
    place = window.step_of_week[:first]
    weights = window.weights[:first] * ~window.is_holiday[:first] + 1e-9
    power_kw = window.power_kw[:first]
    counts = np.bincount(place, weights, window.week)
    sums = np.bincount(place, weights * power_kw, window.week)
    mean = float((weights * power_kw).sum() / weights.sum())
    return np.where(counts > 0, sums / np.where(counts > 0, counts, 1), mean)
