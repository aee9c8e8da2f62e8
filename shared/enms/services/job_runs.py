"""How a run of a job goes: once at a time, whatever comes again, with its account."""

from collections.abc import Callable, Mapping
from uuid import UUID

from enms.database import jobs
from enms.database.connection import Connection, Database, Row
from enms.errors import EnmsError, NotFoundError
from enms.observability import identify, logger


def do_once(database: Database, job: str, run_id: UUID, do: Callable[[Connection, Row], None]) -> None:
    """Does a run that was noted before; nothing when it is over already.

    Args:
        database: The database.
        job: Whose lock is held meanwhile.
        run_id: The run.
        do: Does it, by the connection that holds the lock and the run's row, and writes its account.

    Raises:
        NotFoundError: There is no such run.
        UnavailableError: The database was lost, or another run goes on; the run can be done again.
    """
    identify(run_id=str(run_id))
    if jobs.run(database, run_id) is None:
        raise NotFoundError(f"There is no run {run_id}.", parameter="run_id", given=str(run_id))
    try:
        with database.connection() as connection, jobs.only_runner(connection, job):
            begun = jobs.begin(connection, run_id)
            if begun is not None:
                do(connection, begun)
    except Exception as error:
        logger.exception("run failed")
        message = (
            error.message
            if isinstance(error, EnmsError)
            else f"Unexpected; see the log under run_id {run_id}."
        )
        with database.connection() as connection:
            jobs.end(connection, run_id, "failed", {}, message)
        raise


def write_account(connection: Connection, run: Row, counts: Mapping[str, int], of_what: str) -> None:
    """Ends a run that dealt with several things, some of which may have failed.

    Args:
        connection: The database.
        run: The run.
        counts: `failed`, and under the name `of_what` how many there were.
        of_what: What they are: `factories`, `machines`.
    """
    failed, total = counts["failed"], counts[of_what]
    state: jobs.RunState = "succeeded"
    if failed:
        state = "failed" if failed == total else "partial"
    error = f"{failed} of {total} {of_what} failed; see the items." if failed else None
    jobs.end(connection, run["id"], state, counts, error)
    logger.info("run ended", extra={"job": run["job"], "state": state, "counts": dict(counts)})
