"""What is usual at a place of the week, holidays set apart."""

import numpy as np

from enms.science.arrays import Positions, Values
from enms.science.forecasting.window import Window

_SUNDAY = 6
# So that a place which has nothing to learn from still has what it was filled with.
_LEAST_WEIGHT = 1e-6


def places_of_week(window: Window) -> Positions:
    """Step of the week of all steps, past and to come; holidays are at Sunday's, shape (n + h,).

    Unless the past holidays were nearer to what is usual on their own weekday.
    """
    own = window.step_of_week
    holiday = window.is_holiday
    if not holiday.any():
        return own
    past = len(window)
    as_sunday = np.where(holiday, _SUNDAY * window.steps_per_day + window.step_of_day, own)
    judged = holiday[:past] & (window.weights > 0)
    if judged.any():
        usual = _means(own[:past], window.power_kw, window.weights * ~holiday[:past], window.week)
        off_own, off_sunday = (
            np.abs(window.power_kw[judged] - usual[places[:past][judged]]).mean()
            for places in (own, as_sunday)
        )
        if off_own <= off_sunday:
            return own
    return as_sunday


def weekly_median(window: Window, places: Positions, half_life_weeks: float) -> Values:
    """Weighted median of the past at each place of the week, shape (week,).

    Args:
        window: The past.
        places: Of its steps, shape (n,) or more.
        half_life_weeks: How old a value is that counts half as much as one of now.
    """
    past = len(window)
    age_weeks = np.arange(past)[::-1] / window.week
    weights = (window.weights + _LEAST_WEIGHT) * 0.5 ** (age_weeks / half_life_weeks)
    order = np.lexsort((window.power_kw, places[:past]))
    ranked = places[:past][order]
    sums = np.cumsum(weights[order])
    first = np.searchsorted(ranked, np.arange(window.week))
    after = np.searchsorted(ranked, np.arange(window.week), side="right")
    before = np.concatenate([[0.0], sums])
    middle = np.searchsorted(sums, (before[first] + before[after]) / 2)
    medians = window.power_kw[order][np.clip(middle, first, np.maximum(after - 1, first)).clip(max=past - 1)]
    # A place that the past doesn't have (its only day was a holiday, say) is as all of them.
    return np.where(after > first, medians, np.median(window.power_kw))


def _means(places: Positions, values: Values, weights: Values, count: int) -> Values:
    weights = weights + _LEAST_WEIGHT
    sums = np.bincount(places, weights * values, count)
    found: Values = sums / np.maximum(np.bincount(places, weights, count), _LEAST_WEIGHT)
    return found
