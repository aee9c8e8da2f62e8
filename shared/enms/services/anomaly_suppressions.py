"""Planned stops: periods of a machine in which nothing is raised."""

from datetime import UTC, datetime
from uuid import UUID

from enms.database import suppressions
from enms.database.connection import Database, Row
from enms.database.subjects import find_subject
from enms.database.suppressions import NewSuppression
from enms.errors import InvalidInputError
from enms.services.anomaly_shapes import Answer
from enms.services.periods import LONGEST


def add(
    database: Database, machine_id: UUID, start: datetime, end: datetime, reason: str, actor: str
) -> Answer:
    """Keeps a planned stop.

    Raises:
        InvalidInputError: It ends before it begins, or lasts longer than 400 days.
        NotFoundError: There is no such machine.
    """
    find_subject(database, "machine", machine_id, start, end)
    if end <= start:
        raise InvalidInputError(
            f"end: {end.isoformat()} does not lie after start {start.isoformat()}.",
            parameter="end",
            given=end.isoformat(),
            allowed="after start",
        )
    if end - start > LONGEST:
        raise InvalidInputError(
            f"end: a planned stop of more than {LONGEST.days} days would hide what is wrong for good.",
            parameter="end",
            given=end.isoformat(),
            allowed=f"at most {LONGEST.days} days after start",
        )
    return _shown(suppressions.add(database, NewSuppression(
        machine_id=machine_id, start_at=start, end_at=end, reason=reason, actor=actor,
    )))  # fmt: skip


def listed(database: Database, machine_id: UUID | None, at: datetime | None) -> Answer:
    """Those in force, or at an instant; the latest first.

    Raises:
        NotFoundError: There is no such machine.
    """
    if machine_id is not None:
        now = datetime.now(UTC)
        find_subject(database, "machine", machine_id, now, now)
    found = suppressions.in_force(database, machine_id, at)
    return {"total_count": len(found), "suppressions": [_shown(row) for row in found]}


def withdraw(database: Database, suppression_id: UUID, actor: str) -> Answer:
    """Takes one back; it stays on record. Twice is as once.

    Raises:
        NotFoundError: There is none with this id.
    """
    return _shown(suppressions.withdraw(database, suppression_id, actor))


def _shown(row: Row) -> Answer:
    return {
        "id": row["id"],
        "machine_id": row["machine_id"],
        "machine_name": row["machine_name"],
        "start": row["start_at"],
        "end": row["end_at"],
        "reason": row["reason"],
        "actor": row["actor"],
        "created_at": row["created_at"],
        "withdrawn_at": row["withdrawn_at"],
        "withdrawn_by": row["withdrawn_by"],
    }
