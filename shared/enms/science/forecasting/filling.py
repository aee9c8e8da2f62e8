"""What is usual at a step of which nothing is known."""

import numpy as np

from enms.science.arrays import Flags, Positions, Values

# The weeks and days that are looked at before it; after it where none of them is known.
_WEEKS, _DAYS = 8, 7
_ENOUGH = 4


def filled(values: Values, known: Flags, steps_per_day: int) -> Values:
    """Unknown steps as the same hours of earlier weeks were.

    The median of the latest four weeks in which the same step of the week is known; where there is none, of
    the weeks after it; then of the days before and after it; then of everything known.

    Args:
        values: Steps of the local clock without a hole, shape (n,); what is at unknown ones doesn't count.
        known: Which are known, shape (n,).
        steps_per_day: Steps of a day.

    Returns:
        The known as they are, the others filled, shape (n,); all 0 where nothing is known.
    """
    if known.all():
        return values
    found = np.where(known, values, np.nan)
    source = found.copy()
    typical = float(np.median(values[known])) if known.any() else 0.0
    week = 7 * steps_per_day
    for reach in (
        week * np.arange(1, _WEEKS + 1),
        -week * np.arange(1, _WEEKS + 1),
        steps_per_day * np.arange(1, _DAYS + 1),
        -steps_per_day * np.arange(1, _DAYS + 1),
    ):
        gaps = np.flatnonzero(np.isnan(found))
        if len(gaps):
            found[gaps] = _nearest_median(source, gaps[:, None] - reach)
    found[np.isnan(found)] = typical
    return found


def _nearest_median(source: Values, places: Positions) -> Values:
    inside = (places >= 0) & (places < len(source))
    near = np.where(inside, source[np.clip(places, 0, len(source) - 1)], np.nan)
    near[np.cumsum(~np.isnan(near), axis=1) > _ENOUGH] = np.nan
    found = np.full(len(near), np.nan)
    some = ~np.isnan(near).all(axis=1)
    found[some] = np.nanmedian(near[some], axis=1)
    return found
