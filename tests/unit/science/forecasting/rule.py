"""A candidate that knows the plant's own rule, to try what is done with candidates."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from enms.science.arrays import Values
from enms.science.forecasting import forecaster as forecasters
from enms.science.forecasting.candidate import Candidate
from enms.science.forecasting.candidates.seasonal import LAST_WEEK, YESTERDAY
from enms.science.forecasting.window import Window


@dataclass(frozen=True)
class Rule:
    """The plant's own rule, plus what a regressor adds."""

    name: str = "rule"
    cost: int = 2
    least_days: float = 1.0
    uses_regressors: bool = True
    adds: str | None = None
    fails: float | None = None

    def fit(self, window: Window) -> "Rule":
        return replace(self, adds=next(iter(window.regressors), None))

    def load(self, document: dict[str, Any]) -> "Rule":
        return replace(self, **document)

    def document(self) -> dict[str, Any]:
        return {"adds": self.adds}

    def forecast(self, window: Window) -> Values:
        if self.fails is not None:
            return np.full(window.points, self.fails)
        coming = slice(len(window), None)
        works = (window.weekday < 5) & (window.step_of_day >= 6) & (window.step_of_day < 22)
        point: Values = 20.0 + 100.0 * works[coming]
        return point if self.adds is None else point + window.regressors[self.adds][coming]


def competing(monkeypatch: pytest.MonkeyPatch, *candidates: Candidate) -> None:
    """Only these are tried, beside the seasonal naives."""
    monkeypatch.setattr(forecasters, "candidates_of", lambda horizon: (YESTERDAY, LAST_WEEK, *candidates))
