"""The PostgreSQL server of the local cloud, or the one that was named instead."""

import secrets
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from enms.errors import InvalidInputError, UnavailableError
from enms_local.postgres import PostgresServer
from enms_local.stack.processes import write_whole
from enms_local.stack.settings import StackSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection

DATABASE = "enms"
DEFAULT_POSTGRES_PORT = 5432
OPTIONS = {
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_wal_size": "1GB",
    # The operating system caches the files as well: more would cost memory and gain nothing here.
    "shared_buffers": "48MB",
}


@dataclass(frozen=True)
class Credentials:
    """How to sign in to a database, with the keys that a secret of Amazon RDS has.

    Attributes:
        host: Name, address, or folder of a Unix socket.
        port: TCP port.
        dbname: Database.
        username: Role.
        password: Its password.
        options: Further connection parameters of libpq (`sslmode`, …).
    """

    host: str
    port: int
    dbname: str
    username: str
    password: str
    options: dict[str, str]

    def as_secret(self) -> dict[str, str | int]:
        """What is kept in Secrets Manager."""
        return {
            "engine": "postgres",
            "host": self.host,
            "port": self.port,
            "dbname": self.dbname,
            "username": self.username,
            "password": self.password,
            **self.options,
        }


def own_server(settings: StackSettings) -> PostgresServer:
    """Our server, running or not."""
    return PostgresServer(
        data_dir=settings.state_dir / "postgres" / "data",
        log_file=settings.logs_dir / "postgres.log",
        port=settings.enms_database_port,
        password=_own_password(settings.state_dir / "secrets" / "database-password"),
        options=OPTIONS,
    )


def ensure_database(server: PostgresServer) -> None:
    """Makes the database `enms` on our server unless it is there."""
    with connected(server.url()) as database, database.cursor() as cursor:
        database.autocommit = True
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
        if cursor.fetchone() is None:
            cursor.execute(f'CREATE DATABASE "{DATABASE}"')


def database_url(settings: StackSettings) -> str:
    """The database that everything works on: the named one, or ours over TCP."""
    return settings.existing_database_url or own_server(settings).tcp_url(DATABASE)


@contextmanager
def connected(url: str) -> "Iterator[connection]":
    """Opens a connection for one piece of work.

    Raises:
        UnavailableError: Nobody answers there, or the role may not sign in.
    """
    import psycopg2

    try:
        database = psycopg2.connect(url, connect_timeout=10)
    except psycopg2.OperationalError as error:
        reason = " ".join(str(error).split())
        raise UnavailableError(f"The database can't be reached: {reason}.") from error
    with closing(database):
        yield database


def credentials_of(url: str) -> Credentials:
    """Takes a PostgreSQL URL apart.

    Raises:
        InvalidInputError: It isn't one, or names no host or database.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    host = unquote(parts.hostname or "") or options.pop("host", "")
    database = unquote(parts.path.lstrip("/"))
    if parts.scheme not in ("postgresql", "postgres") or not host or not database:
        raise InvalidInputError(
            "ENMS_DATABASE_URL has to look like postgresql://USER:PASSWORD@HOST:5432/DATABASE.",
            parameter="ENMS_DATABASE_URL",
        )
    port = parts.port or int(options.pop("port", DEFAULT_POSTGRES_PORT))
    return Credentials(
        host, port, database, unquote(parts.username or ""), unquote(parts.password or ""), options
    )


def _own_password(file: Path) -> str:
    """The password of our server's superuser: made once, readable by us only."""
    if not file.exists():
        write_whole(file, secrets.token_urlsafe(24))
    return file.read_text()
