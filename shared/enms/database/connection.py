"""Connections: a few per process, opened when first needed, checked before use, replaced when they died."""

import select
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from queue import Empty, LifoQueue
from threading import BoundedSemaphore
from typing import Any

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import psycopg2.extras

from enms.errors import NotMigratedError, UnavailableError
from enms.observability import logger

CONNECT_TIMEOUT_SECONDS = 5
LOCK_TIMEOUT_SECONDS = 10
WAIT_FOR_CONNECTION_SECONDS = 10

Connection = psycopg2.extensions.connection
# A statement that the server refused; what callers above `database` may catch.
StatementError = psycopg2.Error

_NOT_MIGRATED = (
    psycopg2.errors.InvalidSchemaName,
    psycopg2.errors.UndefinedFunction,
    psycopg2.errors.UndefinedTable,
)

Parameters = Mapping[str, Any] | Sequence[Any] | None
Row = dict[str, Any]

# Answers are JSON numbers: numeric comes as float (15 digits), not as Decimal.
_NUMERIC_AS_FLOAT = psycopg2.extensions.new_type(
    psycopg2.extensions.DECIMAL.values,
    "NUMERIC_AS_FLOAT",
    lambda text, _: None if text is None else float(text),
)

psycopg2.extras.register_uuid()  # type: ignore[no-untyped-call]


class Database:
    """The database of one process, safe to share between threads.

    Attributes:
        pool_size: How many connections there are at most; a thread waits for its turn.
    """

    def __init__(
        self,
        url: Callable[[], str],
        *,
        pool_size: int = 8,
        statement_timeout_seconds: float = 25,
        application_name: str = "enms-analytics",
    ) -> None:
        """Makes the pool; nothing is opened yet.

        Args:
            url: Gives the libpq URL; asked at each opening, so that changed credentials are met.
            pool_size: How many connections there may be.
            statement_timeout_seconds: A statement that takes longer is ended by the server.
            application_name: What the server shows for our connections.
        """
        self.pool_size = pool_size
        self._url = url
        self._options = (
            f"-c statement_timeout={int(statement_timeout_seconds * 1000)}"
            f" -c lock_timeout={LOCK_TIMEOUT_SECONDS * 1000} -c timezone=UTC -c jit=off"
        )
        self._application_name = application_name
        self._idle: LifoQueue[Connection] = LifoQueue()
        self._free = BoundedSemaphore(pool_size)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lends an open connection in autocommit mode.

        Raises:
            UnavailableError: There is no database, it was lost on the way, or all connections stay in use.
            NotMigratedError: It lacks a table, function or schema of this version.
        """
        if not self._free.acquire(timeout=WAIT_FOR_CONNECTION_SECONDS):
            raise UnavailableError("All database connections are in use: ask again in a moment.")
        try:
            connection = self._checked()
            try:
                yield connection
            except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                raise _unavailable(error) from error
            except _NOT_MIGRATED as error:
                logger.error("database not migrated", extra={"reason": str(error).strip()})
                raise NotMigratedError(
                    "The database lacks what this version needs: `enms migrate` shows it, `--apply` adds it."
                ) from error
            finally:
                self._give_back(connection)
        finally:
            self._free.release()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Lends a connection for one transaction: committed at the end, rolled back on an error."""
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                yield connection
            except BaseException:
                if not connection.closed:
                    cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    def rows(self, sql: str, parameters: Parameters = None) -> list[Row]:
        """Runs one reading statement, on a new connection once more when the old one turns out to be dead."""
        for last_attempt in (False, True):
            with self.connection() as connection:
                try:
                    return rows(connection, sql, parameters)
                except (psycopg2.OperationalError, psycopg2.InterfaceError):
                    if last_attempt or not connection.closed:
                        raise
        raise AssertionError("unreachable")

    def row(self, sql: str, parameters: Parameters = None) -> Row | None:
        """The first row of a reading statement."""
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def close(self) -> None:
        """Closes what is idle."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    def _checked(self) -> Connection:
        """An idle connection that the server has not closed meanwhile, else a new one."""
        while True:
            try:
                connection = self._idle.get_nowait()
            except Empty:
                return self._open()
            # A server that went away leaves an end of file to read; asking it costs no round trip.
            if not connection.closed and not select.select([connection], [], [], 0)[0]:
                return connection
            connection.close()

    def _open(self) -> Connection:
        try:
            connection = psycopg2.connect(
                self._url(),
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                options=self._options,
                application_name=self._application_name,
            )
        except psycopg2.OperationalError as error:
            raise _unavailable(error) from error
        connection.autocommit = True
        psycopg2.extensions.register_type(_NUMERIC_AS_FLOAT, connection)
        return connection

    def _give_back(self, connection: Connection) -> None:
        idle = psycopg2.extensions.TRANSACTION_STATUS_IDLE
        if not connection.closed and connection.info.transaction_status == idle:
            self._idle.put(connection)
        else:
            connection.close()


def rows(connection: Connection, sql: str, parameters: Parameters = None) -> list[Row]:
    """Runs one statement on a connection and gives its rows as dicts; none when it returns no rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        if cursor.description is None:
            return []
        names = [column.name for column in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


@contextmanager
def rolled_back(connection: Connection) -> Iterator[None]:
    """Takes back, inside a transaction, what is done meanwhile."""
    rows(connection, "SAVEPOINT rolled_back")
    yield
    rows(connection, "ROLLBACK TO SAVEPOINT rolled_back")


def _unavailable(error: psycopg2.Error) -> UnavailableError:
    logger.warning("database error", extra={"reason": str(error).strip(), "sqlstate": error.pgcode})
    if isinstance(error, psycopg2.extensions.QueryCanceledError):
        return UnavailableError(
            "The database took too long for this: ask for a shorter period, or again later."
        )
    return UnavailableError("The database does not answer now: ask again in a moment.")
