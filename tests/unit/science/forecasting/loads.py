"""Loads by instants: a plant that lives by its local clock, in any zone."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from enms.science.arrays import Positions, Values
from enms.science.forecasting.horizons import DAY_SECONDS, Horizon
from enms.science.forecasting.series import LoadSeries

BASE_KW, SHIFT_KW = 20.0, 100.0


def load(
    horizon: Horizon, origin: str, days: float = 45, zone: str = "Europe/Berlin", noise_kw: float = 3.0
) -> LoadSeries:
    """Its last days before a local time."""
    past, coming = instants(horizon, origin, days, zone)
    usual_kw = usual(past, horizon, zone)
    noise = noise_kw * np.random.default_rng(3).standard_normal(len(past))
    return LoadSeries(
        step_seconds=horizon.step_seconds,
        starts_at=past,
        future_starts_at=coming,
        power_kw=np.maximum(usual_kw + noise, 0),
        is_flagged=np.zeros(len(past), dtype=np.bool_),
        zone=zone,
    )


def instants(horizon: Horizon, origin: str, days: float, zone: str) -> tuple[Positions, Positions]:
    """Starts of the steps before a local time and from it on; of daily steps the local midnights."""
    begins = datetime.fromisoformat(origin).replace(tzinfo=ZoneInfo(zone))
    count = round(days * horizon.steps_per_day)
    if horizon.step_seconds < DAY_SECONDS:
        at = int(begins.timestamp())
        places = np.arange(-count, horizon.points)
        steps = at + horizon.step_seconds * places
    else:
        first = begins.date().toordinal()
        midnights = (
            datetime.fromordinal(first + day).replace(tzinfo=ZoneInfo(zone))
            for day in range(-count, horizon.points)
        )
        steps = np.array([int(each.timestamp()) for each in midnights])
    return steps[:count], steps[count:]


def usual(starts_at: Positions, horizon: Horizon, zone: str) -> Values:
    """What the plant needs without noise: two shifts on working days by the local clock."""
    found = np.empty(len(starts_at))
    for place, at in enumerate(starts_at.tolist()):
        local = datetime.fromtimestamp(at, ZoneInfo(zone))
        works = local.weekday() < 5
        in_shift = 6 <= local.hour < 22
        share = 16 / 24 if horizon.step_seconds == DAY_SECONDS else float(in_shift)
        found[place] = BASE_KW + SHIFT_KW * works * share
    return found


def with_unknown(series: LoadSeries, first: int, last: int) -> LoadSeries:
    """Readings of some steps are missing."""
    power_kw = series.power_kw.copy()
    power_kw[first:last] = np.nan
    return replace(series, power_kw=power_kw)
