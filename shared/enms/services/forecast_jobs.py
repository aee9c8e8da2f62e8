"""The jobs that make forecasts, and how far each is behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enms.database import forecast_lag
from enms.database.connection import Database
from enms.services.forecast_subjects import ENERGY_TYPE


@dataclass(frozen=True)
class ForecastJob:
    """A job of forecasts.

    Attributes:
        description: What it does.
        horizons: What it makes, by the name of `science.forecasting.horizons`; the first tells its lag.
    """

    description: str
    horizons: tuple[str, ...]


FORECAST_JOBS: Mapping[str, ForecastJob] = {
    "forecast-1h": ForecastJob("The next hour of each machine and factory, in quarter hours.", ("1h",)),
    "forecast-24h": ForecastJob(
        "The next day, and the next week that plans stand on, in hours.", ("24h", "7d-hourly")
    ),
    "forecast-7d": ForecastJob("The next week, in days.", ("7d",)),
}


def job_of_rule(rule: str) -> str:
    """The job that a rule's name or ARN ends with.

    Raises:
        LookupError: It ends with none of them.
    """
    for name in FORECAST_JOBS:
        if rule.endswith(name):
            return name
    raise LookupError(f"{rule} is no rule of forecasts.")


def lag(database: Database, now: datetime, job: str) -> dict[str, Any]:
    """How far the forecasts are behind the last closed step, by the machine or factory that is furthest."""
    found = forecast_lag.of_active_subjects(database, FORECAST_JOBS[job].horizons[0], ENERGY_TYPE, now)
    oldest = found["oldest"]
    return {
        "machines": found["subjects"],
        "never_done": found["subjects"] - found["done"],
        "behind": found["behind"],
        "done_until": oldest,
        "hours": round(found["behind_seconds"] / 3600, 2) if oldest else None,
    }
