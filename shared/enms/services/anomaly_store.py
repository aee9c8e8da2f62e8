"""Keeps what detection finds: each episode once, however often and in whatever windows it is found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from enms.database import anomalies, anomaly_lists, watermarks
from enms.database.connection import Connection, rolled_back
from enms.services.anomaly_found import Detection, FoundEpisode, as_row
from enms.services.anomaly_ledger import Ledger
from enms.services.anomaly_shapes import Answer, shown

__all__ = ["Detection", "FoundEpisode", "Kept", "keep", "preview"]


@dataclass(frozen=True)
class Kept:
    """What became of the episodes that were found.

    Attributes:
        anomalies: Those that are kept, by their start, as the API shows them.
        held_back: Those that aren't raised: detected_at, ended_at, anomaly_type, severity, metric_name,
            deviation_percent, code (`false_alarm`: one that was resolved; `like_false_alarm`; `suppressed`),
            reason (a sentence), anomaly_id (the false alarm's), suppression_id.
    """

    anomalies: list[Answer]
    held_back: list[Answer]


def keep(
    connection: Connection,
    detection: Detection,
    found: Sequence[FoundEpisode],
    *,
    watermark: datetime | None = None,
) -> Kept:
    """Stores what was found, with its events, in the caller's transaction.

    Args:
        connection: In a transaction (`Database.transaction()`).
        detection: The look that found them.
        found: All episodes that overlap its period.
        watermark: Until where the machine's hours are done; it never goes back.

    Raises:
        ConflictError: Another detection of the machine goes on for longer than the lock's time-out.
    """
    machine_id, energy_type = detection.machine.id, detection.energy_type
    anomalies.take_turn(connection, machine_id, energy_type)
    ledger = Ledger(connection, detection, [as_row(detection, each) for each in found])
    ledger.take_all()
    ledger.end_what_is_over()
    ledger.write()
    if watermark is not None:
        watermarks.advance(connection, machine_id, energy_type, watermark)
    kept = anomaly_lists.by_ids(connection, list(ledger.kept)) if ledger.kept else []
    return Kept([shown(row) for row in kept], ledger.held_back)


def preview(connection: Connection, detection: Detection, found: Sequence[FoundEpisode]) -> Kept:
    """What `keep` would give, with nothing stored; what isn't stored yet has no id (None).

    Raises:
        ConflictError: Another detection of the machine goes on for longer than the lock's time-out.
    """
    with rolled_back(connection):
        kept = keep(connection, detection, found)
    known = {row["id"] for row in anomaly_lists.by_ids(connection, [each["id"] for each in kept.anomalies])}
    return replace(
        kept,
        anomalies=[each | {"id": each["id"] if each["id"] in known else None} for each in kept.anomalies],
    )
