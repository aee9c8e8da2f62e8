"""How well detection does: its episodes beside the faults that there really were.

An episode that overlaps a fault, or the hour after it, is true. Several of one fault count once, as split.
One that overlaps none is false.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

import numpy as np

from benchmarks.anomaly_factory import FactoryCase
from benchmarks.anomaly_faults import size_class
from benchmarks.anomaly_series import HOUR_SECONDS
from enms.science.anomalies.findings import Episode, Severity
from enms_local.demo.faults import KINDS, Fault

TOLERANCE_SECONDS = 3600
# Detection of an hour runs five minutes after it.
RUNS_AFTER_SECONDS = 300
# Hourly detection is replayed until so long after a fault's end.
_REPLAYED_AFTER_SECONDS = 6 * HOUR_SECONDS
CONFIDENCE_EDGES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_WEEK_SECONDS = 7 * 86_400
_ORDER: tuple[Severity, ...] = ("warning", "critical")

type Detect = Callable[[FactoryCase, int, int, int], list[Episode]]
"""Of a case: what is found in [start, end) when nothing is known from `known_until` on."""


@dataclass(frozen=True)
class Match:
    """A fault with what was found of it.

    Attributes:
        fault: The fault.
        episodes: Those that overlap it, by start; none where it was missed.
    """

    fault: Fault
    episodes: tuple[Episode, ...]

    @property
    def is_found(self) -> bool:
        """Whether anything was."""
        return bool(self.episodes)

    @property
    def size(self) -> str | None:
        """Its class of size; None where size means nothing."""
        return size_class(self.fault)


@dataclass(frozen=True)
class Judgement:
    """What came of some machines' months.

    Attributes:
        matches: Their faults.
        true: Episodes that overlap a fault, each with the one that it overlaps most.
        false: Episodes that overlap none.
        weeks: Machine-weeks that were judged.
    """

    matches: tuple[Match, ...]
    true: tuple[tuple[Episode, Fault], ...]
    false: tuple[Episode, ...]
    weeks: float

    def of_sizes(self, *sizes: str | None) -> "Judgement":
        """The same with the faults of these sizes only, and every false episode held against them."""
        return Judgement(
            tuple(match for match in self.matches if match.size in sizes),
            tuple((episode, fault) for episode, fault in self.true if size_class(fault) in sizes),
            self.false,
            self.weeks,
        )

    def of_kind(self, kind: str) -> "Judgement":
        """The same with the faults of a kind only, and the false episodes that were taken for it."""
        return Judgement(
            tuple(match for match in self.matches if match.fault.kind == kind),
            tuple((episode, fault) for episode, fault in self.true if fault.kind == kind),
            tuple(episode for episode in self.false if episode.kind == KINDS[kind][0]),
            self.weeks,
        )

    @property
    def found(self) -> int:
        """Faults of which anything was found."""
        return sum(match.is_found for match in self.matches)

    @property
    def split(self) -> int:
        """Episodes beyond the first of their fault."""
        return sum(max(0, len(match.episodes) - 1) for match in self.matches)

    @property
    def recall(self) -> float:
        """Share of the faults that were found."""
        return self.found / len(self.matches) if self.matches else float("nan")

    @property
    def precision(self) -> float:
        """Found faults ÷ found faults and false episodes."""
        judged = self.found + len(self.false)
        return self.found / judged if judged else float("nan")

    @property
    def right_kind(self) -> float:
        """Share of the true episodes that are taken for what they are."""
        right = [episode.kind == KINDS[fault.kind][0] for episode, fault in self.true]
        return sum(right) / len(right) if right else float("nan")

    def false_per_week(self, least: Severity) -> float:
        """False episodes of at least this severity, a machine and week."""
        counted = _ORDER[_ORDER.index(least) :]
        return sum(episode.severity in counted for episode in self.false) / self.weeks

    def confidence(self) -> list["ConfidenceBin"]:
        """Stated confidence beside the share that is true, by bins of it."""
        told = np.array([episode.confidence for episode, _ in self.true] + [e.confidence for e in self.false])
        is_true = np.arange(len(told)) < len(self.true)
        place = np.digitize(told, CONFIDENCE_EDGES[1:-1])
        return [
            ConfidenceBin(low, int(inside.sum()), float(told[inside].mean()), float(is_true[inside].mean()))
            for row, low in enumerate(CONFIDENCE_EDGES[:-1])
            if (inside := place == row).any()
        ]


@dataclass(frozen=True)
class ConfidenceBin:
    """Episodes of a like confidence.

    Attributes:
        low: The bin's lower edge.
        count: How many.
        stated: Their mean confidence.
        true: Share of them that is true.
    """

    low: float
    count: int
    stated: float
    true: float


def judge(found: Iterable[tuple[FactoryCase, Sequence[Episode]]]) -> Judgement:
    """Holds the episodes of each machine's test against its faults."""
    matches: list[Match] = []
    true: list[tuple[Episode, Fault]] = []
    false: list[Episode] = []
    seconds = 0
    for case, episodes in found:
        for fault in case.truth:
            theirs = sorted((e for e in episodes if overlap(e, fault) > 0), key=lambda e: e.start)
            matches.append(Match(fault, tuple(theirs)))
        for episode in episodes:
            overlapped = [fault for fault in case.truth if overlap(episode, fault) > 0]
            if overlapped:
                true.append((episode, max(overlapped, key=partial(overlap, episode))))
            else:
                false.append(episode)
        seconds += case.series.end - case.tested_from
    return Judgement(tuple(matches), tuple(true), tuple(false), seconds / _WEEK_SECONDS)


def overlap(episode: Episode, fault: Fault) -> float:
    """Seconds that the episode has in common with the fault and the hour after it."""
    start, end = fault.start_at.timestamp(), fault.end_at.timestamp() + TOLERANCE_SECONDS
    return min(float(episode.end), end) - max(float(episode.start), start)


def delay_seconds(case: FactoryCase, fault: Fault, detect: Detect) -> float | None:
    """From a fault's start to the hourly run that tells of it first; None where none does.

    Each run knows what is before its hour's end and asks for that hour, as the job does.
    """
    start = int(fault.start_at.timestamp())
    last = int(fault.end_at.timestamp()) + _REPLAYED_AFTER_SECONDS
    for hour_end in range((start // HOUR_SECONDS + 1) * HOUR_SECONDS, last + 1, HOUR_SECONDS):
        if hour_end > case.series.end:
            return None
        episodes = detect(case, hour_end - HOUR_SECONDS, hour_end, hour_end)
        if any(overlap(episode, fault) > 0 for episode in episodes):
            return hour_end + RUNS_AFTER_SECONDS - start
    return None


def median_delays(delays: Iterable[tuple[str, float | None]]) -> Mapping[str, float]:
    """Median by kind; a fault that no run tells of counts as endless."""
    by_kind: dict[str, list[float]] = {}
    for kind, seconds in delays:
        by_kind.setdefault(kind, []).append(float("inf") if seconds is None else seconds)
    return {kind: median(seconds) for kind, seconds in by_kind.items()}
