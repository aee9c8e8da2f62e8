"""A million readings through `enms import`, aggregates kept, beside a bare COPY of the same rows."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import psycopg2

from benchmarks.database import execute, migrated, own_server
from benchmarks.servers import compiled_environment
from benchmarks.table import Figure

ROWS = 1_000_000
FEW_ROWS = 5_000
RUNS = 5
_FIRST = datetime(2024, 11, 1, tzinfo=UTC)
_ENMS = Path(sys.executable).with_name("enms")
_MACHINE = """
WITH factory AS (INSERT INTO factories (name, timezone) VALUES ('Bench', 'Europe/Berlin') RETURNING id)
INSERT INTO machines (factory_id, name, type, rated_power_kw, data_interval_seconds)
SELECT id, 'Compressor', 'compressor', 75, 60 FROM factory
"""
_BARE_TABLE = "CREATE UNLOGGED TABLE bare (time timestamptz, power_kw numeric)"


def rows() -> Iterator[Figure]:
    """Rows per second, memory, and the ratio to the bare COPY."""
    with tempfile.TemporaryDirectory(prefix="enms-bench-") as folder, own_server() as server:
        many, few = Path(folder) / "many.csv", Path(folder) / "few.csv"
        _write_readings(many, ROWS)
        _write_readings(few, FEW_ROWS)
        imports, copies, growths = [], [], []
        for run in range(RUNS):
            url = migrated(server, f"import_{run}")
            execute(url, _MACHINE)
            copies.append(_seconds_of_bare_copy(url, many))
            _, small_bytes = _import(url, few)
            seconds, large_bytes = _import(url, many)
            imports.append(seconds)
            growths.append(large_bytes - small_bytes)
            execute(server.url(), f'DROP DATABASE "import_{run}"')
    ours, bare, growth = median(imports), median(copies), max(growths)
    yield Figure(
        "import",
        "import of 1 million readings (the whole command), aggregates kept",
        "≥ 80 000 rows/s",
        f"{ROWS / ours:,.0f} rows/s ({ours:.1f} s)".replace(",", " "),
        ROWS / ours >= 80_000,
    )
    yield Figure(
        "import",
        "the same: memory growth over a small import",
        "≤ 100 MB",
        f"{growth / 1e6:.0f} MB",
        growth <= 100e6,
    )
    yield Figure(
        "import",
        "the same ÷ bare COPY into an unindexed table",
        "printed",
        f"{ours / bare:.1f} ({bare:.2f} s)",
        None,
    )


def _write_readings(file: Path, count: int) -> None:
    """One reading a minute, its power never twice the same in a row."""
    with file.open("w") as out:
        out.write("time,power_kw\n")
        for minute in range(count):
            at = _FIRST + timedelta(minutes=minute)
            out.write(f"{at:%Y-%m-%dT%H:%M:%SZ},{20 + minute * 7919 % 50021 / 1000:.3f}\n")


def _import(url: str, file: Path) -> tuple[float, int]:
    """Seconds and peak memory of one `enms import energy`."""
    command = [
        str(_ENMS), "import", "energy", str(file), "--machine", "Compressor",
        "--time-column", "time", "--value-column", "power_kw", "--unit", "kW", "--interval", "1min",
    ]  # fmt: skip
    with tempfile.TemporaryFile("w+") as printed:
        started = time.perf_counter()
        process = os.posix_spawn(
            command[0], command, compiled_environment(ENMS_DATABASE_URL=url),
            file_actions=[(os.POSIX_SPAWN_DUP2, printed.fileno(), descriptor) for descriptor in (1, 2)],
        )  # fmt: skip
        _, status, usage = os.wait4(process, 0)
        seconds = time.perf_counter() - started
        printed.seek(0)
        if status:
            raise RuntimeError(f"enms import failed: {printed.read()[-2000:]}")
    return seconds, usage.ru_maxrss * 1024


def _seconds_of_bare_copy(url: str, file: Path) -> float:
    connection = psycopg2.connect(url)
    with connection.cursor() as cursor, file.open("rb") as readings:
        cursor.execute(_BARE_TABLE)
        started = time.perf_counter()
        cursor.copy_expert("COPY bare FROM STDIN (FORMAT csv, HEADER)", readings)
        connection.commit()
        seconds = time.perf_counter() - started
        cursor.execute("DROP TABLE bare")
    connection.commit()
    connection.close()
    return seconds
