"""What detection hands over to be kept: the look, and the episodes it found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from typing import Any
from uuid import UUID

from enms.database.connection import Row
from enms.database.drivers import MachineContext
from enms.science.anomalies.findings import Episode


@dataclass(frozen=True, kw_only=True)
class FoundEpisode:
    """An episode with what people want to know of it.

    Attributes:
        episode: What detection found.
        summary: One plain sentence.
        summary_when_over: The same once it goes on no longer; None: there is no other.
        metric_unit: Unit of the metric; None where it has none.
        contributions: As the API shows them: feature, label, unit, share, value, expected_value, sigma.
        cost: What the deviation cost (saved, where negative); None where nothing tells it.
        currency: Of the cost.
        metadata: What else is to be kept with it.
    """

    episode: Episode
    summary: str
    summary_when_over: str | None = None
    metric_unit: str | None = None
    contributions: Sequence[Mapping[str, Any]] = ()
    cost: float | None = None
    currency: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Detection:
    """A look at a machine.

    Attributes:
        machine: The machine; its zone tells hours and weekdays.
        energy_type: The carrier.
        start: First instant that was looked at.
        end: The instant after the last.
        detector_id: What looked; None without a detector.
        actor: Who had it looked at.
        run_id: The job's run that did.
        join_seconds: Odd stretches of one kind no further apart are one episode.
    """

    machine: MachineContext
    energy_type: str
    start: datetime
    end: datetime
    detector_id: UUID | None
    actor: str
    run_id: UUID | None = None
    join_seconds: int = 7_200


def as_row(detection: Detection, found: FoundEpisode) -> Row:
    """An episode as a row of the table, without id and state."""
    episode = found.episode
    end = _instant(episode.end)
    return {
        "machine_id": detection.machine.id,
        "energy_type": detection.energy_type,
        "detector_id": detection.detector_id,
        "run_id": detection.run_id,
        "detected_at": _instant(episode.start),
        "last_seen_at": end,
        "ended_at": None if episode.is_ongoing else end,
        "anomaly_type": episode.kind,
        "severity": episode.severity,
        "metric_name": episode.metric_name,
        "metric_value": _finite(episode.metric_value),
        "expected_value": _finite(episode.expected_value),
        "deviation_percent": _finite(episode.deviation_percent),
        "deviation_std_dev": _finite(episode.sigma),
        "detection_method": episode.methods[0],
        "confidence_score": episode.confidence,
        "is_lasting": episode.is_lasting,
        "false_alarms_per_week": _finite(episode.false_alarms_per_week),
        "energy_kwh": _finite(episode.deviation_kwh),
        "cost": _finite(found.cost),
        "currency": found.currency,
        "metadata": {
            **found.metadata,
            "summaries": {"so_far": found.summary, "over": found.summary_when_over or found.summary},
            "metric_unit": found.metric_unit,
            "methods": list(episode.methods),
            "peak_at": _instant(episode.peak_at).isoformat(),
            "contributions": [
                {name: _finite(value) for name, value in each.items()} for each in found.contributions
            ],
        },
    }


def told(row: Row) -> Row:
    """An episode's row with the sentence that holds now: as what goes on, or as what is over.

    (Nobody finds an episode once more to say that it is over.)
    """
    metadata = row["metadata"]
    if "summaries" not in metadata:
        return row
    summary = metadata["summaries"]["so_far" if row["ended_at"] is None else "over"]
    return row | {"metadata": metadata | {"summary": summary}}


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _finite(value: Any) -> Any:
    """A value as JSON can tell it, without the last digits: those differ from window to window."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.9g}") if isfinite(value) else None
