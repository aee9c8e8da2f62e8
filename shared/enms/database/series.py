"""One metric of one machine over time, in buckets."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from psycopg2 import sql

from enms.database.connection import Database

DAY_SECONDS = 86_400
_QUARTER_SECONDS = 900

type Source = Literal["energy", "production", "environment"]
type Summary = Literal["average", "sum"]


@dataclass(frozen=True)
class Metric:
    """Something that is recorded of machines.

    Attributes:
        source: The fact table's family.
        column: Its column, or the key in its `metadata`.
        unit: Its unit, where it has one; for energy kWh or the carrier's own.
        summary: What a bucket's value is made of.
        is_metadata: Whether `column` is a key in `metadata`.
    """

    source: Source
    column: str
    unit: str | None
    summary: Summary = "average"
    is_metadata: bool = False


type Point = tuple[datetime, float | None, float | None, float | None, int]

_TABLES = {"production": "production_data", "environment": "environmental_data"}
_BUCKET = {
    # Days are the factory's; shorter buckets are aligned to UTC.
    True: sql.SQL("date_trunc('day', {time}, %(zone)s)"),
    False: sql.SQL("date_bin(make_interval(secs => %(width)s), {time}, '2000-01-01 00:00+00')"),
}

_RAW = sql.SQL("""
    SELECT bucket, {summary}(value) AS value, min(value) AS min, max(value) AS max, count(value) AS readings
    FROM (
        SELECT {bucket} AS bucket, {value} AS value FROM {table} r
        WHERE r.machine_id = %(machine_id)s AND r.time >= %(start)s AND r.time < %(end)s
    ) raw
    WHERE value IS NOT NULL GROUP BY bucket ORDER BY bucket
""")
_POWER_OF_QUARTERS = sql.SQL("""
    SELECT {bucket} AS bucket,
           sum(power_sum_kw) / nullif(sum(readings - refused - spread_readings), 0) AS value,
           min(min_power_kw) AS min, max(max_power_kw) AS max, sum(readings - refused)::int AS readings
    FROM analytics.energy_15min q
    WHERE machine_id = %(machine_id)s AND energy_type = %(energy_type)s
      AND q.bucket > %(start)s - interval '15 minutes' AND q.bucket < %(end)s
    GROUP BY 1 ORDER BY 1
""")
_ENERGY_OF_QUARTERS = sql.SQL("""
    SELECT {bucket} AS bucket, sum(energy_kwh) AS value, NULL::numeric AS min, NULL::numeric AS max,
           sum(readings - refused)::int AS readings
    FROM analytics.energy_15min q
    WHERE machine_id = %(machine_id)s AND energy_type = %(energy_type)s
      AND q.bucket > %(start)s - interval '15 minutes' AND q.bucket < %(end)s
    GROUP BY 1 ORDER BY 1
""")
_POWER_OF_READINGS = sql.SQL("""
    SELECT {bucket} AS bucket, avg(power_kw) AS value, min(power_kw) AS min, max(power_kw) AS max,
           count(*) AS readings
    FROM analytics.judged_readings(%(machine_id)s, %(energy_type)s, %(start)s, %(end)s) r
    WHERE NOT is_refused AND NOT is_spread AND time >= %(start)s AND time < %(end)s
    GROUP BY 1 ORDER BY 1
""")
# A catch-up row's energy lies over its gap; any other's in the bucket that holds its time.
_ENERGY_OF_READINGS = sql.SQL("""
    SELECT bucket, sum(energy_kwh) AS value, NULL::numeric AS min, NULL::numeric AS max,
           sum(readings)::int AS readings
    FROM (
        SELECT {bucket} AS bucket, energy_kwh, 1 AS readings
        FROM analytics.judged_readings(%(machine_id)s, %(energy_type)s, %(start)s, %(end)s) r
        WHERE NOT is_refused AND NOT is_spread AND time >= %(start)s AND time < %(end)s
        UNION ALL
        SELECT b.bucket, analytics.energy_share(
                   r.energy_kwh, r.starts_at, r.ends_at,
                   greatest(b.bucket, %(start)s), least(b.bucket + w.width, %(end)s)), 0
        FROM analytics.judged_readings(%(machine_id)s, %(energy_type)s, %(start)s, %(end)s) r,
             LATERAL (SELECT make_interval(secs => %(width)s) AS width) w,
             LATERAL generate_series(
                 date_bin(w.width, greatest(r.starts_at, %(start)s), '2000-01-01 00:00+00'),
                 least(r.ends_at, %(end)s) - interval '1 microsecond', w.width) AS b (bucket)
        WHERE is_spread
    ) parts
    GROUP BY bucket ORDER BY bucket
""")


def read_series(
    database: Database,
    machine_id: UUID,
    metric: Metric,
    start: datetime,
    end: datetime,
    width_seconds: int,
    *,
    energy_type: str,
    zone: str,
) -> list[Point]:
    """Start, value, minimum, maximum and number of readings of each bucket that has any.

    Energy and power count accepted readings only, as KPIs do.

    Args:
        database: The database.
        machine_id: The machine.
        metric: What to read.
        start: First instant; in buckets of 15 minutes or more the quarter hour that it lies in counts wholly.
        end: The instant after the last.
        width_seconds: Width of a bucket; a day is the factory's.
        energy_type: The carrier, for power and energy.
        zone: The factory's zone.
    """
    parameters = {
        "machine_id": machine_id,
        "start": start,
        "end": end,
        "width": width_seconds,
        "zone": zone,
        "energy_type": energy_type,
    }
    with database.connection() as connection, connection.cursor() as cursor:
        if metric.source == "energy":
            # Where fact tables can't carry triggers, aggregates are kept when they are read.
            cursor.execute("SELECT analytics.catch_up(%(machine_id)s)", parameters)
        cursor.execute(_statement(metric, width_seconds), parameters)
        points: list[Point] = cursor.fetchall()
    return points


def _statement(metric: Metric, width_seconds: int) -> sql.Composed:
    bucket = _BUCKET[width_seconds == DAY_SECONDS]
    if metric.source == "energy":
        by_quarters = width_seconds % _QUARTER_SECONDS == 0
        statements = {
            ("power_kw", True): _POWER_OF_QUARTERS,
            ("power_kw", False): _POWER_OF_READINGS,
            ("energy_kwh", True): _ENERGY_OF_QUARTERS,
            ("energy_kwh", False): _ENERGY_OF_READINGS,
        }
        time = sql.Identifier("q", "bucket") if by_quarters else sql.Identifier("r", "time")
        return statements[metric.column, by_quarters].format(bucket=bucket.format(time=time))
    value: sql.Composable = sql.Identifier("r", metric.column)
    if metric.is_metadata:
        value = sql.SQL(
            "CASE WHEN jsonb_typeof(r.metadata -> {key}) = 'number' THEN (r.metadata ->> {key})::numeric END"
        ).format(key=sql.Literal(metric.column))
    return _RAW.format(
        bucket=bucket.format(time=sql.Identifier("r", "time")),
        value=value,
        table=sql.Identifier(_TABLES[metric.source]),
        summary=sql.SQL("sum" if metric.summary == "sum" else "avg"),
    )
