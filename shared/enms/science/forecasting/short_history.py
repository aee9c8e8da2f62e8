"""Forecasts from hours or days of readings, too few to prove a model by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from enms.science.arrays import Positions, Values
from enms.science.forecasting.conformal import MOST_ERRORS, PastErrors
from enms.science.forecasting.window import Window

# From so many days on a step is as it was at that time of the day, or of the week.
DAYS_OF_PROFILE, DAYS_OF_WEEKLY_PROFILE = 2, 14
# What persists is the mean of the last eighth of a day; of daily steps, of the last week.
_LAST_SHARE_OF_DAY, _LAST_DAYS = 8, 7
# Errors of so little history are made wider: by half of them after four days, by nearly none after weeks.
_WIDENED_DAYS = 2.0
_LEAST_SHARE = 0.25
_ORIGINS = 30


@dataclass(frozen=True)
class FewDays:
    """The mean of the same time of the week, of the day, or of the last hours, as far as the past reaches."""

    name: str = "profile of few days"
    cost: int = 1
    least_days: float = 0.0
    uses_regressors: bool = False

    def fit(self, window: Window) -> "FewDays":
        """Itself: it has nothing to learn."""
        return self

    def load(self, document: Mapping[str, Any]) -> "FewDays":
        """Itself."""
        return self

    def document(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def forecast(self, window: Window) -> Values:
        """Mean power of the steps to come, shape (h,)."""
        past, day = len(window), window.steps_per_day
        if past >= DAYS_OF_WEEKLY_PROFILE * day:
            return _profile(window, window.step_of_week, window.week)
        if past >= DAYS_OF_PROFILE * day and day > 1:
            return _profile(window, window.step_of_day, day)
        last = max(day // _LAST_SHARE_OF_DAY, 1) if day > 1 else _LAST_DAYS
        return np.full(window.points, window.power_kw[-last:].mean())


FEW_DAYS = FewDays()


def what_is_missing(window: Window, needed_days: float) -> str:
    """In plain words: how much there is, what is forecast by it, and how much a model needs."""
    hours = len(window) * window.step_seconds / 3600
    there = f"{hours:.0f} hours" if hours < 24 * DAYS_OF_PROFILE else f"{hours / 24:.0f} days"
    if hours < 24 * DAYS_OF_PROFILE:
        by = f"The last readings' mean is carried on; a daily profile needs {DAYS_OF_PROFILE} days"
    elif hours < 24 * DAYS_OF_WEEKLY_PROFILE:
        by = "The days' mean profile stands"
    else:
        by = "The weeks' mean profile stands"
    return f"There are {there} of readings. {by}; a model is proven from {needed_days:.0f} days on."


def errors_of_few_days(window: Window, points: int) -> PastErrors:
    """How far the profile of few days was off so far, widened for how little that is."""
    past, count = len(window), min(MOST_ERRORS // (2 * points), _ORIGINS)
    first = max(past // 4, 1)
    origins: Positions = np.unique(np.linspace(first, past - 1, count).astype(np.int64))
    origins = origins[(origins >= first) & (origins < past)]
    said = np.full((len(origins), points), np.nan)
    errors = said.copy()
    for row, origin in enumerate(origins.tolist()):
        said[row] = FEW_DAYS.forecast(_until(window, origin, points))
        came = window.power_kw[origin : origin + points]
        errors[row, : len(came)] = came - said[row, : len(came)]
    days = past / window.steps_per_day
    widened = 1 + _WIDENED_DAYS / days
    # A load that stood still for hours is not known to stand still for ever.
    least_kw = _LEAST_SHARE * float(window.power_kw.mean()) / days
    spread = least_kw * np.linspace(-1, 1, count)[:, None] * np.ones(points)
    level = np.full_like(spread, window.power_kw.mean())
    apart = np.arange(count, 0, -1, dtype=np.int64)
    origin_steps = window.first_step + origins
    return PastErrors(
        np.concatenate([window.first_step + past - apart, origin_steps]),
        np.concatenate([level, said]),
        np.concatenate([spread, widened * errors]),
    )


def _profile(window: Window, places: Positions, count: int) -> Values:
    past = len(window)
    weights = window.weights + 1e-6
    sums = np.bincount(places[:past], weights * window.power_kw, count)
    profile = sums / np.maximum(np.bincount(places[:past], weights, count), 1e-12)
    forecast: Values = profile[places[past:]]
    return forecast


def _until(window: Window, origin: int, points: int) -> Window:
    """The window at an origin whose steps to come may reach beyond what the window has."""
    return Window(
        window.step_seconds,
        window.first_step,
        window.power_kw[:origin],
        window.weights[:origin],
        points,
        np.zeros(origin + points, dtype=np.bool_),
    )
