"""A linear regression of each coming day on its weekday, what is usual there, and the last week.

For days: the last seven steps and those of earlier weeks, weekdays, public holidays, and regressors, in one
regression for each day to come, by least absolute deviations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from enms.science.arrays import Positions, Values
from enms.science.forecasting.deviations import least_deviations
from enms.science.forecasting.window import Window
from enms.science.problems import UnfitError

_WEEKS = 4
# Loads are divided by their standard deviation.
_PENALTY = 0.05
_SMALL_ERROR = 0.2
_LEAST_ROWS = 28
# Holidays are so rare that the penalty would leave nothing of them.
_HOLIDAY = 4.0


@dataclass(frozen=True)
class ProfileRegression:
    """One regression for each day to come; regressors count where the window has any."""

    name: str = "regression on weeks"
    cost: int = 3
    least_days: float = 63.0
    uses_regressors: bool = True

    def fit(self, window: Window) -> "FittedProfileRegression":
        """Learns the weights by lead.

        Raises:
            UnfitError: There are too few days, or the load doesn't vary.
        """
        past = len(window)
        origins = np.arange(_steps_needed(window, window.points), past - window.points + 1)
        if len(origins) < _LEAST_ROWS:
            raise UnfitError("little-history", f"{past} steps are too few for a regression on weeks.")
        scaling = {"": _scaling(window.power_kw)}
        if scaling[""][1] == 0:
            raise UnfitError("constant", "The load doesn't vary: there is nothing to regress.")
        scaling |= {name: _scaling(values[:past]) for name, values in window.regressors.items()}
        scaled = _scaled(window.power_kw, scaling[""])
        weights = [
            least_deviations(
                _inputs(window, scaled, scaling, origins, lead),
                scaled[origins + lead],
                window.weights[origins + lead],
                _PENALTY,
                _SMALL_ERROR,
            )
            for lead in range(window.points)
        ]
        return FittedProfileRegression(scaling, np.array(weights))

    def load(self, document: dict[str, Any]) -> "FittedProfileRegression":
        """The model of a document."""
        scaling = {name: (float(mean), float(scale)) for name, (mean, scale) in document["scaling"].items()}
        return FittedProfileRegression(scaling, np.array(document["weights"]))


@dataclass(frozen=True)
class FittedProfileRegression:
    """Weights of what is known at an origin.

    Attributes:
        scaling: Mean and standard deviation of each regressor that it knows, and of the load as ``""``.
        weights: By lead and input, shape (h, p).
    """

    scaling: Mapping[str, tuple[float, float]]
    weights: Values

    def forecast(self, window: Window) -> Values:
        """Mean power of the steps to come, shape (h,); NaN where a regressor that it knows is missing."""
        regressors = set(self.scaling) - {""}
        if len(window) < _steps_needed(window, window.points) or not regressors <= set(window.regressors):
            return np.full(window.points, np.nan)
        scaled = _scaled(window.power_kw, self.scaling[""])
        origin = np.array([len(window)])
        mean, scale = self.scaling[""]
        # Beyond the leads that it was fitted for the last one's weights serve.
        of_lead = [self.weights[min(lead, len(self.weights) - 1)] for lead in range(window.points)]
        made = [
            float((_inputs(window, scaled, self.scaling, origin, lead) @ each)[0])
            for lead, each in enumerate(of_lead)
        ]
        return np.array(made) * scale + mean

    def document(self) -> dict[str, Any]:
        """Its parameters."""
        return {
            "scaling": {name: list(each) for name, each in self.scaling.items()},
            "weights": self.weights.tolist(),
        }


def _inputs(
    window: Window,
    scaled: Values,
    scaling: Mapping[str, tuple[float, float]],
    origins: Positions,
    lead: int,
) -> Values:
    """What is known at origins of the step `lead` after them, shape (k, p)."""
    target, week = origins + lead, window.week
    recent = scaled[origins[:, None] - np.arange(1, week + 1)]
    back = _whole(week, lead) + week * np.arange(_WEEKS)
    usual = scaled[target[:, None] - back].mean(axis=1)
    weekday = np.eye(7)[window.weekday[target]]
    known: list[Values] = []
    for name, each in scaling.items():
        if name:
            values = _scaled(window.regressors[name], each)
            # What is usual came with what was usual of the regressor, and the last week with its own.
            # Squares: cold and heat may both need energy.
            earlier = values[target[:, None] - back].mean(axis=1)
            lately = values[origins[:, None] - np.arange(1, week + 1)].mean(axis=1)
            known += [values[target], earlier, lately, values[target] ** 2, earlier**2]
    return np.column_stack([weekday, recent, usual, _HOLIDAY * window.is_holiday[target], *known])


def _whole(week: int, lead: int) -> int:
    """So many weeks back that it is known."""
    return -(-(lead + 1) // week) * week


def _steps_needed(window: Window, points: int) -> int:
    return _whole(window.week, points - 1) + _WEEKS * window.week


def _scaling(values: Values) -> tuple[float, float]:
    return float(values.mean()), float(values.std())


def _scaled(values: Values, scaling: tuple[float, float]) -> Values:
    mean, scale = scaling
    return (values - mean) / (scale or 1.0)
