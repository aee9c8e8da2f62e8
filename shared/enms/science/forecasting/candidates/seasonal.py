"""What was there at the same time: the forecasts that every model has to beat."""

from dataclasses import dataclass
from typing import Any

from enms.science.arrays import Values
from enms.science.forecasting.guards import seasonal_naive
from enms.science.forecasting.window import Window


@dataclass(frozen=True)
class SeasonalNaive:
    """The value of one day, or one week, ago; it has nothing to learn.

    Attributes:
        name: `seasonal naive (day)` or `seasonal naive (week)`.
        days: 1 or 7.
    """

    name: str
    days: int
    cost: int = 0
    uses_regressors: bool = False

    @property
    def least_days(self) -> float:
        """Days of past that it looks back."""
        return float(self.days)

    def fit(self, window: Window) -> "SeasonalNaive":
        """Itself."""
        return self

    def load(self, document: dict[str, Any]) -> "SeasonalNaive":
        """Itself."""
        return self

    def forecast(self, window: Window) -> Values:
        """The last day's or week's values, repeated."""
        return seasonal_naive(window, self.days * window.steps_per_day)

    def document(self) -> dict[str, Any]:
        """Nothing."""
        return {}


YESTERDAY = SeasonalNaive("seasonal naive (day)", 1)
LAST_WEEK = SeasonalNaive("seasonal naive (week)", 7)
