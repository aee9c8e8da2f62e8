"""Planned stops of machines: periods in which no anomaly is raised, as people entered them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from enms.database.connection import Connection, Database, Row, rows
from enms.errors import NotFoundError

_SUPPRESSION = """
    s.id, s.machine_id, m.name AS machine_name, s.start_at, s.end_at, s.reason, s.actor, s.created_at,
    s.withdrawn_at, s.withdrawn_by
"""


@dataclass(frozen=True, kw_only=True)
class NewSuppression:
    """A planned stop.

    Attributes:
        machine_id: The machine.
        start_at: Its first instant.
        end_at: The instant after its last.
        reason: Why.
        actor: Who entered it.
    """

    machine_id: UUID
    start_at: datetime
    end_at: datetime
    reason: str
    actor: str


def add(database: Database, new: NewSuppression) -> Row:
    """Keeps one and gives its row."""
    with database.connection() as connection:
        (added,) = rows(
            connection,
            f"""
            WITH s AS (
                INSERT INTO analytics.anomaly_suppressions (machine_id, start_at, end_at, reason, actor)
                VALUES (%(machine_id)s, %(start_at)s, %(end_at)s, %(reason)s, %(actor)s) RETURNING *
            )
            SELECT {_SUPPRESSION} FROM s JOIN machines m ON m.id = s.machine_id
            """,  # noqa: S608 - names of this module
            vars(new),
        )
    return added


def in_force(database: Database, machine_id: UUID | None, at: datetime | None) -> list[Row]:
    """Those that weren't withdrawn, the latest first: all, or those that hold at an instant."""
    return database.rows(
        f"""
        SELECT {_SUPPRESSION} FROM analytics.anomaly_suppressions s JOIN machines m ON m.id = s.machine_id
        WHERE s.withdrawn_at IS NULL AND (%(machine_id)s::uuid IS NULL OR s.machine_id = %(machine_id)s)
          AND (%(at)s::timestamptz IS NULL OR s.start_at <= %(at)s AND s.end_at > %(at)s)
        ORDER BY s.start_at DESC, s.id
        """,  # noqa: S608 - names of this module
        {"machine_id": machine_id, "at": at},
    )


def overlapping(connection: Connection, machine_id: UUID, start: datetime, end: datetime) -> list[Row]:
    """Those in force that overlap a period of a machine, by their start."""
    return rows(
        connection,
        """
        SELECT id, start_at, end_at, reason, actor FROM analytics.anomaly_suppressions
        WHERE machine_id = %s AND withdrawn_at IS NULL AND start_at < %s AND end_at > %s ORDER BY start_at, id
        """,
        (machine_id, end, start),
    )


def withdraw(database: Database, suppression_id: UUID, actor: str) -> Row:
    """Takes one back and gives its row, which stays for the record; twice is as once.

    Raises:
        NotFoundError: There is none with this id.
    """
    with database.connection() as connection:
        found = rows(
            connection,
            f"""
            WITH s AS (
                UPDATE analytics.anomaly_suppressions
                SET withdrawn_at = coalesce(withdrawn_at, now()), withdrawn_by = coalesce(withdrawn_by, %s)
                WHERE id = %s RETURNING *
            )
            SELECT {_SUPPRESSION} FROM s JOIN machines m ON m.id = s.machine_id
            """,  # noqa: S608 - names of this module
            (actor, suppression_id),
        )
    if not found:
        raise NotFoundError(
            f"There is no suppression {suppression_id}.",
            parameter="suppression_id",
            given=str(suppression_id),
            allowed="a suppression's id",
        )
    return found[0]
