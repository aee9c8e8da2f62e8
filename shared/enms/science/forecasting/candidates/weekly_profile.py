"""What weekdays usually need: the mean of the last weeks, and a profile that the level of late moves."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from enms.science.arrays import Values
from enms.science.forecasting.window import Window


@dataclass(frozen=True)
class MeanOfWeeks:
    """The mean of the same step in the last weeks; it has nothing to learn."""

    name: str = "mean of four weeks"
    weeks: int = 4
    cost: int = 1
    uses_regressors: bool = False

    @property
    def least_days(self) -> float:
        """Days of past that it looks back."""
        return 7.0 * self.weeks

    def fit(self, window: Window) -> "MeanOfWeeks":
        """Itself."""
        return self

    def load(self, document: dict[str, Any]) -> "MeanOfWeeks":
        """Itself."""
        return self

    def forecast(self, window: Window) -> Values:
        """The last weeks' mean, repeated, shape (h,)."""
        week = window.week
        weeks = min(self.weeks, len(window) // week)
        if not weeks:
            return np.full(window.points, window.power_kw[-1] if len(window) else 0.0)
        usual = window.power_kw[-weeks * week :].reshape(weeks, week).mean(axis=0)
        return usual[np.arange(window.points) % week]

    def document(self) -> dict[str, Any]:
        """Nothing."""
        return {}


MEAN_OF_FOUR_WEEKS = MeanOfWeeks()
