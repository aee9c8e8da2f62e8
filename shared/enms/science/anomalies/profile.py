"""One quantity against itself: the same hours of earlier days or weeks, at the level of the last week."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from enms.science.anomalies.rolling import rolling_mean
from enms.science.anomalies.trailing import interquartile_mean, quantile_of, trailing
from enms.science.arrays import Positions, Values

type Season = Literal["none", "day", "working_day", "week"]

_HOUR = 3_600
_DAY = 24 * _HOUR
# What a fault lasts: an interval, a few hours, a day.
SPANS_SECONDS = (0, 3 * _HOUR, _DAY)
_LEVEL_SECONDS = 7 * _DAY
_SCALE_SECONDS = 28 * _DAY
# Level and scale move slowly: they are told anew each so often.
_LEVEL_EVERY_SECONDS = _HOUR
_SCALE_EVERY_SECONDS = 6 * _HOUR
_LEAST_SECONDS = _DAY
# Simple ones first: a finer one has to be better to be taken.
_SEASONS: tuple[Season, ...] = ("day", "working_day", "week")
_PERIODS = {"day": _DAY, "working_day": _DAY, "week": 7 * _DAY}
# Earlier days or weeks that are looked at, and how many of them have to be known.
_LOOK_BACK = {"day": 14, "working_day": 21, "week": 8}
_LEAST_KNOWN = {"day": 3, "working_day": 2, "week": 2}
# Of a week whose days differ, all of them make the level.
_LEAST_OF_LEVEL = {"none": _DAY, "day": _DAY, "working_day": 6 * _DAY, "week": 6 * _DAY}
_SATURDAY = 5
_EPOCH_WEEKDAY = 3
# A season is believed if it takes a tenth off the error, and does so day by day rather than by chance.
_WORTH_ITS_WHILE = 0.9
_SURE_SIGMA = 2.0
_LEAST_DAYS = 4
# Spread by a high quantile of the error: the median is nothing of a machine that mostly stands.
_SPREAD_QUANTILES = {0.8: 1.2816, 0.99: 2.5758, 1.0: 3.5}
_WINSORISED_AT = 4.0
_SLOT_SECONDS = 3 * _HOUR
# What the spread of all hours weighs against one earlier day's or week's of the hour.
_PRIOR_WEIGHT = 3.0


@dataclass(frozen=True)
class Expected:
    """What is usual of each interval, as known before it begins; NaN with too little history.

    Attributes:
        value: In the quantity's unit.
        scale: Standard deviation of the quantity around it; NaN too where it never moved.
    """

    value: Values
    scale: Values


def season_of(values: Values, starts_at: Positions, minute_of_day: Positions, step_seconds: int) -> Season:
    """What repeats in the values: each week, each day, or nothing that takes the error down by a tenth.

    Args:
        values: The quantity on a regular grid; NaN where unknown.
        starts_at: Start of each interval, seconds since 1970.
        minute_of_day: Its minute by the clock on the wall.
        step_seconds: Distance of the grid.
    """
    return seasons_at(values, starts_at, minute_of_day, step_seconds, [len(values)])[0]


def seasons_at(
    values: Values,
    starts_at: Positions,
    minute_of_day: Positions,
    step_seconds: int,
    lengths: Sequence[int],
) -> list[Season]:
    """`season_of` the first so many intervals, for each of several lengths at once."""
    clock = (starts_at, minute_of_day, step_seconds)
    # What is expected of an interval depends on earlier ones only: errors of a part are a part of the errors.
    errors = {"none": np.abs(values - _usual(values, *clock, "none"))} | {
        season: np.abs(values - _usual(values, *clock, season))
        for season in _SEASONS
        if step_seconds < _PERIODS[season]
    }
    days = (starts_at - starts_at[0]) // _DAY
    found = []
    for length in lengths:
        best: Season = "none"
        for season in _SEASONS:
            tried = errors.get(season)
            if tried is not None and _is_better(tried[:length], errors[best][:length], days[:length]):
                best = season
        found.append(best)
    return found


def expected_and_scale(
    values: Values, starts_at: Positions, minute_of_day: Positions, step_seconds: int, season: Season
) -> Expected:
    """What was to be expected of each interval by those before it.

    Args:
        values: The quantity on a regular grid; NaN where unknown.
        starts_at: Start of each interval, seconds since 1970.
        minute_of_day: Its minute by the clock on the wall: after a clock change the same hours stay the same.
        step_seconds: Distance of the grid.
        season: What repeats.
    """
    usual = _usual(values, starts_at, minute_of_day, step_seconds, season)
    error = values - usual
    scale = _spread(error, step_seconds)
    if season != "none":
        scale = scale * _slot_spread(error / scale, starts_at, minute_of_day, step_seconds, season)
    return Expected(usual, scale)


def span_means(values: Values, expected: Expected, step_seconds: int) -> Values:
    """Distance of each interval from what was expected, in standard deviations with its sign, over each span.

    Args:
        values: The quantity.
        expected: Of `expected_and_scale`.
        step_seconds: Distance of the grid.

    Returns:
        A row for each of `SPANS_SECONDS`: the interval alone, and the mean of those up to it; NaN where it
        can't be told.
    """
    alone = (values - expected.value) / expected.scale
    return np.stack([rolling_mean(alone, max(span // step_seconds, 1)) for span in SPANS_SECONDS])


def profile_scores(values: Values, expected: Expected, step_seconds: int) -> Values:
    """`span_means`, each in standard deviations of its own: what a row tells compares with another's."""
    alone, *means = span_means(values, expected, step_seconds)
    return np.stack([alone, *(mean / _spread(mean, step_seconds) for mean in means)])


def _is_better(error: Values, than: Values, days: Positions) -> bool:
    both = np.isfinite(error) & np.isfinite(than)
    counts = np.bincount(days[both])
    known = counts > 0
    if known.sum() < _LEAST_DAYS or error[both].mean() >= _WORTH_ITS_WHILE * than[both].mean():
        return False
    gains = np.bincount(days[both], weights=(than - error)[both])[known] / counts[known]
    return bool(gains.mean() > _SURE_SIGMA * gains.std(ddof=1) / np.sqrt(len(gains)))


def _usual(
    values: Values, starts_at: Positions, minute_of_day: Positions, step_seconds: int, season: Season
) -> Values:
    """The level of the last week, and by what the same hours differed from theirs."""
    level = _level(values, step_seconds, _LEAST_OF_LEVEL[season])
    if season == "none":
        return level
    shape = _seasonal(values - level, starts_at, minute_of_day, step_seconds, season)
    # Without its season a week's level is told by all hours alike, and a day's outage hardly moves it.
    known_better = _level(values - shape, step_seconds)
    level = np.where(np.isfinite(known_better), known_better, level)
    return level + _seasonal(values - level, starts_at, minute_of_day, step_seconds, season)


def _level(values: Values, step_seconds: int, least_seconds: int = _LEAST_SECONDS) -> Values:
    """Interquartile mean of the last week before each interval.

    As robust as need be; and unlike the median it doesn't jump with a machine that is on half of the time.
    """
    every = max(_LEVEL_EVERY_SECONDS // step_seconds, 1)
    count, least = (seconds // step_seconds for seconds in (_LEVEL_SECONDS, least_seconds))
    return trailing(values, interquartile_mean, count, every, least)


def _spread(error: Values, step_seconds: int) -> Values:
    """Standard deviation by what is known before; NaN where all of that is the same."""
    spread = np.full(len(error), np.nan)
    count, least = (seconds // step_seconds for seconds in (_SCALE_SECONDS, _LEAST_SECONDS))
    every = max(_SCALE_EVERY_SECONDS // step_seconds, 1)
    for quantile, normal in _SPREAD_QUANTILES.items():
        found = trailing(np.abs(error), partial(quantile_of, quantile=quantile), count, every, least)
        spread = np.where(np.isnan(spread) & (found > 0), found / normal, spread)
    return spread


def _seasonal(
    detrended: Values, starts_at: Positions, minute_of_day: Positions, step_seconds: int, season: Season
) -> Values:
    """Median of the same hours before, as a distance from the level."""
    places, weekday = _clock_grid(starts_at, minute_of_day, step_seconds)
    earlier = _earlier(_by_clock(detrended, places), weekday, step_seconds, season)
    usual: Values = _median(earlier, _LEAST_KNOWN[season])[places]
    return usual


def _median(rows: Values, least: int) -> Values:
    """Median of each column's known values; NaN where fewer than `least` are known."""
    enough = np.isfinite(rows).sum(axis=0) >= least
    found = np.full(rows.shape[1], np.nan)
    found[enough] = np.nanmedian(rows[:, enough], axis=0)
    return found


def _slot_spread(
    scores: Values, starts_at: Positions, minute_of_day: Positions, step_seconds: int, season: Season
) -> Values:
    """By which the same hours spread more, or less, than all."""
    places, weekday = _clock_grid(starts_at, minute_of_day, step_seconds)
    squares = _by_clock(np.minimum(np.abs(scores), _WINSORISED_AT) ** 2, places)
    width = max(_SLOT_SECONDS // step_seconds, 1)
    # Centred: what follows an hour of an earlier day is known by now.
    smooth = np.roll(rolling_mean(squares, width), -(width // 2))
    earlier = _earlier(smooth, weekday, step_seconds, season)
    known = np.isfinite(earlier)
    total = np.where(known, earlier, 0).sum(axis=0)
    variance = (_PRIOR_WEIGHT + total) / (_PRIOR_WEIGHT + known.sum(axis=0))
    spread: Values = np.sqrt(variance)[places]
    return spread


def _clock_grid(
    starts_at: Positions, minute_of_day: Positions, step_seconds: int
) -> tuple[Positions, Positions]:
    """Place of each interval on a grid of the clock on the wall, and the weekday of each place (0 = Monday).

    Doubled hours share their places, those of a skipped hour are empty.
    """
    ahead = minute_of_day * 60 - starts_at
    # The clock is half a day off UTC at most, and moves by an hour or so: the nearest distance is it.
    offset = _within_half_a_day(ahead[0])
    ahead = offset + _within_half_a_day(ahead - offset)
    places = (starts_at + ahead) // step_seconds
    first = int(places.min())
    clock = np.arange(first, int(places.max()) + 1) * step_seconds
    return places - first, (clock // _DAY + _EPOCH_WEEKDAY) % 7


def _within_half_a_day[T: (np.int64, Positions)](seconds: T) -> T:
    return (seconds + _DAY // 2) % _DAY - _DAY // 2


def _by_clock(values: Values, places: Positions) -> Values:
    known = np.isfinite(values)
    size = int(places.max()) + 1
    counts = np.bincount(places[known], minlength=size)
    sums = np.bincount(places[known], weights=values[known], minlength=size)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _earlier(values: Values, weekday: Positions, step_seconds: int, season: Season) -> Values:
    """The values one period ago, two, and so on: a row each; those of another kind of day are left out."""
    lag = round(_PERIODS[season] / step_seconds)
    is_free = weekday >= _SATURDAY
    rows = np.full((_LOOK_BACK[season], len(values)), np.nan)
    for count, row in enumerate(rows, start=1):
        back = count * lag
        if back >= len(values):
            break
        row[back:] = values[:-back]
        if season == "working_day":
            row[back:][is_free[back:] != is_free[:-back]] = np.nan
    return rows
