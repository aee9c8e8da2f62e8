"""What tests share: the folder beside the checkout, and PostgreSQL databases in a known state."""

import shutil
import socket
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import sql

from enms import artifacts, aws, secrets
from enms.database import migrate
from enms.services import anomaly_events
from enms_local.postgres import PostgresServer

CHECKOUT = Path(__file__).resolve().parents[1]
TEMPLATE = "enms_template"
# Nothing survives a test run, so nothing has to reach the disk.
UNSAFE_BUT_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_connections": "60",
    "timezone": "UTC",
}


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The material beside the checkout (platform, data); tests that need it skip where it is absent."""
    folder = CHECKOUT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"{folder.name}/ with the installed platform and real data is not beside the checkout")
    return folder


@pytest.fixture
def new_aws_clients() -> Iterator[None]:
    """Has clients of AWS made anew: with this test's address and credentials, and for it only."""
    _forget_aws_clients()
    yield
    _forget_aws_clients()


def _forget_aws_clients() -> None:
    for kept in (aws._session, artifacts._s3, secrets._client, anomaly_events._events):
        kept.cache_clear()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server for this test run, in a temporary folder (its path short enough for a Unix socket)."""
    folder = Path(tempfile.mkdtemp(prefix="enms-pg-", dir="/tmp"))
    server = PostgresServer(folder / "data", folder / "log", _free_port(), "tests", UNSAFE_BUT_FAST)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def migrated_template(postgres: PostgresServer) -> str:
    """Name of a database with all migrations, to be copied, never written to."""
    _execute(postgres, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    connection = psycopg2.connect(postgres.url(TEMPLATE))
    migrate.apply(connection)
    connection.close()
    return TEMPLATE


@pytest.fixture
def empty_database_url(postgres: PostgresServer) -> Iterator[str]:
    """A database with nothing in it."""
    yield from _database(postgres, "template1")


@pytest.fixture
def database_url(postgres: PostgresServer, migrated_template: str) -> Iterator[str]:
    """A database of this test's own, with all migrations and no rows."""
    yield from _database(postgres, migrated_template)


@pytest.fixture
def installed_platform_url(empty_database_url: str, shared_dir: Path) -> str:
    """A customer's platform as it is before our service comes."""
    connection = psycopg2.connect(empty_database_url)
    # The script brings its own BEGIN and COMMIT.
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute((shared_dir / "platform" / "installed.sql").read_text())
    connection.close()
    return empty_database_url


def _database(server: PostgresServer, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    _execute(
        server,
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)),
    )
    yield server.url(name)
    _execute(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _execute(server: PostgresServer, statement: sql.Composable) -> None:
    connection = psycopg2.connect(server.url())
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
