"""How often a score comes of itself, told at each time by what came before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from enms.science.anomalies.tail import Tail, calibrate, cluster_maxima
from enms.science.arrays import Values

_HOUR = 3_600
_DAY = 24 * _HOUR
_WEEK = 7 * _DAY
# Tails are told anew as history has grown by this, at least each week and at most each day.
_GROWTH = 1 / 8
JOIN_SECONDS = 2 * _HOUR
# With few peaks the tail is a guess, which so many peaks outweigh: that of an exponential score.
_QUANTILE = 0.97
_PRIOR_PEAKS = 4.0
_PRIOR_SCALE = 0.3
_LEAST_JUDGED = 48


@dataclass(frozen=True)
class Spell:
    """Intervals that are judged by the same history.

    Attributes:
        start: The first of them.
        end: The one after the last.
        known: Intervals that had been when it was told what is usual: up to `start`, but for the training.
    """

    start: int
    end: int
    known: int


def spells(training: int, count: int, step_seconds: int) -> Iterator[Spell]:
    """Parts a file: training by itself, then growing spells by all that comes before each."""
    day, week = (max(each // step_seconds, 1) for each in (_DAY, _WEEK))
    yield Spell(0, training, training)
    start = training
    while start < count:
        end = min(start + int(np.clip(start * _GROWTH, day, week)), count)
        yield Spell(start, end, start)
        start = end


def rates(scores: Values, parts: Sequence[Spell], step_seconds: int) -> Values:
    """Expected false alarms a week at each score; NaN where too little history tells.

    An alarm counts once for each hour that it lasts: neither many short ones nor few long ones are welcome.
    """
    found = np.full(len(scores), np.nan)
    join = join_intervals(step_seconds)
    for part in parts:
        before = scores[: part.known]
        tail = calibrate(before, step_seconds, join) or _early_tail(before, step_seconds, join)
        if tail is not None:
            counted = _by_hours(tail, before)
            found[part.start : part.end] = _per_week(counted, scores[part.start : part.end], step_seconds)
    return found


def join_intervals(step_seconds: int) -> int:
    """Usual intervals that don't yet part two odd ones."""
    return max(JOIN_SECONDS // step_seconds, 2)


def _by_hours(tail: Tail, before: Values) -> Tail:
    """The tail with a peak counted as often as it lasts hours, where that is more."""
    judged = before[np.isfinite(before)]
    hours_a_week = float((judged > tail.threshold).mean()) * _WEEK / _HOUR
    return replace(tail, peaks_per_week=max(tail.peaks_per_week, hours_a_week))


def _per_week(tail: Tail, scores: Values, step_seconds: int) -> Values:
    """As the tail tells, and on by the same law below its threshold: so that lower scores are told apart."""
    exponent = np.clip((tail.threshold - scores) / tail.scale, -600, 50)
    return np.minimum(tail.peaks_per_week * np.exp(exponent), _WEEK / step_seconds)


def _early_tail(scores: Values, step_seconds: int, join: int) -> Tail | None:
    """A tail of few peaks, shrunk to what is common."""
    judged = scores[np.isfinite(scores)]
    if len(judged) < _LEAST_JUDGED:
        return None
    threshold = float(np.quantile(judged, _QUANTILE))
    excess = cluster_maxima(scores, scores > threshold, join) - threshold
    # Of an exponential law the mean is the median ÷ ln 2, which one fault among the peaks doesn't move.
    mean = float(np.median(excess)) / np.log(2) if len(excess) else 0.0
    prior = _PRIOR_SCALE * max(threshold, 1e-9)
    scale = (len(excess) * mean + _PRIOR_PEAKS * prior) / (len(excess) + _PRIOR_PEAKS)
    weeks = len(judged) * step_seconds / _WEEK
    return Tail(threshold, max(len(excess), 1) / weeks, max(scale, 1e-9))
