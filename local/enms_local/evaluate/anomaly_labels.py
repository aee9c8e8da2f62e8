"""Episodes held against labels: what was found, and what was a false alarm."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from enms.science.anomalies.runs import runs_of
from enms.science.arrays import Flags, Values
from enms_local.evaluate.anomaly_episodes import FileEpisode
from enms_local.evaluate.anomaly_file import AnomalyFile

_WEEK = 7 * 86_400


@dataclass(frozen=True)
class Labels:
    """How detection fared after training.

    An event is a run of labelled rows; it is found if an episode touches it.

    Attributes:
        precision: Share of the episodes that touch an event; None without episodes.
        recall: Share of the events that were found; None without events.
        f1: Harmonic mean of the two; None where one is unknown.
        events_found: Events that an episode touches.
        events: All of them.
        false_alarms_per_week: Episodes that touch none, a week of sound time.
        falsely_flagged_share: Of the rows outside events, those in an episode.
        area_under_curve: Probability that a row in an event scores higher than one outside; None without
            either.
    """

    precision: float | None
    recall: float | None
    f1: float | None
    events_found: int
    events: int
    false_alarms_per_week: float
    falsely_flagged_share: float
    area_under_curve: float | None


def hold_against(
    file: AnomalyFile, episodes: Sequence[FileEpisode], scores: Values, flags: Flags
) -> Labels | None:
    """Holds episodes against the rows' labels; None without labels.

    Args:
        file: The intervals.
        episodes: What was found.
        scores: Of the rows after training.
        flags: Whether they lie in an episode.
    """
    if file.labels is None:
        return None
    labels = file.labels[file.later]
    places = file.places[file.later]
    events = runs_of(labels)
    found = sum(bool(flags[slice(*event)].any()) for event in events)
    is_event = np.zeros(len(file.values), dtype=bool)
    is_event[places[labels]] = True
    true = sum(bool(is_event[slice(*episode.run)].any()) for episode in episodes)
    precision = true / len(episodes) if episodes else None
    recall = found / len(events) if events else None
    sound = int((~labels).sum())
    weeks = sound / len(labels) * (len(file.values) - file.training) * file.step_seconds / _WEEK
    return Labels(
        precision=precision,
        recall=recall,
        f1=_harmonic(precision, recall),
        events_found=found,
        events=len(events),
        false_alarms_per_week=(len(episodes) - true) / weeks if weeks else 0.0,
        falsely_flagged_share=float(flags[~labels].mean()) if sound else 0.0,
        area_under_curve=_area(labels, scores),
    )


def _harmonic(precision: float | None, recall: float | None) -> float | None:
    if precision is None or recall is None:
        return None
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _area(labels: Flags, scores: Values) -> float | None:
    """Mann-Whitney's U ÷ the number of pairs."""
    inside, outside = int(labels.sum()), int((~labels).sum())
    if not inside or not outside:
        return None
    ranks = rankdata(scores)
    return float((ranks[labels].sum() - inside * (inside + 1) / 2) / (inside * outside))
