"""Statistics of what came before each interval, that take the values in order of size."""

from collections.abc import Callable

import numpy as np

from enms.science.arrays import Positions, Values

# At once, so that a long series doesn't take its length times the window of memory.
_MOST_CELLS = 4_000_000


def trailing(
    values: Values,
    statistic: Callable[[Values, Positions], Values],
    count: int,
    every: int,
    least: int,
) -> Values:
    """A statistic of so many values before each, told anew at each `every`th; NaN with too few known.

    Args:
        values: A quantity.
        statistic: Of rows in order of size, of which the first so many are known.
        count: Intervals that are looked back at.
        every: Intervals for which it stays the same.
        least: Intervals that have to be known.
    """
    count, least = max(count, 2), max(least, 2)
    padded = np.concatenate([np.full(count, np.inf), np.where(np.isfinite(values), values, np.inf)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, count)[: len(values) : every]
    found = np.full(len(windows), np.nan)
    rows_at_once = max(_MOST_CELLS // count, 1)
    for first in range(0, len(windows), rows_at_once):
        ordered = np.sort(windows[first : first + rows_at_once], axis=1)
        known = np.isfinite(ordered).sum(axis=1)
        told = statistic(ordered, np.maximum(known, 1))
        found[first : first + rows_at_once] = np.where(known >= least, told, np.nan)
    return np.repeat(found, every)[: len(values)]


def interquartile_mean(ordered: Values, known: Positions) -> Values:
    """Mean of the middle half of each row."""
    sums = np.cumsum(np.where(np.isfinite(ordered), ordered, 0.0), axis=1)
    low, high = known // 4, known - known // 4
    above = np.take_along_axis(sums, high[:, None] - 1, axis=1)[:, 0]
    below = np.take_along_axis(sums, np.maximum(low - 1, 0)[:, None], axis=1)[:, 0]
    mean: Values = (above - np.where(low > 0, below, 0.0)) / (high - low)
    return mean


def quantile_of(ordered: Values, known: Positions, quantile: float) -> Values:
    """A quantile of each row, one of its values."""
    place = np.maximum(np.ceil(quantile * known).astype(np.int64) - 1, 0)
    found: Values = np.take_along_axis(ordered, place[:, None], axis=1)[:, 0]
    return found
