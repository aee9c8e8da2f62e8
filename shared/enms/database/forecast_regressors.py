"""What is known of times to come: values of periods `[start, end)` by subject and name."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from enms.database.connection import Connection, Database, Row, rows
from enms.database.forecast_regressor_steps import as_array

type RegressorKind = Literal["schedule", "temperature", "planned_stop", "other"]

# What is cut off at the edges of a period keeps its value and where it came from.
_MAKE_ROOM = """
    WITH met AS (
        DELETE FROM analytics.forecast_regressors
        WHERE subject_id = coalesce(%(machine_id)s::uuid, %(factory_id)s::uuid) AND name = %(name)s
          AND start_at < %(until)s AND end_at > %(begin)s
        RETURNING *
    ),
    rest AS (
        SELECT met.*, start_at AS rest_start, %(begin)s::timestamptz AS rest_end FROM met
        WHERE start_at < %(begin)s
        UNION ALL
        SELECT met.*, %(until)s::timestamptz, end_at FROM met WHERE end_at > %(until)s
    ),
    kept AS (
        INSERT INTO analytics.forecast_regressors
            (factory_id, machine_id, name, kind, start_at, end_at, value, received_at, source)
        SELECT factory_id, machine_id, name, kind, rest_start, rest_end, value, received_at, source FROM rest
    )
    SELECT count(*) AS replaced FROM met
"""


@dataclass(frozen=True, kw_only=True)
class Regressor:
    """What values are of, and where they came from.

    Attributes:
        factory_id: The factory.
        machine_id: The machine; None: they hold for the whole factory.
        name: Its name.
        kind: What it tells.
        source: Who told it.
    """

    factory_id: UUID
    machine_id: UUID | None
    name: str
    kind: RegressorKind
    source: str | None = None


@contextmanager
def receiving(database: Database, regressor: Regressor) -> Iterator[Connection]:
    """One transaction in which nobody else changes what is known of a subject."""
    with database.transaction() as connection:
        rows(
            connection,
            "SELECT pg_advisory_xact_lock(hashtextextended('enms regressors ' || %s, 0))",
            (str(regressor.machine_id or regressor.factory_id),),
        )
        yield connection


def names(connection: Connection, regressor: Regressor) -> set[str]:
    """What is known of its subject by name, those left out of which nothing was told for 90 days."""
    found = rows(
        connection,
        """
        SELECT DISTINCT name FROM analytics.forecast_regressors
        WHERE subject_id = %s AND end_at > now() - interval '90 days'
        """,
        (regressor.machine_id or regressor.factory_id,),
    )
    return {row["name"] for row in found}


def replace(
    connection: Connection, regressor: Regressor, values: Sequence[tuple[datetime, datetime, float]]
) -> int:
    """Puts values in the place of all that lay in their period; for use inside `receiving`.

    What reaches over the period's edges is cut there. A name is of the kind that was told last.

    Args:
        connection: The database.
        regressor: What they are of.
        values: Start, end and value, by time, without holes and overlaps.

    Returns:
        How many former values they met.
    """
    told = vars(regressor) | {"begin": values[0][0], "until": values[-1][1]}
    replaced: int = rows(connection, _MAKE_ROOM, told)[0]["replaced"]
    starts, ends, numbers = zip(*values, strict=True)
    rows(
        connection,
        """
        INSERT INTO analytics.forecast_regressors
            (factory_id, machine_id, name, kind, source, received_at, start_at, end_at, value)
        SELECT %(factory_id)s, %(machine_id)s, %(name)s, %(kind)s, %(source)s, now(), v.*
        FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[], %(values)s::float8[]) v
        """,
        told
        | {
            "starts": as_array(at.isoformat() for at in starts),
            "ends": as_array(at.isoformat() for at in ends),
            "values": as_array(map(repr, numbers)),
        },
    )
    rows(
        connection,
        "UPDATE analytics.forecast_regressors SET kind = %(kind)s"
        " WHERE subject_id = coalesce(%(machine_id)s::uuid, %(factory_id)s::uuid) AND name = %(name)s"
        " AND kind <> %(kind)s",
        told,
    )
    return replaced


def outdate(connection: Connection, regressor: Regressor, begin: datetime, until: datetime) -> int:
    """Gives up the newest forecasts that a period's values would change: the next request makes them anew.

    Those of a factory's machines are among them, and those of the factory where a machine stops. For use
    inside `receiving`.

    Returns:
        How many were given up.
    """
    found = rows(
        connection,
        """
        DELETE FROM analytics.forecast_issues i
        WHERE i.scored_at IS NULL AND i.ends_at > greatest(%(begin)s, now()) AND i.origin_at < %(until)s
          AND (%(kind)s = 'planned_stop' OR %(name)s = ANY (i.regressors))
          AND i.subject_id = ANY (
              CASE WHEN %(machine_id)s::uuid IS NULL
                   THEN ARRAY(SELECT id FROM machines WHERE factory_id = %(factory_id)s)
                        || %(factory_id)s::uuid
                   WHEN %(kind)s = 'planned_stop'
                   THEN ARRAY[%(machine_id)s::uuid, %(factory_id)s::uuid]
                   ELSE ARRAY[%(machine_id)s::uuid] END)
          AND NOT EXISTS (
              SELECT FROM analytics.forecast_issues n
              WHERE n.subject_id = i.subject_id AND n.energy_type = i.energy_type AND n.horizon = i.horizon
                AND n.choice = i.choice AND n.origin_at > i.origin_at)
        RETURNING i.id
        """,
        vars(regressor) | {"begin": begin, "until": until},
    )
    return len(found)


def listed(
    database: Database, subjects: Sequence[UUID], start: datetime, end: datetime, name: str | None, limit: int
) -> list[Row]:
    """Values that overlap a period: a machine's own first, by name and time, at most so many.

    Returns:
        Rows of machine_id, name, kind, start_at, end_at, value, received_at and source.
    """
    return database.rows(
        """
        SELECT machine_id, name, kind, start_at, end_at, value, received_at, source
        FROM analytics.forecast_regressors
        WHERE subject_id = ANY (%(subjects)s::uuid[]) AND start_at < %(end)s AND end_at > %(start)s
          AND (%(name)s::text IS NULL OR name = %(name)s)
        ORDER BY machine_id NULLS LAST, name, start_at LIMIT %(limit)s
        """,
        {"subjects": list(subjects), "start": start, "end": end, "name": name, "limit": limit},
    )
