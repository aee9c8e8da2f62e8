"""Non-routine adjustments: energy used for a reason that no baseline knows, as people judged it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from enms.database.connection import Connection, Database, Row, rows
from enms.errors import NotFoundError

type Decision = Literal["accepted", "refused"]

_ADJUSTMENT = """
    id, machine_id, energy_type, start_at, end_at, kwh_per_hour, reason, decision, actor, created_at,
    withdrawn_at, withdrawn_by
"""


@dataclass(frozen=True, kw_only=True)
class NewAdjustment:
    """A judgement of an event.

    Attributes:
        machine_id: The machine.
        energy_type: The carrier.
        start_at: Since when.
        end_at: First instant without it; None while it lasts.
        kwh_per_hour: How much more the machine used because of it; negative: less.
        reason: What it was.
        decision: `refused` keeps a proposal from being made again and adjusts nothing.
        actor: Who judged.
    """

    machine_id: UUID
    energy_type: str
    start_at: datetime
    end_at: datetime | None
    kwh_per_hour: float
    reason: str
    decision: Decision
    actor: str


def add(database: Database, new: NewAdjustment) -> Row:
    """Keeps an adjustment and gives its row."""
    with database.connection() as connection:
        (added,) = rows(
            connection,
            f"""
            INSERT INTO analytics.baseline_adjustments (
                machine_id, energy_type, start_at, end_at, kwh_per_hour, reason, decision, actor)
            VALUES (
                %(machine_id)s, %(energy_type)s, %(start_at)s, %(end_at)s, %(kwh_per_hour)s, %(reason)s,
                %(decision)s, %(actor)s)
            RETURNING {_ADJUSTMENT}
            """,  # noqa: S608 - names of this module
            vars(new),
        )
    return added


def overlapping(
    connection: Connection,
    machine_id: UUID,
    energy_type: str,
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    with_withdrawn: bool = False,
) -> list[Row]:
    """Adjustments that bear on [start, end), accepted and refused, by their start.

    Args:
        connection: The database.
        machine_id: The machine.
        energy_type: The carrier.
        start: First instant; None: from the first on.
        end: The instant after the last; None: up to the last.
        with_withdrawn: Whether those that were withdrawn are listed too.
    """
    return rows(
        connection,
        f"""
        SELECT {_ADJUSTMENT} FROM analytics.baseline_adjustments
        WHERE machine_id = %(machine_id)s AND energy_type = %(energy_type)s
          AND start_at < coalesce(%(end)s::timestamptz, 'infinity')
          AND coalesce(end_at, 'infinity') > coalesce(%(start)s::timestamptz, '-infinity')
          AND (withdrawn_at IS NULL OR %(with_withdrawn)s)
        ORDER BY start_at, created_at, id
        """,  # noqa: S608 - names of this module
        {
            "machine_id": machine_id, "energy_type": energy_type, "start": start, "end": end,
            "with_withdrawn": with_withdrawn,
        },
    )  # fmt: skip


def withdraw(database: Database, adjustment_id: UUID, actor: str) -> Row:
    """Takes an adjustment back and gives its row, which stays for the record; twice is as once.

    Raises:
        NotFoundError: There is none with this id.
    """
    with database.connection() as connection:
        found = rows(
            connection,
            f"""
            UPDATE analytics.baseline_adjustments
            SET withdrawn_at = coalesce(withdrawn_at, now()), withdrawn_by = coalesce(withdrawn_by, %s)
            WHERE id = %s RETURNING {_ADJUSTMENT}
            """,  # noqa: S608 - names of this module
            (actor, adjustment_id),
        )
    if not found:
        raise NotFoundError(
            f"There is no adjustment {adjustment_id}.",
            parameter="adjustment_id",
            given=str(adjustment_id),
            allowed="an adjustment's id",
        )
    return found[0]
