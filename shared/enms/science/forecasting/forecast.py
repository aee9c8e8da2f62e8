"""What a forecast says."""

from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Positions, Values


@dataclass(frozen=True)
class Bands:
    """Intervals around a forecast, in kW, each of shape (h,)."""

    lower_80_kw: Values
    upper_80_kw: Values
    lower_95_kw: Values
    upper_95_kw: Values


@dataclass(frozen=True)
class Peak:
    """The highest mean power of a quarter hour in the horizon.

    Attributes:
        at: Start of the step in which it most likely comes, seconds since 1970.
        power_kw: Its median.
        quantiles_kw: Its quantiles at 1, 2 … 99 %, shape (99,).
    """

    at: int
    power_kw: float
    quantiles_kw: Values


@dataclass(frozen=True)
class Forecast:
    """A forecast by instants.

    Attributes:
        starts_at: Start of each step, seconds since 1970, shape (h,).
        power_kw: Mean power of each step, shape (h,).
        lower_80_kw: Lower end of the 80 % interval.
        upper_80_kw: Its upper end.
        lower_95_kw: Lower end of the 95 % interval.
        upper_95_kw: Its upper end.
        peak: The highest quarter hour.
        notes: What a reader should know of it, in plain words.
    """

    starts_at: Positions
    power_kw: Values
    lower_80_kw: Values
    upper_80_kw: Values
    lower_95_kw: Values
    upper_95_kw: Values
    peak: Peak
    notes: tuple[str, ...]


@dataclass(frozen=True)
class LiveErrors:
    """How recent issues of a forecast fared, oldest first.

    Attributes:
        starts_at: The origin of each, seconds since 1970, shape (k,).
        points_kw: What was said, shape (k, h).
        errors_kw: Truth less that, NaN where the truth isn't known yet, shape (k, h).
    """

    starts_at: Positions
    points_kw: Values
    errors_kw: Values


def probability_over(peak: Peak, limit_kw: float) -> float:
    """The probability that the peak exceeds a limit: its quantiles, interpolated; beyond them it fades out.

    Outside the 1 and 99 % quantiles the tails are exponential, as steep as the quantiles' last tenth is.
    """
    quantiles = peak.quantiles_kw
    if limit_kw >= quantiles[-1]:
        return 0.01 * _fading(limit_kw - quantiles[-1], quantiles[-1] - quantiles[-10])
    if limit_kw < quantiles[0]:
        return 1 - 0.01 * _fading(quantiles[0] - limit_kw, quantiles[9] - quantiles[0])
    # Equal quantiles stand for one value with the mass of all of them: it isn't exceeded by itself.
    place = int(np.searchsorted(quantiles, limit_kw, side="right"))
    low, high = quantiles[place - 1], quantiles[place]
    return float(1 - (place + (limit_kw - low) / (high - low)) / 100)


def _fading(beyond_kw: float, tenth_kw: float) -> float:
    """What is left of a tail so far out, where its share fell to a tenth over a stretch before."""
    return float(np.exp(-np.log(10) * beyond_kw / tenth_kw)) if tenth_kw > 0 else float(beyond_kw == 0)
