"""Real loads with what has to be known to forecast them, and evaluations of them.

The files lie beside the checkout.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from benchmarks.real_data import DATA
from enms_local.evaluate.forecast_question import ForecastQuestion
from enms_local.evaluate.forecasts import ForecastEvaluation, evaluate_forecasts

# Their hours are utility hours: each stamp tells the end.
_PJM = {"time_column": "timestamp", "value_column": "load_mw", "unit": "MW", "interval": "1h", "stamp": "end"}
_TETUAN = {"time_column": "timestamp", "unit": "kW", "interval": "10min", "zone": "Africa/Casablanca"}
_FILES: dict[str, dict[str, Any]] = {
    "steel": {
        "path": DATA / "steel_15min" / "steel.csv",
        "time_column": "timestamp",
        "value_column": "usage_kwh",
        "unit": "kWh",
        "interval": "15min",
        "stamp": "end",
        "zone": "Asia/Seoul",
    },
    "aep": {"path": DATA / "pjm_hourly" / "aep.csv", "zone": "US/Eastern", **_PJM},
    "pjm": {"path": DATA / "pjm_hourly" / "pjm_load.csv", "zone": "US/Eastern", **_PJM},
    **{
        f"tetuan {zone}": {
            "path": DATA / "tetuan_10min" / "tetuan.csv",
            "value_column": f"zone{zone}_kw",
            **_TETUAN,
        }
        for zone in (1, 2, 3)
    },
}
NAMES = tuple(_FILES)
NAIVE = ("seasonal naive (day)", "seasonal naive (week)")


def question(name: str, horizon: str, origins: int, **more: Any) -> ForecastQuestion:
    """What is asked of a file."""
    asked = ForecastQuestion(**_FILES[name], horizon_name=horizon, origins_wanted=origins)
    return replace(asked, **more)


@cache
def evaluation(name: str, horizon: str, origins: int, **more: Any) -> "Errors":
    """The errors of all models on a file; computed once in a run."""
    return Errors(evaluate_forecasts(question(name, horizon, origins, **more)))


@dataclass(frozen=True)
class Errors:
    """An evaluation, and errors of the last of its origins.

    Attributes:
        found: The evaluation.
    """

    found: ForecastEvaluation

    def mase(self, name: str, last: int | None = None) -> float:
        """Mean absolute scaled error of a model over the last origins; None: over all."""
        errors = self.found.trials.scaled_errors(name)
        return float(np.nanmean(errors[-last:] if last else errors))

    def best(self, last: int | None = None) -> tuple[str, float]:
        """The single candidate that erred least, and its error."""
        known = [name for name, score in self.found.models.items() if score.mase is not None]
        errors = {name: self.mase(name, last) for name in known}
        name = min(errors, key=lambda each: errors[each])
        return name, errors[name]

    def naive(self) -> float:
        """The better seasonal naive's error."""
        return min(self.mase(name) for name in NAIVE if name in self.found.models)
