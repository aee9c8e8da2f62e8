"""Gradient boosting for the next few steps: how far they will be from the last one."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from enms.science.arrays import Positions, Values
from enms.science.forecasting.boosted_trees import BoostedTrees
from enms.science.forecasting.candidates.autoregression import lagged_inputs, steps_needed
from enms.science.forecasting.window import Window
from enms.science.problems import UnfitError

_TREES, _LEAVES, _RATE, _BINS = 60, 15, 0.12, 64
_LEAST_ROWS = 500
# Each lead has rows of its own: for a day they would be too many.
_MOST_LEADS = 8


@dataclass(frozen=True)
class ShortBoosting:
    """Trees on the lags that the autoregression has, with lead, time of day and weekday."""

    name: str = "gradient boosting"
    cost: int = 5
    least_days: float = 14.0
    uses_regressors: bool = False

    def fit(self, window: Window) -> "FittedShortBoosting":
        """Learns from every origin of the window, all leads in one model.

        Raises:
            UnfitError: There are too few rows, or too many steps to come.
        """
        from sklearn.ensemble import HistGradientBoostingRegressor
        from threadpoolctl import threadpool_limits

        if window.points > _MOST_LEADS:
            raise UnfitError("far-ahead", f"It looks {_MOST_LEADS} steps ahead, not {window.points}.")
        origins = np.arange(steps_needed(window), len(window) - window.points + 1)
        if np.count_nonzero(window.weights[origins]) < _LEAST_ROWS:
            raise UnfitError("little-history", "Too few steps count for gradient boosting.")
        at = np.concatenate([origins + lead for lead in range(window.points)])
        model = HistGradientBoostingRegressor(
            max_iter=_TREES,
            max_leaf_nodes=_LEAVES,
            learning_rate=_RATE,
            max_bins=_BINS,
            early_stopping=False,
            random_state=0,
        )
        table = _table(window.power_kw, origins, window, window.points)
        beyond_kw = window.power_kw[at] - np.tile(window.power_kw[origins - 1], window.points)
        # On so few rows threads wait for each other longer than they work.
        with threadpool_limits(1):
            model.fit(table, beyond_kw, window.weights[at])
        return FittedShortBoosting(BoostedTrees.of(model), window.points)

    def load(self, document: dict[str, Any]) -> "FittedShortBoosting":
        """The model of a document."""
        return FittedShortBoosting(BoostedTrees.from_document(document["trees"]), int(document["leads"]))


@dataclass(frozen=True)
class FittedShortBoosting:
    """The trees.

    Attributes:
        trees: What they say is a difference from the last step in kW.
        leads: How many steps ahead they know.
    """

    trees: BoostedTrees
    leads: int

    def forecast(self, window: Window) -> Values:
        """Mean power of the steps to come, shape (h,); of more steps it goes on from the first."""
        past = len(window)
        if past < steps_needed(window.until(past, self.leads)):
            return np.full(window.points, np.nan)
        made = window.power_kw
        while len(made) < past + window.points:
            table = _table(made, np.array([len(made)]), window, self.leads)
            made = np.concatenate([made, made[-1] + self.trees.predict(table)])
        return made[past : past + window.points]

    def document(self) -> dict[str, Any]:
        """Its parameters."""
        return {"trees": self.trees.document(), "leads": self.leads}


def _table(power_kw: Values, origins: Positions, window: Window, leads: int) -> Values:
    """One row for each lead and origin, the leads one after the other, shape (h k, p)."""
    day = window.steps_per_day
    blocks = []
    for lead in range(leads):
        step = window.first_step + origins + lead
        # 1970-01-01 was a Thursday.
        calendar = [np.full(len(origins), lead), step % day, (step // day + 3) % 7]
        blocks.append(np.column_stack([lagged_inputs(power_kw, origins, lead, window)[:, 1:], *calendar]))
    return np.concatenate(blocks)
