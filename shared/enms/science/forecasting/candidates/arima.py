"""ARIMA on what differs from yesterday or last week: fitted by statsmodels, carried on by its recursion.

The difference by the season takes the daily and weekly course out; what is left is an ARMA(p, 1) process,
stationary and invertible, so that neither a shock nor the recursion's beginning stays. It is followed by the
innovations algorithm (Brockwell & Davis 2016, Introduction to Time Series and Forecasting, 2.5 and 3.3).
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from enms.science.arrays import Values
from enms.science.forecasting.linear import stationary
from enms.science.forecasting.window import Window
from enms.science.problems import UnfitError

# Autoregressive terms that compete by AICc, beside one moving average.
_ORDERS = (1, 2)


@dataclass(frozen=True)
class Arima:
    """Seasonally differenced ARMA, of the season that leaves less."""

    name: str = "arima"
    cost: int = 4
    least_days: float = 14.0
    uses_regressors: bool = False

    def fit(self, window: Window) -> "FittedArima":
        """Estimates the orders by maximum likelihood and takes the one of the lesser AICc.

        Raises:
            UnfitError: The difference by the season is nothing, or no order can be estimated.
        """
        seasons = [each for each in (window.steps_per_day, window.week) if 1 < each < len(window) // 2]
        if not seasons:
            raise UnfitError("little-history", f"{len(window)} steps hold no two seasons.")
        season = min(seasons, key=lambda each: _left(window, each))
        if _left(window, season) == 0:
            raise UnfitError("constant", "The load repeats itself exactly: a seasonal naive is all it takes.")
        differences = window.power_kw[season:] - window.power_kw[:-season]
        scale_kw = float(differences.std()) or 1.0
        found = [each for order in _ORDERS if (each := _estimated(differences / scale_kw, order)) is not None]
        if not found:
            raise UnfitError("diverged", "No ARMA process could be estimated.")
        _, ar, ma = min(found, key=lambda each: each[0])
        # Invertible is a moving average whose inverse, an autoregression with its weight, is stationary.
        return FittedArima(season, stationary(ar), -float(stationary(np.array([-ma]))[0]))

    def load(self, document: dict[str, Any]) -> "FittedArima":
        """The model of a document."""
        return FittedArima(int(document["season"]), np.array(document["ar"]), float(document["ma"]))


@dataclass(frozen=True)
class FittedArima:
    """An ARMA process of differences by a season.

    Attributes:
        season: Steps between what is differenced.
        ar: Weights of the last differences, newest first, shape (p,).
        ma: Weight of the last one-step error.
    """

    season: int
    ar: Values
    ma: float

    def forecast(self, window: Window) -> Values:
        """Mean power of the steps to come, shape (h,)."""
        if len(window) <= self.season:
            return np.full(window.points, np.nan)
        differences = window.power_kw[self.season :] - window.power_kw[: -self.season]
        coming = self._coming(differences, window.points)
        season_ago = window.power_kw[len(window) - self.season :]
        forecast: Values = season_ago[np.arange(window.points) % self.season] + coming
        return forecast

    def document(self) -> dict[str, Any]:
        """Its parameters."""
        return {"season": self.season, "ar": self.ar.tolist(), "ma": self.ma}

    def _coming(self, differences: Values, points: int) -> Values:
        """Follows the differences from nothing before them; by their end the process has forgotten that."""
        # Plain numbers: arrays of one or two cost more than what is computed with them.
        ar, ma = self.ar.tolist(), self.ma
        values = [0.0] * len(ar)
        error = 0.0
        # Variance of a one-step error as a multiple of the noise's: at the start all of the past is unknown.
        ratio = 1 + ma**2
        for value in differences.tolist():
            expected = sum(map(float.__mul__, ar, values)) + ma / ratio * error
            ratio = 1 + ma**2 - ma**2 / ratio
            error = value - expected
            values = [value, *values[:-1]]
        made = []
        for _ in range(points):
            coming = sum(map(float.__mul__, ar, values)) + ma / ratio * error
            error = 0.0
            values = [coming, *values[:-1]]
            made.append(coming)
        return np.array(made)


def _left(window: Window, season: int) -> float:
    known = (window.weights[season:] > 0) & (window.weights[:-season] > 0)
    off = np.abs(window.power_kw[season:] - window.power_kw[:-season])
    return float(off[known].mean()) if known.any() else 0.0


def _estimated(differences: Values, order: int) -> tuple[float, Values, float] | None:
    """AICc and weights of ARMA(order, 1); None where the likelihood has no maximum that can be found."""
    from statsmodels.tsa.arima.model import ARIMA

    with warnings.catch_warnings():
        # Of starting values that are replaced, and of steps of the search.
        warnings.simplefilter("ignore")
        try:
            found = ARIMA(differences, order=(order, 0, 1), trend="n").fit(method="innovations_mle")
        except (ValueError, np.linalg.LinAlgError):
            return None
    ar, ma = np.asarray(found.arparams), float(found.maparams[0])
    if not np.isfinite([*ar, ma]).all():
        return None
    return float(found.aicc), ar, ma
