"""The account of jobs: runs and what each of them dealt with."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from psycopg2.extras import Json

from enms.database.connection import Connection, Database, Row, rows

type Trigger = Literal["schedule", "request", "command"]
type RunState = Literal["queued", "running", "succeeded", "partial", "failed"]
type ItemState = Literal["succeeded", "skipped", "failed"]

_RUN = """
    id, job, trigger, actor, state, scheduled_for, created_at, started_at, ended_at, counts, parameters, error
"""
_ITEMS = "SELECT item, state, detail, updated_at FROM analytics.job_items WHERE run_id = %s ORDER BY item"
# What may be begun (again): the job's lock is held, so a run that is `running` was cut off.
_UNFINISHED = "state IN ('queued', 'running', 'failed')"


@contextmanager
def only_runner(connection: Connection, job: str) -> Iterator[None]:
    """Holds the lock of a job, so that it runs once at a time; lost with the connection.

    Raises:
        UnavailableError: Another run of it goes on for longer than the lock time-out.
    """
    key = f"enms job {job}"
    rows(connection, "SELECT pg_advisory_lock(hashtextextended(%s, 0))", [key])
    try:
        yield
    finally:
        if not connection.closed:
            rows(connection, "SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])


def only_planner(connection: Connection, job: str) -> None:
    """Lets one transaction at a time decide what a job has to do; needs a transaction, lasts as long as it.

    Raises:
        UnavailableError: Another one decides for longer than the lock time-out.
    """
    rows(connection, "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"enms job {job}"])


def add_run(
    database: Database, job: str, trigger: Trigger, actor: str, parameters: Mapping[str, Any]
) -> UUID:
    """Notes that a run was asked for."""
    with database.connection() as connection:
        (row,) = rows(
            connection,
            """
            INSERT INTO analytics.job_runs (job, trigger, actor, parameters)
            VALUES (%s, %s, %s, %s) RETURNING id
            """,
            [job, trigger, actor, Json(dict(parameters))],
        )
    run_id: UUID = row["id"]
    return run_id


def add_scheduled_run(connection: Connection, job: str, actor: str, scheduled_for: datetime) -> UUID:
    """The run of one firing of the job's rule; the same one when the event is delivered again."""
    rows(
        connection,
        """
        INSERT INTO analytics.job_runs (job, trigger, actor, scheduled_for) VALUES (%s, 'schedule', %s, %s)
        ON CONFLICT (job, scheduled_for) WHERE trigger = 'schedule' DO NOTHING
        """,
        [job, actor, scheduled_for],
    )
    found = rows(
        connection,
        "SELECT id FROM analytics.job_runs WHERE job = %s AND scheduled_for = %s AND trigger = 'schedule'",
        [job, scheduled_for],
    )
    run_id: UUID = found[0]["id"]
    return run_id


def scheduled_run(connection: Connection, job: str, scheduled_for: datetime) -> Row | None:
    """The run of one firing of a job's rule, if it was noted."""
    found = rows(
        connection,
        f"""
        SELECT {_RUN} FROM analytics.job_runs WHERE job = %s AND scheduled_for = %s AND trigger = 'schedule'
        """,  # noqa: S608 - names of this module
        [job, scheduled_for],
    )
    return found[0] if found else None


def is_noted(connection: Connection, run_id: UUID) -> bool:
    """Whether there is such a run."""
    return bool(rows(connection, "SELECT 1 FROM analytics.job_runs WHERE id = %s", [run_id]))


def begin(connection: Connection, run_id: UUID) -> Row | None:
    """Marks a run as running; None when it is over already. Needs the job's lock."""
    found = rows(
        connection,
        f"""
        UPDATE analytics.job_runs SET state = 'running', started_at = now(), ended_at = NULL, error = NULL
        WHERE id = %s AND {_UNFINISHED} RETURNING {_RUN}
        """,  # noqa: S608 - names of this module
        [run_id],
    )
    return found[0] if found else None


def claim(connection: Connection, run_id: UUID, holder: str) -> Row | None:
    """Marks a run as running for a holder, who may ask again; None when it is over, or another's."""
    found = rows(
        connection,
        f"""
        UPDATE analytics.job_runs
        SET state = 'running', started_at = coalesce(started_at, now()),
            parameters = parameters || jsonb_build_object('execution', %(holder)s::text)
        WHERE id = %(run_id)s
          AND (state = 'queued' OR (state = 'running' AND parameters->>'execution' = %(holder)s))
        RETURNING {_RUN}
        """,  # noqa: S608 - names of this module
        {"run_id": run_id, "holder": holder},
    )
    return found[0] if found else None


def claim_cut_off(connection: Connection, job: str, holder: str, silent_for: timedelta) -> Row | None:
    """Takes over the oldest run of a job that gave no sign of life for a while; None when there is none."""
    found = rows(
        connection,
        f"""
        UPDATE analytics.job_runs
        SET parameters = parameters || jsonb_build_object('execution', %(holder)s::text)
        WHERE id = (
            SELECT r.id FROM analytics.job_runs r
            WHERE r.job = %(job)s AND r.state = 'running' AND now() - %(silent_for)s > greatest(
                r.started_at, (SELECT max(i.updated_at) FROM analytics.job_items i WHERE i.run_id = r.id))
            ORDER BY r.created_at LIMIT 1)
        RETURNING {_RUN}
        """,  # noqa: S608 - names of this module
        {"job": job, "holder": holder, "silent_for": silent_for},
    )
    return found[0] if found else None


def set_parameters(connection: Connection, run_id: UUID, parameters: Mapping[str, Any]) -> Row:
    """Adds to what is kept with a run, and gives the run."""
    (changed,) = rows(
        connection,
        f"UPDATE analytics.job_runs SET parameters = parameters || %s WHERE id = %s RETURNING {_RUN}",  # noqa: S608 - names of this module
        [Json(dict(parameters)), run_id],
    )
    return changed


def note_item(
    connection: Connection, run_id: UUID, item: str, state: ItemState, detail: Mapping[str, Any]
) -> None:
    """Notes what became of one thing that a run dealt with."""
    rows(
        connection,
        """
        INSERT INTO analytics.job_items (run_id, item, state, detail) VALUES (%s, %s, %s, %s)
        ON CONFLICT (run_id, item) DO UPDATE
        SET state = excluded.state, detail = excluded.detail, updated_at = now()
        """,
        [run_id, item, state, Json(dict(detail))],
    )


def add_detail(connection: Connection, run_id: UUID, item: str, detail: Mapping[str, Any]) -> None:
    """Adds to what is noted of one thing; nothing where nothing is noted."""
    rows(
        connection,
        "UPDATE analytics.job_items SET detail = detail || %s, updated_at = now()"
        " WHERE run_id = %s AND item = %s",
        [Json(dict(detail)), run_id, item],
    )


def end(
    connection: Connection, run_id: UUID, state: RunState, counts: Mapping[str, int], error: str | None
) -> None:
    """Notes how a run ended."""
    rows(
        connection,
        "UPDATE analytics.job_runs SET state = %s, ended_at = now(), counts = %s, error = %s WHERE id = %s",
        [state, Json(dict(counts)), error, run_id],
    )


def run(database: Database, run_id: UUID) -> Row | None:
    """One run."""
    return database.row(f"SELECT {_RUN} FROM analytics.job_runs WHERE id = %s", [run_id])  # noqa: S608 - names of this module


def item_state(database: Database, run_id: UUID, item: str) -> ItemState | None:
    """What became of one thing that a run dealt with; None before."""
    found = database.row(
        "SELECT state FROM analytics.job_items WHERE run_id = %s AND item = %s", [run_id, item]
    )
    return found["state"] if found else None


def item_detail(database: Database, run_id: UUID, item: str) -> dict[str, Any]:
    """What is noted of one thing that a run dealt with; empty before."""
    found = database.row(
        "SELECT detail FROM analytics.job_items WHERE run_id = %s AND item = %s", [run_id, item]
    )
    return found["detail"] if found else {}


def items(database: Database, run_id: UUID) -> list[Row]:
    """What a run dealt with."""
    return database.rows(_ITEMS, [run_id])


def items_of(connection: Connection, run_id: UUID) -> list[Row]:
    """What a run dealt with, as a transaction sees it."""
    return rows(connection, _ITEMS, [run_id])


def runs(
    database: Database, job: str | None, state: RunState | None, limit: int, offset: int
) -> tuple[int, list[Row]]:
    """How many runs there are, and a page of them, newest first."""
    parameters = {"job": job, "state": state, "limit": limit, "offset": offset}
    wanted = "(%(job)s IS NULL OR job = %(job)s) AND (%(state)s IS NULL OR state = %(state)s)"
    count = database.row(f"SELECT count(*) AS n FROM analytics.job_runs WHERE {wanted}", parameters)  # noqa: S608 - names of this module
    page = database.rows(
        f"""
        SELECT {_RUN} FROM analytics.job_runs WHERE {wanted}
        ORDER BY created_at DESC, id LIMIT %(limit)s OFFSET %(offset)s
        """,  # noqa: S608 - names of this module
        parameters,
    )
    return (count["n"] if count else 0), page


def last_runs(database: Database) -> dict[str, Row]:
    """The newest run of each job."""
    found = database.rows(
        f"SELECT DISTINCT ON (job) {_RUN} FROM analytics.job_runs ORDER BY job, created_at DESC"  # noqa: S608 - names of this module
    )
    return {row["job"]: row for row in found}


def factory_days(connection: Connection, now: datetime, day: date | None) -> list[Row]:
    """Each active factory with the local day that a run of the daily KPIs takes.

    Args:
        connection: The database.
        now: The present.
        day: A day that is asked for; None takes each factory's latest closed one.

    Returns:
        Rows of factory_id, factory_name, local_day, is_closed (the day is over), is_done (it was taken).
    """
    return rows(
        connection,
        """
        SELECT f.id AS factory_id, f.name AS factory_name, d.local_day, d.local_day <= d.latest AS is_closed,
               EXISTS (SELECT FROM analytics.kpi_daily k
                       WHERE k.subject_id = f.id AND k.local_day = d.local_day) AS is_done
        FROM factories f,
             LATERAL (SELECT (%(now)s AT TIME ZONE analytics.factory_zone(f.id))::date - 1 AS latest) today,
             LATERAL (SELECT today.latest, coalesce(%(day)s::date, today.latest) AS local_day) d
        WHERE f.is_active IS NOT FALSE
        ORDER BY f.name, f.id
        """,
        {"now": now, "day": day},
    )
