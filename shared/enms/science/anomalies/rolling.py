"""Means over the last intervals, and how far they usually scatter."""

import numpy as np

from enms.science.arrays import Values

_MAD_TO_STD = 1.4826
# Of a window, what must be known for its mean to count.
_LEAST_KNOWN = 0.5


def rolling_mean(values: Values, window: int) -> Values:
    """Mean of the last `window` values, those that are known; NaN where less than half of them is."""
    if window == 1:
        return values
    known = np.isfinite(values)
    sums = np.cumsum(np.concatenate([[0.0], np.where(known, values, 0.0)]))
    counts = np.cumsum(np.concatenate([[0], known]))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0)
    count = counts[ends] - counts[starts]
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Values = (sums[ends] - sums[starts]) / count
    means[(count < _LEAST_KNOWN * window) | ~known] = np.nan
    return means


def spread_of(values: Values) -> float:
    """Standard deviation around zero as the middle of the values tells it, whatever a few outliers do."""
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan")
    robust = _MAD_TO_STD * float(np.median(np.abs(known)))
    # More than half of the values may be all the same.
    return robust or float(np.sqrt(np.mean(known**2)))
