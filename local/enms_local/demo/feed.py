"""The demo's pulse: a process that writes each minute when it is over, after those missed while it was down.

It writes to the server that the local cloud started, whose URL it gets as FEED_DATABASE_URL, and to no other.
"""

import logging
import os
import signal
import sys
import threading
from datetime import UTC, datetime, timedelta

from enms.database import demo as tables
from enms.database.connection import Database
from enms.errors import EnmsError
from enms_local.demo.load import open_database, this_minute, write
from enms_local.demo.plant import MACHINES

MINUTE = timedelta(minutes=1)
# Long enough for the minute to be over on every clock involved.
_AFTER_THE_MINUTE = timedelta(seconds=1)
_LONGEST_STEP = timedelta(days=7)
_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS = 1.0, 60.0

log = logging.getLogger("feed")


def catch_up(database: Database, until: datetime) -> datetime:
    """Writes all minutes between the newest reading and `until`; gives the first minute not written.

    Raises:
        NotFoundError: The demo isn't loaded.
        UnavailableError: The database doesn't answer.
    """
    with database.connection() as connection:
        newest_at = tables.newest_reading_at(connection, [machine.id for machine in MACHINES])
    begin_at = newest_at + MINUTE if newest_at else until - MINUTE
    if until - begin_at > MINUTE:
        log.info("filling %s to %s", begin_at.isoformat(), until.isoformat())
    while begin_at < until:
        end_at = min(begin_at + _LONGEST_STEP, until)
        with database.transaction() as connection:
            write(connection, begin_at, end_at)
        begin_at = end_at
    return until


def run(database: Database, stopped: threading.Event) -> None:
    """Feeds until told to stop; a database that is away is asked again, ever less often."""
    retry_seconds = _FIRST_RETRY_SECONDS
    while not stopped.is_set():
        try:
            written_until = catch_up(database, this_minute())
        except EnmsError as error:
            log.warning("%s Again in %.0f s.", error, retry_seconds)
            stopped.wait(retry_seconds)
            retry_seconds = min(2 * retry_seconds, _LONGEST_RETRY_SECONDS)
            continue
        retry_seconds = _FIRST_RETRY_SECONDS
        due_at = written_until + MINUTE + _AFTER_THE_MINUTE
        stopped.wait(max(0.0, (due_at - datetime.now(UTC)).total_seconds()))


def main() -> None:
    """Runs the feed until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    url = os.environ.get("FEED_DATABASE_URL")
    if not url:
        sys.exit(
            "FEED_DATABASE_URL is not set: `enms up` starts the feed, on the local cloud's own database."
        )
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    log.info("started")
    run(open_database(url), stopped)
    log.info("stopped")


if __name__ == "__main__":
    main()
