"""Made-up intervals whose truth is known."""

import numpy as np

from enms.science.arrays import Values
from enms.science.baseline.calendar import categories, local_time
from enms.science.baseline.observations import Observations
from enms.science.baseline.refusals import Quality

MONDAY = 1_767_571_200  # 2026-01-05 00:00 UTC, seconds since 1970
HOUR = 3_600


def hours(count: int = 1200, *, seed: int = 1, noise_kwh: float = 2.0) -> Observations:
    """Hours with energy = 20 + 0.5 production_count + 0.8 outdoor_temp_c + noise, without gaps."""
    random = np.random.default_rng(seed)
    starts_at = MONDAY + HOUR * np.arange(count, dtype=np.int64)
    production = random.integers(0, 120, count).astype(np.float64)
    warmth = temperature(count, random)
    energy = 20 + 0.5 * production + 0.8 * warmth + noise_kwh * random.normal(size=count)
    return Observations(
        "hour",
        starts_at // HOUR,
        energy,
        {"production_count": production, "outdoor_temp_c": warmth},
        categories(local_time(starts_at, "Europe/Berlin"), "DE", None),
    )


def temperature(count: int, random: np.random.Generator) -> Values:
    """Outdoor temperature of hours: slow swings, a daily cycle, and something of each hour, °C."""
    hour = np.arange(count)
    swing = 8 * np.sin(2 * np.pi * hour / 720) + 4 * np.sin(2 * np.pi * (hour % 24 - 9) / 24)
    warmth: Values = 15 + swing + random.normal(size=count)
    return warmth


def well_measured(count: int) -> Quality:
    """Of intervals that nothing can be said against."""
    ones = np.ones(count)
    return Quality(ones, 0 * ones, 0 * ones, 0 * ones, np.inf, ones)


def autocorrelated(count: int, memory: float, random: np.random.Generator) -> Values:
    """First-order autoregressive noise of unit variance."""
    noise = random.normal(size=count)
    for i in range(1, count):
        noise[i] = memory * noise[i - 1] + np.sqrt(1 - memory**2) * noise[i]
    return noise
