"""Job `daily-kpis`: every factory's latest closed local day, and its machines', into `analytics.kpi_daily`.

A rule fires in UTC, at an hour at which some factories' day is over and others' isn't: each run takes the
latest day that is over and not yet done, wherever the factory lies.
"""

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from enms.database import jobs, kpis
from enms.database.connection import Connection, Database, Row, StatementError
from enms.observability import logger
from enms.services.job_runs import do_once, write_account

JOB = "daily-kpis"
SERVICE = f"service:{JOB}"


def run_scheduled(database: Database, scheduled_for: datetime) -> UUID:
    """Does what one firing of the rule asks for; nothing when it was done before.

    Returns:
        The run's id.
    """
    with database.connection() as connection:
        run_id = jobs.add_scheduled_run(connection, JOB, SERVICE, scheduled_for)
    run(database, run_id)
    return run_id


def run(database: Database, run_id: UUID) -> None:
    """Does a run that was noted before; nothing when it is over already.

    Raises:
        NotFoundError: There is no such run.
        UnavailableError: The database was lost, or another run goes on; the run can be done again.
    """
    do_once(database, JOB, run_id, _do)


def _do(connection: Connection, begun: Row) -> None:
    day = begun["parameters"].get("date")
    wanted = date.fromisoformat(day) if day else None
    counts: Counter[str] = Counter(factories=0, rows=0, skipped=0, failed=0)
    # Whoever asks by hand wants it done anew: readings may have come late.
    repeat = begun["trigger"] != "schedule"
    for factory in jobs.factory_days(connection, datetime.now(UTC), wanted):
        counts["factories"] += 1
        counts.update(_do_factory(connection, begun["id"], factory, repeat=repeat))
    write_account(connection, begun, counts, "factories")


def _do_factory(connection: Connection, run_id: UUID, factory: Row, *, repeat: bool) -> dict[str, int]:
    """One factory's day; a failure is noted and doesn't hold up the others."""
    item = str(factory["factory_id"])
    detail: dict[str, Any] = {
        "factory_name": factory["factory_name"],
        "date": factory["local_day"].isoformat(),
    }
    if not factory["is_closed"]:
        jobs.note_item(connection, run_id, item, "skipped", detail | {"reason": "The day is not over there."})
        return {"skipped": 1}
    if factory["is_done"] and not repeat:
        jobs.note_item(connection, run_id, item, "skipped", detail | {"reason": "The day was done before."})
        return {"skipped": 1}
    try:
        written = kpis.fill_daily(connection, factory["local_day"], [factory["factory_id"]])
    except StatementError as error:
        logger.exception("factory failed", extra=detail)
        reason = f"The database refused it ({type(error).__name__}); the log has more under run_id {run_id}."
        jobs.note_item(connection, run_id, item, "failed", detail | {"reason": reason})
        return {"failed": 1}
    jobs.note_item(connection, run_id, item, "succeeded", detail | {"rows": written})
    return {"rows": written}
