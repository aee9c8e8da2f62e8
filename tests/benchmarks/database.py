"""A PostgreSQL server of the bench's own, with the stack's settings, and one machine's 90 days in it."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg2

from enms.database import migrate
from enms_local.postgres import PostgresServer
from enms_local.stack.database import OPTIONS

DAYS = 92
FIRST_DAY = datetime(2026, 7, 1, tzinfo=UTC)
LAST_DAY = FIRST_DAY + timedelta(days=DAYS)
_RATED_KW = 75
# A working day above a standby load; production of whole units a minute; two rates a day, one past midnight.
_FILL = """
INSERT INTO factories (id, name, timezone) VALUES (%(factory)s, 'Bench', 'Europe/Berlin');
INSERT INTO machines (id, factory_id, name, type, rated_power_kw, data_interval_seconds)
VALUES (%(machine)s, %(factory)s, 'Compressor', 'compressor', %(rated_kw)s, 60);
INSERT INTO energy_tariffs (factory_id, name, rate_per_kwh, currency, is_time_of_use, start_hour, end_hour,
                            demand_charge_per_kw, valid_from)
VALUES (%(factory)s, 'day', 0.24, 'EUR', true, 6, 20, 9.5, '2020-01-01'),
       (%(factory)s, 'night', 0.16, 'EUR', true, 20, 6, NULL, '2020-01-01');
INSERT INTO carbon_factors (region, emission_factor_kg_co2_per_kwh, valid_from)
VALUES ('default', 0.38, '2020-01-01');
INSERT INTO energy_readings (time, machine_id, power_kw, energy_kwh)
SELECT time, %(machine)s, power_kw, power_kw / 60
FROM (
    SELECT time, (12 + 45 * greatest(0, sin(extract(epoch FROM time) / 13751)) + 6 * random())::numeric(9, 3)
           AS power_kw
    FROM generate_series(%(start)s, %(end)s - interval '1 minute', interval '1 minute') AS time
) AS load;
INSERT INTO production_data (time, machine_id, production_count, production_count_good, production_count_bad,
                             operating_mode)
SELECT time, %(machine)s, 6, 6, 0, 'running'
FROM generate_series(%(start)s, %(end)s - interval '1 minute', interval '1 minute') AS time;
"""


@dataclass(frozen=True)
class BenchDatabase:
    """A migrated database with one machine.

    Attributes:
        url: Of the database, over the Unix socket.
        tcp_url: The same over TCP.
        machine_id: The machine with readings of `DAYS` days from `FIRST_DAY` on.
    """

    url: str
    tcp_url: str
    machine_id: UUID


@contextmanager
def own_server() -> Iterator[PostgresServer]:
    """A server in a temporary folder (its path short enough for a Unix socket), with the stack's options."""
    folder = Path(tempfile.mkdtemp(prefix="enms-bench-", dir="/tmp"))
    server = PostgresServer(folder / "data", folder / "log", free_port(), "bench", OPTIONS)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@contextmanager
def filled_database() -> Iterator[BenchDatabase]:
    """A server and on it a database with one machine's readings."""
    with own_server() as server:
        url = migrated(server, "bench")
        machine_id = fill(url)
        yield BenchDatabase(url, server.tcp_url("bench"), machine_id)


def migrated(server: PostgresServer, name: str) -> str:
    """Makes a database with all migrations and gives its URL."""
    execute(server.url(), f'CREATE DATABASE "{name}"')
    url = server.url(name)
    connection = psycopg2.connect(url)
    migrate.apply(connection)
    connection.close()
    return url


def fill(url: str) -> UUID:
    """Writes the machine and its readings, and lets the server settle."""
    machine_id = uuid4()
    parameters: dict[str, object] = {
        "factory": str(uuid4()),
        "machine": str(machine_id),
        "rated_kw": _RATED_KW,
    }
    execute(url, _FILL, {**parameters, "start": FIRST_DAY, "end": LAST_DAY})
    execute(url, "VACUUM ANALYZE")
    execute(url, "CHECKPOINT")
    return machine_id


def execute(url: str, sql: str, parameters: dict[str, object] | None = None) -> None:
    """Runs statements outside a transaction of ours."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
    connection.close()


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
