"""Whose load is forecast: machines, and factories as the sum of their active machines."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from enms.database.connection import Connection, Database, Row, rows
from enms.database.subjects import SubjectKind

_MACHINE = """
    SELECT 'machine' AS kind, m.id, m.name, f.id AS factory_id, f.name AS factory_name,
           analytics.valid_zone(f.timezone) AS timezone, f.metadata ->> 'country' AS country,
           m.rated_power_kw::float8 AS rated_power_kw,
           greatest(coalesce(m.data_interval_seconds, 10), 1) AS data_interval_seconds,
           ARRAY[m.id] AS machine_ids
    FROM machines m JOIN factories f ON f.id = m.factory_id
"""
_FACTORY = """
    SELECT 'factory' AS kind, f.id, f.name, f.id AS factory_id, f.name AS factory_name,
           analytics.valid_zone(f.timezone) AS timezone, f.metadata ->> 'country' AS country,
           sum(m.rated_power_kw)::float8 AS rated_power_kw,
           greatest(max(coalesce(m.data_interval_seconds, 10)), 1) AS data_interval_seconds,
           coalesce(array_agg(m.id ORDER BY m.id) FILTER (WHERE m.id IS NOT NULL), '{}') AS machine_ids
    FROM factories f LEFT JOIN machines m ON m.factory_id = f.id AND m.is_active IS NOT FALSE
"""

# Of a row `s` with machine_ids and energy_type: the key of the quarters leads to it, whatever the history.
NEWEST_END = """(
    SELECT max(q.bucket) + interval '15 minutes'
    FROM unnest(s.machine_ids) m (id)
    CROSS JOIN LATERAL (
        SELECT bucket FROM analytics.energy_15min
        WHERE machine_id = m.id AND energy_type = s.energy_type AND readings > refused
        ORDER BY bucket DESC LIMIT 1) q
)"""


def find(database: Database, kind: SubjectKind, subject_id: UUID) -> Row | None:
    """One machine or factory; None where there is none with this id.

    Returns:
        A row of kind, id, name, factory_id, factory_name, timezone, country, rated_power_kw,
            data_interval_seconds, machine_ids.
    """
    if kind == "machine":
        return database.row(f"{_MACHINE} WHERE m.id = %s", (subject_id,))
    return database.row(f"{_FACTORY} WHERE f.id = %s GROUP BY f.id", (subject_id,))


def active(connection: Connection) -> list[Row]:
    """All active machines of active factories, and these factories; rows as for `find`."""
    return rows(
        connection,
        f"""
        {_MACHINE} WHERE f.is_active IS NOT FALSE AND m.is_active IS NOT FALSE
        UNION ALL
        {_FACTORY} WHERE f.is_active IS NOT FALSE GROUP BY f.id HAVING count(m.id) > 0
        ORDER BY factory_name, kind, name, id
        """,
    )


def history(
    connection: Connection, machine_ids: Sequence[UUID], energy_type: str
) -> tuple[datetime, datetime] | None:
    """Where the first quarter hour with an accepted reading of any of the machines begins, and the last ends.

    None without any.
    """
    (found,) = rows(
        connection,
        f"""
        SELECT {NEWEST_END} AS newest_end, (
            SELECT min(q.bucket) FROM unnest(s.machine_ids) m (id)
            CROSS JOIN LATERAL (
                SELECT bucket FROM analytics.energy_15min
                WHERE machine_id = m.id AND energy_type = s.energy_type AND readings > refused
                ORDER BY bucket LIMIT 1) q) AS oldest_at
        FROM (SELECT %s::uuid[] AS machine_ids, %s AS energy_type) s
        """,  # noqa: S608 - names of this module
        (list(machine_ids), energy_type),
    )
    return None if found["newest_end"] is None else (found["oldest_at"], found["newest_end"])
