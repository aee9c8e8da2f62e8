"""Each hour of the coming day from the hours of the last one, the weekday, and what else is known ahead."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from enms.science.arrays import Positions, Values
from enms.science.forecasting.linear import robust_ridges
from enms.science.forecasting.weeks import places_of_week
from enms.science.forecasting.window import Window

_LEAST_WEIGHT = 1e-6


@dataclass(frozen=True)
class _Memory:
    """How a regression learns.

    Attributes:
        penalty: How far coefficients are shrunk.
        weekday_scale: How freely a weekday may differ, against what the last day's steps may do.
        half_life_days: How old a day is that counts half as much as the last.
    """

    penalty: float
    weekday_scale: float
    half_life_days: float


# One believes what it learned long ago, the other shrinks what it learned of late. Their mean errs less
# than either, as Hubicka, Marcjasz & Weron (2019) found of means over windows of calibration.
_MEMORIES = (_Memory(0.03, 3.0, 50.0), _Memory(0.1, 1.5, 14.0))
# How old a week is that counts half as much as the last, for the usual day from which all is counted.
_LEVEL_HALF_LIFE_WEEKS = 2.0


@dataclass(frozen=True)
class DynamicRegression:
    """One ridge regression for each step of a day; further days go on from the day before.

    The form of Uniejewski, Nowotarski & Weron (2016), Automated variable selection and shrinkage for
    day-ahead electricity price forecasting, for a load and with Huber's weights. Its equations, a few dozen
    rows each, are solved anew at every origin: milliseconds, and the origin may be at any hour.
    """

    name: str = "dynamic regression"
    cost: int = 2
    least_days: float = 14.0
    uses_regressors: bool = True

    def fit(self, window: Window) -> "DynamicRegression":
        """Itself."""
        return self

    def load(self, document: dict[str, Any]) -> "DynamicRegression":
        """Itself."""
        return self

    def document(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def forecast(self, window: Window) -> Values:
        """The coming days, one from the other, shape (h,)."""
        past = len(window)
        if past < 2 * window.steps_per_day:
            # Nothing to tell from: what guards forecasts takes the naive for it.
            return np.full(window.points, np.nan)
        usual_kw = _usual_day(window)[window.step_of_day]
        off_kw = window.power_kw - usual_kw[:past]
        unit_kw = (
            float(np.sqrt(np.average(off_kw**2, weights=window.weights + _LEAST_WEIGHT))) + _LEAST_WEIGHT
        )
        off = np.concatenate([off_kw / unit_kw, np.zeros(window.points)])
        coming = np.mean([_coming(window, off, memory) for memory in _MEMORIES], axis=0)
        made: Values = usual_kw[past:] + unit_kw * coming
        return made


def _usual_day(window: Window) -> Values:
    past, day = len(window), window.steps_per_day
    age_weeks = np.arange(past)[::-1] / window.week
    weights = (window.weights + _LEAST_WEIGHT) * 0.5 ** (age_weeks / _LEVEL_HALF_LIFE_WEEKS)
    places = window.step_of_day[:past]
    usual: Values = np.bincount(places, weights * window.power_kw, day)
    return usual / np.bincount(places, weights, day)


def _coming(window: Window, off: Values, memory: _Memory) -> Values:
    """What the coming steps differ from the usual day, as `off` has the past ones, shape (h,)."""
    past, day = len(window), window.steps_per_day
    off, end = off.copy(), past + window.points
    known = _known_ahead(window, memory.weekday_scale)
    origins = np.arange(past - day, day - 1, -day)[::-1]
    at = (origins[:, None] + np.arange(day)).T
    counts = (window.weights[at] + _LEAST_WEIGHT) * 0.5 ** ((past - origins) / day / memory.half_life_days)
    found = robust_ridges(_rows(off, known, origins, day, day), off[at], counts, memory.penalty)
    for start in range(past, end, day):
        steps = min(day, end - start)
        row = _rows(off, known, np.array([start]), steps, day)[:, 0]
        off[start : start + steps] = (row * found[:steps]).sum(axis=1)
    return off[past:]


def _known_ahead(window: Window, weekday_scale: float) -> Values:
    """What is known of every step, past and to come, shape (n + h, c)."""
    day = window.steps_per_day
    columns = [np.eye(7)[places_of_week(window) // day] * weekday_scale]
    for values in window.regressors.values():
        scaled = (values - values.mean()) / (values.std() + _LEAST_WEIGHT)
        # Beside the value its change from the day before, whose load is known.
        before = np.concatenate([scaled[:day], scaled[:-day]])
        columns.append(np.column_stack([scaled, scaled - before]))
    return np.concatenate(columns, axis=1)


def _rows(off: Values, known: Values, origins: Positions, steps: int, per_day: int) -> Values:
    """What the steps after some origins are foretold from, shape (steps, origins, p)."""
    last_day = off[origins[:, None] - np.arange(1, per_day + 1)]
    at = origins + np.arange(steps)[:, None]
    return np.concatenate([np.broadcast_to(last_day, (steps, *last_day.shape)), known[at]], axis=2)
