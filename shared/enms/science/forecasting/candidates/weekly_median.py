"""The usual week: what a plant of fixed shifts does, whatever it did yesterday."""

from dataclasses import dataclass
from typing import Any

from enms.science.arrays import Values
from enms.science.forecasting.weeks import places_of_week, weekly_median
from enms.science.forecasting.window import Window


@dataclass(frozen=True)
class WeeklyMedian:
    """The weighted median at each place of the week; it has nothing to learn.

    The median is what has the least absolute error, and one odd day doesn't move it.

    Attributes:
        name: As tables show it.
        half_life_weeks: How old a week is that counts half as much as the last.
    """

    name: str = "weekly median"
    half_life_weeks: float = 4.0
    cost: int = 1
    least_days: float = 14.0
    uses_regressors: bool = False

    def fit(self, window: Window) -> "WeeklyMedian":
        """Itself."""
        return self

    def load(self, document: dict[str, Any]) -> "WeeklyMedian":
        """Itself."""
        return self

    def forecast(self, window: Window) -> Values:
        """The median of the coming steps' places, shape (h,)."""
        places = places_of_week(window)
        usual_kw = weekly_median(window, places, self.half_life_weeks)
        return usual_kw[places[len(window) :]]

    def document(self) -> dict[str, Any]:
        """Nothing."""
        return {}
