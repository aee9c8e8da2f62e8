"""What aggregates keep of modes, shifts and metadata, against raw rows after any change."""

import json
import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg2
import pytest
from integration.baselines.works import MACHINE

from enms.database import migrate

START = datetime(2026, 5, 4, 6, tzinfo=UTC)
MODES = ("idle", "running", "maintenance", "fault", "offline")
COLUMNS = {
    "outdoor_temp": "outdoor_temp_c",
    "pressure_setpoint": "pressure_setpoint_bar",
    "supply_air_temp": "supply_air_temp_c",
    "return_air_temp": "return_air_temp_c",
    "cop": "cop",
}


def floored(time, minutes):
    return time - timedelta(minutes=time.minute % minutes, seconds=time.second)


def number(value):
    """A metadata value as what counts of it."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    value = Decimal(value)
    return value if abs(value) < Decimal("1e100") else None


def prevailing(names):
    counts = Counter(name for name in names if name is not None)
    return min(counts, key=lambda name: (-counts[name], name)) if counts else None


def expected_drivers(works, table, minutes):
    sums, readings = defaultdict(Decimal), Counter()
    for time, text in works.rows(f"SELECT time, metadata::text FROM {table}"):
        metadata = json.loads(text, parse_float=Decimal) if text else None
        for key, value in metadata.items() if isinstance(metadata, dict) else ():
            if number(value) is not None:
                sums[floored(time, minutes), key] += number(value)
                readings[floored(time, minutes), key] += 1
    return {place: (sums[place], readings[place]) for place in sums}


def expected_states(works):
    quarters = defaultdict(list)
    for time, mode, shift in works.rows("SELECT time, operating_mode, shift FROM production_data"):
        quarters[floored(time, 15)].append((mode, shift))
    by_quarter = {
        bucket: (
            *(sum(mode == wanted for mode, _ in found) for wanted in MODES),
            prevailing(shift for _, shift in found),
        )
        for bucket, found in quarters.items()
    }
    hours = defaultdict(list)
    for bucket, states in by_quarter.items():
        hours[floored(bucket, 60)].append(states)
    by_hour = {
        bucket: (*(sum(s[n] for s in found) for n in range(len(MODES))), prevailing(s[-1] for s in found))
        for bucket, found in hours.items()
    }
    return {"15min": by_quarter, "1hour": by_hour}


def expected_environment(works, minutes):
    sums, counts = defaultdict(Decimal), Counter()
    buckets = set()
    for time, *values in works.rows(f"SELECT time, {', '.join(COLUMNS.values())} FROM environmental_data"):
        buckets.add(floored(time, minutes))
        for name, value in zip(COLUMNS, values, strict=True):
            if value is not None and not value.is_nan():
                sums[floored(time, minutes), name] += value
                counts[floored(time, minutes), name] += 1
    return {
        bucket: tuple(
            part
            for name in COLUMNS
            for part in (sums[bucket, name] if counts[bucket, name] else None, counts[bucket, name])
        )
        for bucket in buckets
    }


def kept(works, table, columns):
    return {row[0]: row[1:] for row in works.rows(f"SELECT bucket, {columns} FROM analytics.{table}")}


def assert_as_the_raw_rows_say(works):
    states = expected_states(works)
    pairs = ", ".join(f"{name}_sum, {name}_readings" for name in COLUMNS)
    for suffix, minutes in (("15min", 15), ("1hour", 60)):
        assert kept(works, f"production_{suffix}", ", ".join((*MODES, "shift"))) == states[suffix]
        assert kept(works, f"environment_{suffix}", pairs) == expected_environment(works, minutes)
        for fact, table in (("production", "production_data"), ("environment", "environmental_data")):
            drivers = works.rows(
                f"SELECT bucket, key, value_sum, readings FROM analytics.{fact}_drivers_{suffix}"
            )
            assert {row[:2]: row[2:] for row in drivers} == expected_drivers(works, table, minutes)


def everything(works):
    tables = [
        f"{fact}{kind}_{suffix}"
        for fact in ("production", "environment")
        for kind in ("", "_drivers")
        for suffix in ("15min", "1hour")
    ]
    return {name: set(works.rows(f"SELECT * FROM analytics.{name}")) for name in tables}


def a_row(rng, minute, fact):
    metadata = {
        key: value
        for key, value in (
            ("moisture", rng.randrange(100) / 8),
            ("batch", rng.choice(["A", None, True, {"x": 1}, [2]])),
            ("weight", rng.choice([rng.randrange(10**6), "12", None])),
            ('Größe, "m²"', rng.randrange(9) / 10),
        )
        if rng.random() < 0.6
    }
    row = {"time": START + timedelta(minutes=minute, seconds=rng.randrange(60)), "metadata": metadata}
    if fact == "production":
        return row | {
            "operating_mode": rng.choice([*MODES, None]),
            "shift": rng.choice(["early", "Late", "late", None]),
        }
    return row | {
        name: rng.choice([None, "NaN", rng.randrange(-400, 400) / 100]) for name in COLUMNS.values()
    }


@pytest.mark.parametrize("seed", range(4))
def test_equal_to_the_raw_rows_after_each_of_many_changes(works, seed):
    rng = random.Random(seed)
    for _ in range(25):
        fact = rng.choice(["production", "environment"])
        table = {"production": "production_data", "environment": "environmental_data"}[fact]
        first = rng.randrange(600)
        span = (START + timedelta(minutes=first), START + timedelta(minutes=first + rng.randrange(1, 90)))
        match rng.randrange(5):
            case 0 | 1:
                minutes = rng.sample(range(600), rng.choice([1, 2, 40]))
                works.rows(
                    f"DELETE FROM {table} WHERE date_trunc('minute', time) = ANY (%s)",
                    ([START + timedelta(minutes=m) for m in minutes],),
                )
                works.add(fact, [a_row(rng, minute, fact) for minute in minutes])
            case 2:
                works.rows(f"DELETE FROM {table} WHERE time >= %s AND time < %s", span)
            case 3:
                works.rows(
                    f"UPDATE {table} SET metadata = metadata - 'weight' || %s WHERE time >= %s AND time < %s",
                    ('{"moisture": 3.5, "new": 1e-3}', *span),
                )
            case 4:
                works.rows(
                    f"UPDATE {table} SET time = time + interval '3 days' WHERE time >= %s AND time < %s", span
                )
        assert_as_the_raw_rows_say(works)
    former = everything(works)
    assert all(former.values())

    works.rows(
        "DELETE FROM analytics.production_drivers_1hour; UPDATE analytics.production_15min SET shift = 'x'"
    )
    works.rows("SELECT analytics.refresh_machine(%s)", (MACHINE,))

    assert everything(works) == former


@pytest.mark.parametrize("metadata", ["null", "[1, 2]", '"text"', "7", "{}", None])
def test_metadata_that_hold_no_numbers_are_no_error(works, metadata):
    works.rows(
        "INSERT INTO production_data (time, machine_id, metadata) VALUES (%s, %s, %s)",
        (START, MACHINE, metadata),
    )
    assert works.rows("SELECT * FROM analytics.production_drivers_15min") == []
    assert works.one("SELECT readings FROM analytics.production_1hour") == 1


def test_numbers_that_no_double_holds_do_not_break_the_aggregates(works):
    metadata = '{"huge": 1e400, "tiny": 1e-400, "long": 0.%s, "fine": 2}' % ("1" * 60)
    works.rows(
        "INSERT INTO production_data (time, machine_id, metadata) VALUES (%s, %s, %s)",
        (START, MACHINE, metadata),
    )
    found = works.rows("SELECT key, value_sum::float8 FROM analytics.production_drivers_1hour ORDER BY key")
    assert found == [("fine", 2.0), ("long", pytest.approx(1 / 9)), ("tiny", 0.0)]


def test_what_is_not_a_number_leaves_the_other_readings_of_its_hour_standing(works):
    works.add(
        "production",
        [
            {"time": START, "speed_percent": "NaN", "production_count": 1},
            {"time": START + timedelta(minutes=1), "speed_percent": 80, "production_count": 2},
        ],
    )
    query = "SELECT avg_speed_percent, total_production_count FROM production_data_1hour"
    assert works.rows(query) == [(80, 3)]


def test_truncating_one_fact_empties_its_drivers_alone(works):
    for fact in ("production", "environment"):
        works.add(fact, [{"time": START, "metadata": {"a": 1}}])

    works.rows("TRUNCATE environmental_data")

    assert works.rows("SELECT * FROM analytics.environment_drivers_15min") == []
    assert works.rows("SELECT * FROM analytics.environment_drivers_1hour") == []
    assert works.rows("SELECT key FROM analytics.production_drivers_1hour") == [("a",)]


def test_what_a_platform_has_is_aggregated_by_the_migration(installed_platform_url):
    connection = psycopg2.connect(installed_platform_url)
    with connection, connection.cursor() as cursor:
        cursor.execute("UPDATE production_data SET metadata = '{\"material_moisture_percent\": 7.25}'")
    migrate.plan(connection)

    migrate.apply(connection)

    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, sum(value_sum), sum(readings) FROM analytics.production_drivers_1hour GROUP BY key"
        )
        assert cursor.fetchall() == [("material_moisture_percent", Decimal("7.25") * 8640, 8640)]
        cursor.execute("SELECT DISTINCT running, offline FROM analytics.production_15min")
        assert cursor.fetchall() == [(15, 0)]
    connection.close()
