"""Which machines are to be trained."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from enms.database.connection import Connection, Row, rows

_MACHINE = "m.id AS machine_id, m.name AS machine_name, f.id AS factory_id, f.name AS factory_name"


def due_machines(connection: Connection, job: str, at: datetime) -> list[Row]:
    """Active machines of the factories whose Sunday 02:00 came within a day before, and wasn't taken yet.

    Where clocks change in that hour PostgreSQL takes 02:00 of winter time: once, whether the hour comes
    twice or not at all.

    Args:
        connection: The database.
        job: The job whose runs tell, in `parameters.factory_ids`, which factories they took.
        at: The instant of the firing.

    Returns:
        Rows of machine_id, machine_name, factory_id, factory_name.
    """
    return rows(
        connection,
        f"""
        SELECT {_MACHINE}
        FROM factories f
        JOIN machines m ON m.factory_id = f.id AND m.is_active IS NOT FALSE,
             LATERAL (SELECT analytics.factory_zone(f.id) AS name) zone,
             LATERAL (SELECT (date_trunc('week', %(at)s AT TIME ZONE zone.name + interval '22 hours')
                              - interval '22 hours') AT TIME ZONE zone.name AS at) sunday
        WHERE f.is_active IS NOT FALSE AND sunday.at <= %(at)s AND sunday.at > %(at)s - interval '1 day'
          AND NOT EXISTS (SELECT FROM analytics.job_runs r
                          WHERE r.job = %(job)s AND r.trigger = 'schedule'
                            AND r.scheduled_for >= sunday.at
                            AND r.scheduled_for < sunday.at + interval '1 day'
                            AND r.parameters->'factory_ids' ? f.id::text)
        ORDER BY f.name, m.name, m.id
        """,  # noqa: S608 - names of this module
        {"at": at, "job": job},
    )


def machines(connection: Connection, machine_ids: Sequence[UUID] | None) -> list[Row]:
    """The machines named, or all active ones; those that there are.

    Returns:
        Rows of machine_id, machine_name, factory_id, factory_name.
    """
    return rows(
        connection,
        f"""
        SELECT {_MACHINE} FROM machines m JOIN factories f ON f.id = m.factory_id
        WHERE CASE WHEN %(ids)s::uuid[] IS NULL THEN m.is_active IS NOT FALSE AND f.is_active IS NOT FALSE
                   ELSE m.id = ANY (%(ids)s::uuid[]) END
        ORDER BY f.name, m.name, m.id
        """,  # noqa: S608 - names of this module
        {"ids": list(machine_ids) if machine_ids is not None else None},
    )
