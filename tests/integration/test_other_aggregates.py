"""Production and environment aggregates, and the contract's names over all three facts."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg2
import pytest

MACHINE = "c0000000-0000-4000-8000-000000000001"
START = datetime(2026, 5, 4, 6, tzinfo=UTC)


@pytest.fixture
def connection(database_url):
    connection = psycopg2.connect(database_url)
    connection.autocommit = True
    execute(connection, "INSERT INTO factories (id, name) VALUES (%s, 'Plant')", (MACHINE,))
    execute(
        connection,
        "INSERT INTO machines (id, factory_id, name, type, rated_power_kw, data_interval_seconds)"
        " VALUES (%s, %s, 'Press', 'injection_molding', 60, 60)",
        (MACHINE, MACHINE),
    )
    yield connection
    connection.close()


def execute(connection, statement, values=()):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def rows(connection, query, values=()):
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()


def produce(connection, minute, count, **more):
    names = ["time", "machine_id", "production_count", *more]
    values = [START + timedelta(minutes=minute), MACHINE, count, *more.values()]
    execute(
        connection,
        f"INSERT INTO production_data ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})"
        " ON CONFLICT (machine_id, time) DO UPDATE SET production_count = excluded.production_count",
        values,
    )


def test_production_follows_every_change(connection):
    query = "SELECT bucket, total_production_count, total_readings FROM production_data_15min ORDER BY bucket"
    for minute in (0, 10, 20, 70):
        produce(connection, minute, 5)
    at = [START + timedelta(minutes=m) for m in (0, 15, 60)]
    assert rows(connection, query) == [(at[0], 10, 2), (at[1], 5, 1), (at[2], 5, 1)]

    produce(connection, 20, 9)
    assert rows(connection, query) == [(at[0], 10, 2), (at[1], 9, 1), (at[2], 5, 1)]

    execute(connection, "UPDATE production_data SET time = time + interval '1 day' WHERE time = %s", (at[0],))
    assert rows(connection, query)[0] == (at[0], 5, 1)
    assert rows(connection, query)[-1] == (at[0] + timedelta(days=1), 5, 1)

    execute(connection, "DELETE FROM production_data WHERE time >= %s", (at[2],))
    hours = "SELECT bucket, total_production_count FROM production_data_1hour"
    assert rows(connection, hours) == [(at[0], 14)]

    execute(connection, "TRUNCATE production_data")
    assert rows(connection, query) == rows(connection, hours) == []


def test_averages_leave_out_what_was_not_told(connection):
    produce(connection, 0, 1, speed_percent=80, throughput_units_per_hour=100, downtime_seconds=30)
    produce(connection, 1, None, speed_percent=None, throughput_units_per_hour=300, downtime_seconds=None)

    query = """SELECT total_production_count, total_production_good, avg_speed_percent, avg_throughput,
                      total_downtime_seconds FROM production_data_1day"""
    assert rows(connection, query) == [(1, 0, 80, 200, 30)]


def test_environment_averages_are_exact_for_longer_periods(connection):
    execute(
        connection,
        "INSERT INTO environmental_data (time, machine_id, outdoor_temp_c, pressure_bar)"
        " SELECT %s + n * interval '7 minutes', %s, n, CASE WHEN n %% 2 = 0 THEN 7 END"
        " FROM generate_series(0, 9) n",
        (START, MACHINE),
    )

    hour = rows(
        connection,
        "SELECT avg_outdoor_temp_c, avg_pressure_bar, avg_vibration_mm_s, total_readings"
        " FROM environmental_data_1hour ORDER BY bucket",
    )
    assert hour == [(Decimal(4), 7, None, 9), (Decimal(9), None, None, 1)]
    assert rows(connection, "SELECT avg_outdoor_temp_c FROM environmental_data_1day") == [(Decimal("4.5"),)]


def test_energy_views_mean_electrical_alone(connection):
    insert = "INSERT INTO energy_readings (time, machine_id, energy_type, power_kw, energy_kwh)"
    execute(
        connection,
        f"{insert} SELECT %s + n * interval '1 minute', %s, 'electrical', 60 + n %% 2, 1"
        " FROM generate_series(0, 59) n",
        (START, MACHINE),
    )
    execute(connection, f"{insert} VALUES (%s, %s, 'natural_gas', 5, 100)", (START, MACHINE))

    query = """SELECT bucket, avg_power_kw, min_power_kw, max_power_kw, peak_demand_kw, total_energy_kwh,
                      load_factor, total_readings FROM {}"""
    assert rows(connection, query.format("energy_readings_1hour")) == [
        (START, Decimal("60.5"), 60, 61, 60, 60, 1, 60)
    ]
    day = rows(connection, query.format("energy_readings_1day"))
    assert day[0][0] == START.replace(hour=0)
    assert day[0][5] == 60
    assert len(rows(connection, query.format("energy_readings_15min"))) == 4


def test_catching_up_changes_nothing_where_triggers_keep_the_aggregates(connection):
    produce(connection, 0, 5)
    before = rows(connection, "SELECT * FROM analytics.production_15min")

    execute(connection, "SELECT analytics.catch_up(%s)", (MACHINE,))

    assert rows(connection, "SELECT * FROM analytics.production_15min") == before
