"""Detection: from a machine's series to episodes."""

from collections.abc import Sequence

import numpy as np

from enms.science.anomalies import budget as budgets
from enms.science.anomalies.budget import Budget
from enms.science.anomalies.describing import Evidence, described, rule_episode
from enms.science.anomalies.detector import Detector, key
from enms.science.anomalies.deviations import Deviations, studentised
from enms.science.anomalies.findings import Episode
from enms.science.anomalies.rules import strikes
from enms.science.anomalies.series import MachineSeries
from enms.science.anomalies.spans import Pauses, Span, joined, one_cause, spans_of
from enms.science.anomalies.tail import Tail
from enms.science.anomalies.tracks import Track
from enms.science.anomalies.views import View, features_of, view
from enms.science.arrays import Flags, Positions, Values

# The forest knows nothing of former intervals; what began earlier than this is known from then.
_FOREST_LOOKBACK_SECONDS = 86_400
_JOIN_SECONDS = 3 * 3_600
# What shows only while running (or idle) is one episode across a night (or a shift).
_LONGEST_PAUSE_SECONDS = 12 * 3_600
_ARTEFACT_SECONDS = 3_600


def detect(
    detector: Detector,
    series: MachineSeries,
    deviations: Deviations | None,
    start: int,
    end: int,
    *,
    contamination: float = 0.1,
    with_budget: bool = True,
) -> list[Episode]:
    """The episodes that overlap [start, end).

    Scores of an interval rest on it and on former ones alone: detection an hour later gives the same
    episodes, the last of them longer.

    Args:
        detector: Of the machine.
        series: From the detector's `lookback_seconds` before `start` (as far as there is any) to `end`.
        deviations: The same held against the baseline; None without one.
        start: Seconds since 1970.
        end: Likewise, at most the series' end.
        contamination: The forest's candidates are at most this share of what it is used to.
        with_budget: Whether the false-alarm budget holds; else all that is beyond 2 σ is a candidate.
    """
    z = studentised(deviations.comparison) if deviations else None
    seen = view(detector.models, series, deviations, z)
    limits = budgets.DEFAULT if with_budget else budgets.NONE
    struck = strikes(detector.rules, series)
    spans = one_cause(_spans(detector, seen, limits, _forest_track(detector, seen, start), contamination))
    evidence = Evidence(detector, seen, deviations, limits)
    by_rule = [rule_episode(evidence, strike) for strike in struck]
    by_score = [
        described(evidence, span)
        for span in spans
        if span.end > start and span.start < end and not _is_artefact(span, by_rule)
    ]
    wanted = [each for each in (*by_rule, *by_score) if each and each.end > start and each.start < end]
    return sorted(wanted, key=lambda each: (each.start, each.metric_name))


def _is_artefact(span: Span, struck: Sequence[Episode]) -> bool:
    """Whether a span lies within what a rule strikes, or right beside: a meter that stood still, a gap."""
    return any(
        span.start >= each.start - _ARTEFACT_SECONDS and span.end <= each.end + _ARTEFACT_SECONDS
        for each in struck
    )


def _spans(
    detector: Detector, seen: View, limits: Budget, forest: Track | None, contamination: float
) -> list[Span]:
    series = seen.series
    on_series = [(each, series.starts_at, series.step_seconds) for each in seen.tracks]
    on_grid = [(each, seen.grid, seen.grid_seconds) for each in seen.deviation_tracks]
    by_family: dict[str, list[Span]] = {}
    count = len(detector.tails)
    for track, starts_at, seconds in (*on_series, *on_grid):
        tail = detector.tails.get(key(track))
        if tail is not None:
            found = _of_track(track, tail, starts_at, seconds, limits, count)
            by_family.setdefault(track.family, []).extend(found)
    if forest is not None and detector.forest is not None:
        tail = detector.tails["isolation_forest"]
        allowed = forest.scores >= detector.forest.threshold(contamination)
        by_family["pattern"] = _of_track(
            forest, tail, series.starts_at, series.step_seconds, limits, count, allowed
        )
    pauses = Pauses(series.starts_at, series.running_share, _LONGEST_PAUSE_SECONDS)
    return [span for spans in by_family.values() for span in joined(spans, _JOIN_SECONDS, pauses)]


def _of_track(
    track: Track,
    tail: Tail,
    starts_at: Positions,
    seconds: int,
    limits: Budget,
    tracks: int,
    allowed: Flags | None = None,
) -> list[Span]:
    """The spans of one track; what each is expected to show falsely is shared by all tracks."""
    per_week: Values = tracks * tail.per_week(track.scores)
    with np.errstate(invalid="ignore"):
        odd = (per_week <= limits.warning_per_week) & (track.scores > tail.threshold)
    if allowed is not None:
        odd &= allowed
    return spans_of(track, per_week, odd, starts_at, seconds, _JOIN_SECONDS)


def _forest_track(detector: Detector, seen: View, start: int) -> Track | None:
    if detector.forest is None or "isolation_forest" not in detector.tails:
        return None
    rows = seen.series.starts_at >= start - _FOREST_LOOKBACK_SECONDS
    scores = detector.forest.scores(features_of(seen), rows)
    centre = detector.forest.threshold(0.5)
    spread = max(detector.forest.threshold(0.16) - centre, 1e-9)
    return Track("pattern", "isolation_forest", "pattern", 1, scores, (scores - centre) / spread)
