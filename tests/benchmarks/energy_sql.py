"""The energy of 90 days by our SQL, beside the SQL that sums raw rows."""

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial
from statistics import median
from typing import Any

import psycopg2

from benchmarks.database import FIRST_DAY, execute, filled_database
from benchmarks.load import medians
from benchmarks.table import Figure

DAYS = 90
RUNS = 5
REPEATS = 50
_OURS = """
SELECT energy_kwh FROM analytics.energy_totals(ARRAY[%(machine)s]::uuid[], 'electrical', %(start)s, %(end)s)
"""
_RAW = """
SELECT sum(energy_kwh) FROM energy_readings
WHERE machine_id = %(machine)s AND energy_type = 'electrical' AND time >= %(start)s AND time < %(end)s
"""
# The rules again, in words of their own: negative and not-a-number count nothing, nor does a row that repeats
# its predecessor in less than half the time that its energy takes at its power.
_REFERENCE = """
SELECT sum(energy_kwh) FROM (
    SELECT time, energy_kwh, power_kw,
           lag(time) OVER w AS former_time, lag(energy_kwh) OVER w AS former_kwh,
           lag(power_kw) OVER w AS former_kw
    FROM energy_readings WHERE machine_id = %(machine)s AND energy_type = 'electrical'
    WINDOW w AS (ORDER BY time)
) r
WHERE time >= %(start)s AND time < %(end)s AND energy_kwh >= 0 AND energy_kwh <> 'NaN'
  AND (energy_kwh = former_kwh AND power_kw = former_kw AND power_kw > 0
       AND extract(epoch FROM time - former_time) / 3600 < energy_kwh / power_kw / 2) IS NOT TRUE
"""
# A sign turned round, a row sent again ten seconds later, and an outage whose energy comes in one row.
_FAULTS = """
UPDATE energy_readings SET energy_kwh = -energy_kwh
WHERE machine_id = %(machine)s AND time = %(start)s + interval '5 days 3 hours';
INSERT INTO energy_readings (time, machine_id, power_kw, energy_kwh)
SELECT time + interval '10 seconds', machine_id, power_kw, energy_kwh FROM energy_readings
WHERE machine_id = %(machine)s AND time = %(start)s + interval '9 days 13 hours';
WITH lost AS (
    DELETE FROM energy_readings
    WHERE machine_id = %(machine)s AND time >= %(start)s + interval '20 days 8 hours'
          AND time < %(start)s + interval '20 days 14 hours'
    RETURNING energy_kwh)
UPDATE energy_readings SET energy_kwh = energy_kwh + (SELECT sum(energy_kwh) FROM lost)
WHERE machine_id = %(machine)s AND time = %(start)s + interval '20 days 14 hours';
"""


def rows() -> Iterator[Figure]:
    """The ratio of times, and the two equalities."""
    with filled_database() as database:
        parameters = {
            "machine": str(database.machine_id), "start": FIRST_DAY, "end": FIRST_DAY + timedelta(days=DAYS)
        }  # fmt: skip
        connection = psycopg2.connect(database.url)
        connection.autocommit = True
        with connection.cursor() as cursor:
            ours, raw = medians(partial(_medians_of_one_run, cursor, parameters), RUNS)
            clean = [_one(cursor, sql, parameters) for sql in (_OURS, _RAW, _REFERENCE)]
            execute(database.url, _FAULTS, parameters)
            faulty = [_one(cursor, sql, parameters) for sql in (_OURS, _REFERENCE)]
        connection.close()
    yield Figure(
        "energy-sql",
        "energy of 90 d by our SQL ÷ sum of raw rows",
        "≤ 0.1",
        f"{ours / raw:.3f} ({ours * 1e3:.2f} ÷ {raw * 1e3:.1f} ms)",
        ours / raw <= 0.1,
    )
    yield Figure(
        "energy-sql",
        "the same: equal to the raw sum where nothing is refused, to the reference with faults",
        "equal",
        f"{clean[0]:.6f} = {clean[1]:.6f}; {faulty[0]:.6f} = {faulty[1]:.6f} kWh",
        len(set(clean)) == 1 and len(set(faulty)) == 1,
    )


def _medians_of_one_run(cursor: Any, parameters: dict[str, object]) -> Sequence[float]:
    samples: tuple[list[float], list[float]] = ([], [])
    for _ in range(REPEATS):
        for sql, sample in zip((_OURS, _RAW), samples, strict=True):
            started = time.perf_counter()
            _one(cursor, sql, parameters)
            sample.append(time.perf_counter() - started)
    return [median(sample) for sample in samples]


def _one(cursor: Any, sql: str, parameters: dict[str, object]) -> Decimal:
    cursor.execute(sql, parameters)
    (value,) = cursor.fetchone()
    return Decimal(value)
