"""Non-routine adjustments: what people say of events that no driver explains."""

from datetime import UTC, datetime
from uuid import UUID

from enms.database import adjustments
from enms.database.adjustments import NewAdjustment
from enms.database.connection import Database, Row
from enms.database.subjects import find_subject
from enms.errors import InvalidInputError
from enms.services.models import Answer


def add(database: Database, new: NewAdjustment) -> Answer:
    """Keeps an adjustment, or the refusal of a proposed one.

    Raises:
        InvalidInputError: It ends before it begins, or adjusts nothing.
        NotFoundError: There is no such machine.
    """
    find_subject(database, "machine", new.machine_id, new.start_at, new.end_at or datetime.now(UTC))
    if new.end_at is not None and new.end_at <= new.start_at:
        raise InvalidInputError(
            f"end: {new.end_at.isoformat()} does not lie after start {new.start_at.isoformat()}.",
            parameter="end",
            given=new.end_at.isoformat(),
            allowed="after start, or none while it lasts",
        )
    if new.decision == "accepted" and new.kwh_per_hour == 0:
        raise InvalidInputError(
            "kwh_per_hour: an adjustment of nothing changes nothing.",
            parameter="kwh_per_hour",
            given=new.kwh_per_hour,
            allowed="above 0 where the machine used more, below 0 where it used less",
        )
    return _shown(adjustments.add(database, new))


def listed(
    database: Database,
    machine_id: UUID,
    energy_type: str,
    start: datetime | None,
    end: datetime | None,
    *,
    with_withdrawn: bool,
) -> Answer:
    """A machine's adjustments, by their start.

    Raises:
        NotFoundError: There is no such machine.
    """
    now = datetime.now(UTC)
    find_subject(database, "machine", machine_id, now, now)
    with database.connection() as connection:
        found = adjustments.overlapping(
            connection, machine_id, energy_type, start, end, with_withdrawn=with_withdrawn
        )
    return {"total_count": len(found), "adjustments": [_shown(row) for row in found]}


def withdraw(database: Database, adjustment_id: UUID, actor: str) -> Answer:
    """Takes one back; it stays on record.

    Raises:
        NotFoundError: There is none with this id.
    """
    return _shown(adjustments.withdraw(database, adjustment_id, actor))


def _shown(row: Row) -> Answer:
    return {
        "adjustment_id": row["id"],
        "machine_id": row["machine_id"],
        "energy_type": row["energy_type"],
        "start": row["start_at"],
        "end": row["end_at"],
        "kwh_per_hour": row["kwh_per_hour"],
        "reason": row["reason"],
        "decision": row["decision"],
        "actor": row["actor"],
        "created_at": row["created_at"],
        "withdrawn_at": row["withdrawn_at"],
        "withdrawn_by": row["withdrawn_by"],
    }
