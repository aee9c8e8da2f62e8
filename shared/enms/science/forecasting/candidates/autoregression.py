"""A linear regression of each coming step on the last ones, and on what was around there a season ago."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from enms.science.arrays import Positions, Values
from enms.science.forecasting.deviations import least_deviations
from enms.science.forecasting.window import Window
from enms.science.problems import UnfitError

# Steps before the origin; the same steps a season earlier, so that a shift of the season shows.
_RECENT, _RECENT_OF_SEASON = 8, 4
# Steps around the one to come, a season earlier.
_AROUND = (-1, 0, 1)
# Loads are divided by their standard deviation: a share of the inputs' mean square.
_PENALTY = 3e-4
_SMALL_ERROR = 0.1
# Rows for every input, below which weights are chance.
_ROWS_PER_INPUT = 10


@dataclass(frozen=True)
class Autoregression:
    """One regression for each step to come, on the last steps, those of yesterday and those of a week ago."""

    name: str = "autoregression"
    cost: int = 2
    least_days: float = 14.0
    uses_regressors: bool = False

    def fit(self, window: Window) -> "FittedAutoregression":
        """Learns the weights by lead.

        Raises:
            UnfitError: There are too few rows, or the load doesn't vary.
        """
        scale_kw = float(window.power_kw.std())
        if scale_kw == 0:
            raise UnfitError("constant", "The load doesn't vary: there is nothing to regress.")
        least, most = steps_needed(window), len(window) - window.points
        if most - least < _ROWS_PER_INPUT * (_RECENT + 2 * (len(_AROUND) + _RECENT_OF_SEASON)):
            raise UnfitError("little-history", f"{len(window)} steps are too few for an autoregression.")
        mean_kw = float(window.power_kw.mean())
        scaled = (window.power_kw - mean_kw) / scale_kw
        origins = np.arange(least, most + 1)
        weights = [
            least_deviations(
                lagged_inputs(scaled, origins, lead, window),
                scaled[origins + lead],
                window.weights[origins + lead],
                _PENALTY,
                _SMALL_ERROR,
            )
            for lead in range(window.points)
        ]
        return FittedAutoregression(mean_kw, scale_kw, np.array(weights))

    def load(self, document: dict[str, Any]) -> "FittedAutoregression":
        """The model of a document."""
        return FittedAutoregression(
            float(document["mean_kw"]), float(document["scale_kw"]), np.array(document["weights"])
        )


@dataclass(frozen=True)
class FittedAutoregression:
    """Weights of what is known at an origin.

    Attributes:
        mean_kw: The load's mean, around which it is taken.
        scale_kw: Its standard deviation, by which it is divided.
        weights: By lead and input, shape (h, p).
    """

    mean_kw: float
    scale_kw: float
    weights: Values

    def forecast(self, window: Window) -> Values:
        """Mean power of the steps to come, shape (h,).

        Of more steps than it has weights for it takes the first as known for those after them.
        """
        scaled = (window.power_kw - self.mean_kw) / self.scale_kw
        if len(scaled) < steps_needed(replace(window, points=len(self.weights))):
            return np.full(window.points, np.nan)
        made = scaled
        while len(made) < len(scaled) + window.points:
            origin = np.array([len(made)])
            coming = [
                float((lagged_inputs(made, origin, lead, window) @ each)[0])
                for lead, each in enumerate(self.weights)
            ]
            made = np.concatenate([made, coming])
        forecast: Values = made[len(scaled) :][: window.points] * self.scale_kw + self.mean_kw
        return forecast

    def document(self) -> dict[str, Any]:
        """Its parameters."""
        return {"mean_kw": self.mean_kw, "scale_kw": self.scale_kw, "weights": self.weights.tolist()}


def lagged_inputs(values: Values, origins: Positions, lead: int, window: Window) -> Values:
    """What is known at origins of the step `lead` after them, shape (k, p).

    Args:
        values: Of the past, shape (n,).
        origins: Places in it, each at least `steps_needed` and at most n, shape (k,).
        lead: Steps from the origin, 0 is the first.
        window: Whose days and weeks are meant.
    """
    columns = [np.ones(len(origins)), *(values[origins - lag] for lag in range(1, _RECENT + 1))]
    for season in (window.steps_per_day, window.week):
        back = _whole(season, lead)
        columns += [values[origins + lead - back + place] for place in _AROUND]
        columns += [values[origins - back - lag] for lag in range(1, _RECENT_OF_SEASON + 1)]
    return np.column_stack(columns)


def _whole(season: int, lead: int) -> int:
    """So many seasons back that what lies around there is known."""
    return -(-(lead + 1 + _AROUND[-1]) // season) * season


def steps_needed(window: Window) -> int:
    """Steps of the past that the inputs of a window's steps to come take."""
    return _whole(window.week, window.points - 1) + _RECENT
