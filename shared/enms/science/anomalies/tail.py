"""How often a score as high as this comes of itself: the upper tail of a score, calibrated."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from enms.science.arrays import Flags, Values

_WEEK_SECONDS = 7 * 86_400
# Peaks over a quantile make the tail: over the highest that has enough of them, else over the last.
_QUANTILES = (0.97, 0.95, 0.9)
_ENOUGH_PEAKS, _LEAST_PEAKS = 15, 6
# A peak so far out that sound operation shows it once in so many calibrations is no part of sound operation.
_FAULTY_ONCE_IN = 200.0
_ROUNDS = 5


@dataclass(frozen=True)
class Tail:
    """Peaks over a threshold, whose excesses are exponential (Pickands 1975, Annals of Statistics 3; ξ = 0).

    Attributes:
        threshold: u, the score from which on peaks are counted.
        peaks_per_week: How often u is passed; adjoining intervals are one peak.
        scale: Mean excess.
    """

    threshold: float
    peaks_per_week: float
    scale: float

    def per_week(self, scores: Values) -> Values:
        """Expected number a week of peaks as high as each score; below u what u has. NaN stays NaN."""
        excess = np.maximum(scores - self.threshold, 0)
        rates: Values = self.peaks_per_week * np.exp(-np.minimum(excess / self.scale, 700))
        return rates

    def score_of(self, per_week: float) -> float:
        """The score that is passed so often a week."""
        if per_week >= self.peaks_per_week:
            return self.threshold
        return self.threshold + self.scale * float(np.log(self.peaks_per_week / per_week))

    def as_dict(self) -> dict[str, Any]:
        """For a detector's document."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Of a detector's document."""
        return cls(**document)


def normal_tail(step_seconds: int) -> Tail:
    """The tail of independent standard normal scores: peaks over 2 σ, whose mean excess is 0.373 σ."""
    return Tail(2.0, 0.0228 * _WEEK_SECONDS / step_seconds, 0.373)


def calibrate(scores: Values, step_seconds: int, join: int) -> Tail | None:
    """The tail of scores of operation that is sound but for a few faults; None with too little to tell.

    Faults that nobody marked would make the tail heavy: peaks that the others' tail all but excludes are
    left out, over and over until none is.

    Args:
        scores: Of consecutive intervals; NaN where one couldn't be judged.
        step_seconds: Length of an interval.
        join: Intervals without a peak that don't yet part two peaks.
    """
    judged = scores[np.isfinite(scores)]
    if not len(judged):
        return None
    for threshold in np.quantile(judged, _QUANTILES).tolist():
        peaks = cluster_maxima(scores, scores > threshold, join)
        if len(peaks) >= _ENOUGH_PEAKS:
            break
    if len(peaks) < _LEAST_PEAKS:
        return None
    weeks = len(judged) * step_seconds / _WEEK_SECONDS
    excess = peaks - threshold
    kept = excess
    for _ in range(_ROUNDS):
        scale = float(kept.mean())
        sound = excess <= scale * np.log(len(kept) * _FAULTY_ONCE_IN)
        if sound.sum() == len(kept):
            break
        kept = excess[sound]
    return Tail(threshold, len(kept) / weeks, max(float(kept.mean()), 1e-9))


def cluster_maxima(scores: Values, is_over: Flags, join: int) -> Values:
    """The largest score of each run of intervals over the threshold, runs at most `join` apart being one."""
    places = np.flatnonzero(is_over)
    if not len(places):
        return np.zeros(0)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(places) > join + 1) + 1])
    maxima: Values = np.maximum.reduceat(scores[places], starts)
    return maxima
