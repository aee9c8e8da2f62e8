"""What people do with an anomaly: acknowledge it, and resolve it, which may teach something."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any, Literal
from uuid import UUID

from enms.database import anomalies, anomaly_life, anomaly_lists, feedback
from enms.database.anomalies import Event
from enms.database.anomaly_life import ClosedState
from enms.database.connection import Connection, Database, Row
from enms.errors import ConflictError
from enms.services.anomaly_feedback import Pattern
from enms.services.anomaly_lists import not_found
from enms.services.anomaly_shapes import UNRESOLVED, Answer, shown

type Outcome = Literal["fixed", "false_alarm", "expected"]

_CLOSED: Mapping[Outcome, ClosedState] = {
    "fixed": "resolved",
    "false_alarm": "false_alarm",
    "expected": "expected",
}
_WORDS: Mapping[str, str] = {"resolved": "resolved", "false_alarm": "a false alarm", "expected": "expected"}


def acknowledge(database: Database, anomaly_id: UUID, actor: str, notes: str | None) -> Answer:
    """Notes that somebody looks after it; twice is as once.

    Raises:
        ConflictError: It is resolved.
        NotFoundError: There is none with this id.
    """
    with database.transaction() as connection:
        changed = anomaly_life.acknowledge(connection, anomaly_id, actor)
        row = _row(connection, anomaly_id)
        if changed:
            anomalies.note(connection, [Event(anomaly_id, "acknowledged", actor, notes)])
        elif row["state"] not in UNRESOLVED:
            raise _resolved_already(row)
    return shown(row)


def resolve(database: Database, anomaly_id: UUID, actor: str, notes: str | None, outcome: Outcome) -> Answer:
    """Closes it; a false alarm is learned from, so that its like isn't raised again.

    Raises:
        ConflictError: It is resolved already; the message and details tell by whom and when.
        NotFoundError: There is none with this id.
    """
    with database.transaction() as connection:
        changed = anomaly_life.resolve(connection, anomaly_id, _CLOSED[outcome], actor, notes)
        row = _row(connection, anomaly_id)
        if not changed:
            raise _resolved_already(row)
        detail: dict[str, Any] = {"outcome": outcome}
        # What another program found has no bounds that ours could be held against.
        if outcome == "false_alarm" and row["last_seen_at"] is not None:
            detail["learned"] = _learn(connection, row, actor)
        anomalies.note(connection, [Event(anomaly_id, "resolved", actor, notes, detail)])
    return shown(row)


def _learn(connection: Connection, row: Row, actor: str) -> str:
    """Keeps the bounds of a false alarm; gives them in words."""
    pattern = Pattern.of(row, anomaly_life.zone_of(connection, row["machine_id"]))
    feedback.learn(
        connection,
        row["machine_id"],
        row["energy_type"],
        row["id"],
        row["anomaly_type"],
        pattern.as_dict(),
        actor,
    )
    return pattern.words()


def _row(connection: Connection, anomaly_id: UUID) -> Row:
    found = anomaly_lists.by_ids(connection, [anomaly_id])
    if not found:
        raise not_found(anomaly_id)
    return found[0]


def _resolved_already(row: Row) -> ConflictError:
    actor = row["resolved_by"] or "another program"
    at = row["resolved_at"]
    when = f" on {at.astimezone(UTC):%Y-%m-%d at %H:%M} UTC" if at else ""
    return ConflictError(
        f"{actor} closed this anomaly{when} as {_WORDS[row['state']]}: it can't be changed any more.",
        anomaly_id=str(row["id"]),
        state=row["state"],
        actor=row["resolved_by"],
        at=at.isoformat() if at else None,
    )
