"""Whether a model in use has become worse than its proof, so that it is to be trained again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

# A model is judged by what it foretold in this time.
RECENT = timedelta(weeks=4)

# Forecasts made one after the other err alike: what a day or two tell may be luck.
LEAST_STEPS = 14
LEAST_DAYS = 3.0
# Of few errors even a sound model's may come out so much larger than those of its backtest.
MOST_OF_PROMISED = 1.5
MOST_OF_NAIVE = 1.05
LEAST_COVERAGE_80 = 0.6


@dataclass(frozen=True)
class Live:
    """How a model fares in use; None where nothing tells.

    Attributes:
        steps: How many different steps of its forecasts have come.
        days: From the first of them to the last.
        mase: Mean absolute scaled error.
        ratio_to_naive: That by the better seasonal naive's.
        coverage_80: Share of the truth inside the 80 % band.
    """

    steps: int
    days: float
    mase: float | None
    ratio_to_naive: float | None
    coverage_80: float | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Of a row of `database.forecast_accuracy.of_models`."""
        return cls(row["steps"], row["days"], row["mase"], row["ratio_to_naive"], row["coverage_80"])


@dataclass(frozen=True)
class Promised:
    """What its backtest promised.

    Attributes:
        mase: Mean absolute scaled error; None: it had no backtest.
    """

    mase: float | None

    @classmethod
    def of(cls, backtest: Mapping[str, Any], choice: str) -> Self:
        """Of a model's stored table: the row of what is asked of it."""
        row = next((each for each in backtest.get("models", ()) if each["name"] == choice), None)
        return cls(row and row["mase"])


def is_degraded(live: Live, promised: Promised) -> bool:
    """Whether it is to be trained again; see `why_degraded`."""
    return why_degraded(live, promised) is not None


def why_degraded(live: Live, promised: Promised) -> str | None:
    """In what a model has become worse than its proof, in words; None while it holds.

    It has when it loses to the better seasonal naive, errs half as much again as in its backtest, or far
    fewer loads than four of five lie inside its 80 % band. A model that was trained anew begins without any
    record, so that a load that can't be foretold better isn't trained for each day.
    """
    if live.steps < LEAST_STEPS or live.days < LEAST_DAYS:
        return None
    if live.ratio_to_naive is not None and live.ratio_to_naive > MOST_OF_NAIVE:
        return (
            f"its errors are {live.ratio_to_naive:.0%} of those of the seasonal naive, which needs no model"
        )
    if live.mase is not None and promised.mase and live.mase > MOST_OF_PROMISED * promised.mase:
        return f"its MASE is {live.mase:.2f}, in the backtest it was {promised.mase:.2f}"
    if live.coverage_80 is not None and live.coverage_80 < LEAST_COVERAGE_80:
        return f"{live.coverage_80:.0%} of the loads lay inside the 80 % band"
    return None
