"""Gradient boosting on the load's own past and the calendar: finds what no linear model does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from enms.science.arrays import Positions, Values
from enms.science.forecasting.boosted_trees import BoostedTrees
from enms.science.forecasting.weeks import places_of_week
from enms.science.forecasting.window import Window

_TREES, _LEAVES, _RATE = 80, 12, 0.06
# Each day is learned from at this many origins, so that a forecast may begin at any hour.
_ORIGINS_A_DAY = 3
_LEAST_WEIGHT = 0.5


@dataclass(frozen=True)
class Boosting:
    """Trees that foretell how a day differs from the one, and the week, before; later days go on from it."""

    name: str = "gradient boosting"
    cost: int = 4
    least_days: float = 28.0
    uses_regressors: bool = True

    def fit(self, window: Window) -> "FittedBoosting":
        """Learns from origins all over the window."""
        from sklearn.ensemble import HistGradientBoostingRegressor
        from threadpoolctl import threadpool_limits

        past, day = len(window), window.steps_per_day
        origins = np.arange(past - day, 2 * window.week - 1, -day // _ORIGINS_A_DAY)[::-1]
        table, base_kw, at = _rows(window.power_kw, _known_ahead(window), origins, window, day)
        model = HistGradientBoostingRegressor(
            max_iter=_TREES,
            max_leaf_nodes=_LEAVES,
            learning_rate=_RATE,
            early_stopping=False,
            random_state=0,
        )
        # Weights of rows would take five times as long.
        counts = window.weights[at] >= _LEAST_WEIGHT
        # Threads that wait for each other take longer than a few thousand rows do.
        with threadpool_limits(limits=1, user_api="openmp"):
            model.fit(table[counts], (window.power_kw[at] - base_kw)[counts])
        return FittedBoosting(BoostedTrees.of(model), tuple(window.regressors))

    def load(self, document: Mapping[str, Any]) -> "FittedBoosting":
        """The model of a document."""
        return FittedBoosting(BoostedTrees.from_document(document["trees"]), tuple(document["regressors"]))


@dataclass(frozen=True)
class FittedBoosting:
    """The trees.

    Attributes:
        trees: What they say is a difference in kW.
        regressors: Names of those that were learned from, in order.
    """

    trees: BoostedTrees
    regressors: tuple[str, ...]

    def forecast(self, window: Window) -> Values:
        """The coming days, one from the other, shape (h,)."""
        past, points, day = len(window), window.points, window.steps_per_day
        if past < 2 * window.week:
            # Nothing to tell from: what guards forecasts takes the naive for it.
            return np.full(points, np.nan)
        known = _known_ahead(window, self.regressors)
        power_kw = np.concatenate([window.power_kw, np.zeros(points)])
        for start in range(past, past + points, day):
            steps = min(day, past + points - start)
            table, base_kw, at = _rows(power_kw, known, np.array([start]), window, steps)
            power_kw[at] = base_kw + self.trees.predict(table)
        return power_kw[past:]

    def document(self) -> dict[str, Any]:
        """Its parameters."""
        return {"trees": self.trees.document(), "regressors": list(self.regressors)}


def _known_ahead(window: Window, regressors: tuple[str, ...] | None = None) -> Values:
    """Calendar and regressors of every step, past and to come, shape (n + h, c); NaN where one is missing."""
    names = tuple(window.regressors) if regressors is None else regressors
    missing = np.full(len(window) + window.points, np.nan)
    columns = [window.step_of_day, places_of_week(window) // window.steps_per_day]
    return np.column_stack([*columns, *(window.regressors.get(name, missing) for name in names)]).astype(
        np.float64
    )


def _rows(
    power_kw: Values, known: Values, origins: Positions, window: Window, steps: int
) -> tuple[Values, Values, Positions]:
    """What the steps after some origins are foretold from.

    Returns:
        The table, shape (r, c); what it is a difference from in kW, shape (r,); the steps, shape (r,).
    """
    day, week = window.steps_per_day, window.week
    at = origins[:, None] + np.arange(steps)
    sums = np.concatenate([[0.0], np.cumsum(power_kw)])

    def mean_of(first: int, last: int) -> Values:
        """Mean of the steps so far before the origin."""
        found: Values = (sums[origins - last] - sums[origins - first]) / (first - last)
        return found

    same_time = np.stack([power_kw[at - day * back] for back in range(1, 8)])
    at_origin = (
        power_kw[origins - 1],
        power_kw[origins - 1] - power_kw[origins - 1 - day],
        power_kw[origins - 1] - power_kw[origins - 1 - week],
        mean_of(day, 0),
        mean_of(day, 0) - mean_of(2 * day, day),
        mean_of(week, 0),
    )
    columns = [
        *np.moveaxis(known[at], 2, 0),
        np.broadcast_to(np.arange(steps), at.shape),
        same_time[0],
        same_time[1],
        same_time.mean(axis=0),
        same_time.min(axis=0),
        same_time.max(axis=0),
        same_time[6],
        power_kw[at - 2 * week],
        same_time[0] - same_time[1],
        *(np.broadcast_to(values[:, None], at.shape) for values in at_origin),
    ]
    base_kw: Values = (same_time[0] + same_time[6]) / 2
    return np.stack(columns, axis=-1).reshape(at.size, len(columns)), base_kw.ravel(), at.ravel()
