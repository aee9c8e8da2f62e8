"""From odd intervals to stretches of time: where each begins and ends, and which are one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from enms.science.anomalies.runs import runs_of
from enms.science.anomalies.tracks import Track
from enms.science.arrays import Flags, Positions, Values

# An interval further out than this adds to an episode, a nearer one takes away; one alone counts for so much.
_BELONGS_Z, _MOST_Z = 1.0, 4.0
# Where so much was taken away, what lies beyond is another matter.
_TURN_BACK_Z = 6.0
_LONGEST_BEGINNING_SECONDS = 5 * 86_400
# Episodes of different quantities that begin within this time of each other have one cause.
_SAME_CAUSE_SECONDS = 4 * 3_600
# Shares of running time that far apart are of two states.
_OTHER_STATE = 0.5


@dataclass(frozen=True)
class Span:
    """A stretch of odd intervals.

    Attributes:
        family: See `tracks.Family`; of a rule `rule:<kind>`.
        start: Seconds since 1970.
        end: The instant after the last odd interval.
        per_week: How often the oddest interval's score comes of itself.
        peak_at: Start of that interval.
        tracks: Tracks that saw it, the clearest first.
    """

    family: str
    start: int
    end: int
    per_week: float
    peak_at: int
    tracks: tuple[Track, ...]


def spans_of(
    track: Track, per_week: Values, odd: Flags, starts_at: Positions, step_seconds: int, join_seconds: int
) -> list[Span]:
    """The stretches that one track sees.

    Args:
        track: The track.
        per_week: Expected false alarms a week at each score.
        odd: Candidates.
        starts_at: Start of each interval.
        step_seconds: Length of an interval.
        join_seconds: Odd intervals no further apart are one stretch.
    """
    longest = _LONGEST_BEGINNING_SECONDS // step_seconds
    found = []
    for first, end in runs_of(odd, join_seconds // step_seconds):
        peak = first + int(np.argmin(np.where(odd[first:end], per_week[first:end], np.inf)))
        begun, last = _extent(track.z, max(first - longest, 0), peak, end)
        found.append(
            Span(
                track.family,
                int(starts_at[begun]),
                int(starts_at[last - 1]) + step_seconds,
                float(per_week[peak]),
                int(starts_at[peak]),
                (track,),
            )
        )
    return found


@dataclass(frozen=True)
class Pauses:
    """When a fault that shows in one state of the machine can't show: the machine was in the other.

    Attributes:
        starts_at: Start of each interval, seconds since 1970.
        running_share: Share of it in mode `running`; NaN where no mode is told.
        longest_seconds: Of a pause.
    """

    starts_at: Positions
    running_share: Values
    longest_seconds: int

    def lie_between(self, one: Span, other: Span) -> bool:
        """Whether two spans are of one state of the machine, and what lies between them is of the other."""
        if other.start - one.end > self.longest_seconds:
            return False
        before, between, after = (
            self._running(start, end)
            for start, end in ((one.start, one.end), (one.end, other.start), (other.start, other.end))
        )
        alike = abs(before - after) < _OTHER_STATE
        return alike and abs(between - (before + after) / 2) > _OTHER_STATE

    def _running(self, start: int, end: int) -> float:
        shares = self.running_share[(self.starts_at >= start) & (self.starts_at < end)]
        known = shares[np.isfinite(shares)]
        return float(known.mean()) if len(known) else float("nan")


def joined(spans: Sequence[Span], join_seconds: int, pauses: Pauses) -> list[Span]:
    """Spans of a family as one where they overlap, lie close, or the machine paused in between."""
    result: list[Span] = []
    for span in sorted(spans, key=lambda each: (each.start, each.end)):
        if result and (span.start - result[-1].end <= join_seconds or pauses.lie_between(result[-1], span)):
            result[-1] = _union(result[-1], span)
        else:
            result.append(span)
    return result


def one_cause(spans: Sequence[Span]) -> list[Span]:
    """Spans of several families as one where they have one cause; the rarest names it."""
    result: list[Span] = []
    for span in sorted(spans, key=lambda each: each.per_week):
        place = next((i for i, other in enumerate(result) if _go_together(span, other)), None)
        if place is None:
            result.append(span)
        else:
            family = result[place].family
            result[place] = replace(_union(result[place], span), family=family)
    return sorted(result, key=lambda each: each.start)


def _extent(z: Values, low: int, peak: int, high: int) -> tuple[int, int]:
    """The stretch around a peak over which the sum of z less what is usual is largest."""
    gains = np.where(np.isfinite(z), np.minimum(z, _MOST_Z) - _BELONGS_Z, 0.0)
    return peak - _reach(gains[low:peak][::-1]), peak + 1 + _reach(gains[peak + 1 : high])


def _reach(gains: Values) -> int:
    """How far to go for the largest sum, turning back where it has fallen too far."""
    sums = np.cumsum(gains)
    best = np.maximum.accumulate(np.maximum(sums, 0))
    fallen = np.flatnonzero(best - sums > _TURN_BACK_Z)
    within = sums[: fallen[0]] if len(fallen) else sums
    return int(np.argmax(within)) + 1 if len(within) and within.max() > 0 else 0


def _go_together(span: Span, other: Span) -> bool:
    overlap = min(span.end, other.end) - max(span.start, other.start)
    if overlap <= 0:
        return False
    shorter = min(span.end - span.start, other.end - other.start)
    longer = max(span.end - span.start, other.end - other.start)
    began_together = abs(span.start - other.start) <= _SAME_CAUSE_SECONDS
    return began_together or 2 * overlap >= longer or (span.family == "pattern" and 2 * overlap >= shorter)


def _union(one: Span, other: Span) -> Span:
    clearer, fainter = (one, other) if one.per_week <= other.per_week else (other, one)
    known = {id(each) for each in clearer.tracks}
    more = tuple(each for each in fainter.tracks if id(each) not in known)
    return replace(
        clearer,
        start=min(one.start, other.start),
        end=max(one.end, other.end),
        tracks=(*clearer.tracks, *more),
    )
