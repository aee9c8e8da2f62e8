"""Daily and weekly seasons by MSTL, and an autoregression of what is left of the load without them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from enms.science.arrays import Values
from enms.science.forecasting.linear import ridge, stationary
from enms.science.forecasting.weeks import places_of_week
from enms.science.forecasting.window import Window

# Cycles over which a season's shape is smoothed, as is usual for the first and the second season.
_DAY_CYCLES, _WEEK_CYCLES = 11, 15
# Constant within a window, not straight: the last cycle, which is what a forecast repeats, then is a mean
# and no end of a line drawn through few points (a fifth less error).
_DEGREE = 0
# Loess is computed at every so many steps and drawn straight between: a twelfth of the time, and
# seasons within 2 % of the load's spread.
_JUMP_STEPS = 25
_PENALTY = 1e-3


@dataclass(frozen=True)
class Mstl:
    """Multiple seasonal-trend decomposition by loess (Bandara, Hyndman & Bergmeir 2021)."""

    name: str = "MSTL + AR"
    cost: int = 3
    least_days: float = 21.0
    uses_regressors: bool = False

    def fit(self, window: Window) -> "FittedMstl":
        """Takes the seasons as they were last, and the autoregression of the rest."""
        from statsmodels.tsa.seasonal import MSTL

        day, week = window.steps_per_day, window.week
        is_daily = day == 1
        options = {"seasonal_deg": _DEGREE}
        if not is_daily:
            options |= {"trend_jump": _JUMP_STEPS, "low_pass_jump": _JUMP_STEPS}
        parts = MSTL(
            window.power_kw,
            periods=(week,) if is_daily else (day, week),
            windows=(_WEEK_CYCLES,) if is_daily else (_DAY_CYCLES, _WEEK_CYCLES),
            stl_kwargs=options,
        ).fit()
        seasons_kw = parts.seasonal.reshape(len(window), -1)
        # The last week of the longest season, and in hours the last day of the shorter.
        season_kw = np.zeros(week)
        season_kw[window.step_of_week[: len(window)][-week:]] = seasons_kw[-week:, -1]
        if not is_daily:
            day_kw = np.zeros(day)
            day_kw[window.step_of_day[: len(window)][-day:]] = seasons_kw[-day:, 0]
            season_kw += np.tile(day_kw, 7)
        seasonal_kw = seasons_kw.sum(axis=1)
        rest_kw = window.power_kw - seasonal_kw
        lags = _lags(window)
        off_kw = rest_kw - rest_kw.mean()
        table = np.column_stack([off_kw[lags - lag : -lag] for lag in range(1, lags + 1)])
        return FittedMstl(season_kw, stationary(ridge(table, off_kw[lags:], window.weights[lags:], _PENALTY)))

    def load(self, document: Mapping[str, Any]) -> "FittedMstl":
        """The model of a document."""
        return FittedMstl(np.array(document["season_kw"]), np.array(document["ar"]))


@dataclass(frozen=True)
class FittedMstl:
    """Seasons that stand still, and how the rest returns to its level.

    Attributes:
        season_kw: By step of the week, shape (week,).
        ar: Weights of the last steps, newest first, shape (p,).
    """

    season_kw: Values
    ar: Values

    def forecast(self, window: Window) -> Values:
        """The season, the level of late, and what is left of the last steps' difference from both."""
        places = places_of_week(window)
        past, lags = len(window), len(self.ar)
        # An hourly load's level is that of the last week; a daily one needs more than seven values.
        rest_kw = window.power_kw - self.season_kw[places[:past]]
        recent = slice(-min(max(window.week, 28), past), None)
        level_kw = float(np.average(rest_kw[recent], weights=window.weights[recent] + 1e-6))
        off_kw = np.concatenate([np.zeros(lags), rest_kw[-lags:] - level_kw, np.zeros(window.points)])
        for at in range(len(off_kw) - window.points, len(off_kw)):
            off_kw[at] = self.ar @ off_kw[at - lags : at][::-1]
        made: Values = off_kw[len(off_kw) - window.points :] + self.season_kw[places[past:]] + level_kw
        return made

    def document(self) -> dict[str, Any]:
        """Its parameters."""
        return {"season_kw": self.season_kw.tolist(), "ar": self.ar.tolist()}


def _lags(window: Window) -> int:
    return window.steps_per_day if window.steps_per_day > 1 else 3
