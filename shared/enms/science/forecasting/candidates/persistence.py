"""The last value stays: hard to beat a quarter hour ahead."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from enms.science.arrays import Values
from enms.science.forecasting.window import Window


@dataclass(frozen=True)
class Persistence:
    """The last known step's value in all steps to come; it has nothing to learn."""

    name: str = "persistence"
    cost: int = 1
    least_days: float = 0.0
    uses_regressors: bool = False

    def fit(self, window: Window) -> "Persistence":
        """Itself."""
        return self

    def load(self, document: dict[str, Any]) -> "Persistence":
        """Itself."""
        return self

    def forecast(self, window: Window) -> Values:
        """The last value, shape (h,)."""
        return np.full(window.points, window.power_kw[-1] if len(window) else 0.0)

    def document(self) -> dict[str, Any]:
        """Nothing."""
        return {}
