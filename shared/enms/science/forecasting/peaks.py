"""Forecast paths whose peaks are as far off as the peaks of earlier forecasts were.

Paths that are put together hour by hour take the hours for less bound to each other than they are: the peak
of a whole shift that does not come is too rare in them. Half of a path's peak is therefore that of the errors
that earlier forecasts made of theirs, at a like level and of late.
"""

import numpy as np

from enms.science.arrays import Values
from enms.science.forecasting.conformal import PastErrors

_LEAST_ORIGINS = 10
# Peaks further apart in rank count less, and those of earlier days (half-life in horizons, at least days).
_RANKS, _HALF_LIFE = 0.2, 20.0
# Quantiles of n peaks are taken further out by this part of an nth.
_WIDER = 1.5


def with_likely_peaks(paths_kw: Values, past: PastErrors, point: Values, origin: int, period: int) -> Values:
    """Paths, each stretched so that its peak is likely.

    Args:
        paths_kw: Shape (m, h).
        past: Errors of earlier forecasts.
        point: The forecast, shape (h,).
        origin: Its first step on the local clock.
        period: Steps after which an origin tells something new.

    Returns:
        Shape (m, h); as given where too few earlier peaks are known.
    """
    known = ~np.isnan(past.errors_kw).any(axis=1)
    if np.count_nonzero(known) < _LEAST_ORIGINS:
        return paths_kw
    said = past.points_kw[known].max(axis=1)
    off = (past.points_kw + past.errors_kw)[known].max(axis=1) - said
    levels = np.sort(said)
    apart = (np.searchsorted(levels, said) - np.searchsorted(levels, point.max())) / (len(levels) * _RANKS)
    weights = np.exp(-(apart**2) / 2) * 0.5 ** ((origin - past.first_steps[known]) / (_HALF_LIFE * period))
    highest = paths_kw.max(axis=1)
    shares = (highest.argsort(kind="stable").argsort(kind="stable") + 0.5) / len(highest)
    likely = (highest + np.maximum(point.max() + _quantiles(off, weights, shares), 0.0)) / 2
    stretched: Values = paths_kw * (likely / np.where(highest > 0, highest, 1.0))[:, None]
    return stretched


def _quantiles(values: Values, weights: Values, shares: Values) -> Values:
    count = weights.sum() ** 2 / (weights**2).sum()
    outer = np.clip(0.5 + (shares - 0.5) * (1 + _WIDER / count), 0.0, 1.0)
    order = np.argsort(values)
    weights = weights[order]
    middles = (np.cumsum(weights) - weights / 2) / weights.sum()
    return np.interp(outer, middles, values[order])
