"""A customer's platform is adopted: everything of theirs stays, what is ours comes beside it."""

from datetime import UTC, datetime

import psycopg2
import pytest

from enms.database import migrate

COMPRESSOR = "c0000000-0000-4000-8000-000000000001"
HVAC = "c0000000-0000-4000-8000-000000000002"
RELATIONS = """
    SELECT c.relname, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attnum,
           pg_get_expr(d.adbin, d.adrelid)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v')
      AND a.attnum > 0 AND NOT a.attisdropped
"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
"""
FUNCTIONS = """
    SELECT oid::regprocedure::text, pg_get_function_arguments(oid), pg_get_function_result(oid)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""
VIEWS = "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'"
# What a table of theirs gets beside its own columns.
OUR_COLUMNS = {
    "energy_baselines": ["energy_type", "artifact_key", "artifact_sha256", "verdict", "interval"],
    "anomalies": [
        "origin", "energy_type", "state", "last_seen_at", "ended_at", "is_lasting", "false_alarms_per_week",
        "energy_kwh", "cost", "currency", "detector_id", "run_id", "acknowledged_at", "acknowledged_by",
        "resolved_by", "updated_at",
    ],
}  # fmt: skip


@pytest.fixture
def connection(installed_platform_url):
    connection = psycopg2.connect(installed_platform_url)
    yield connection
    connection.close()


def rows(connection, query, values=()):
    with connection, connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()


def one(connection, query, values=()):
    return rows(connection, query, values)[0]


def inventory(connection):
    return {query: set(rows(connection, query)) for query in (RELATIONS, CONSTRAINTS, FUNCTIONS, VIEWS)}


def contents(connection):
    """A digest of all rows in their own columns, but of those of views that rest on a function of ours."""
    names = rows(
        connection,
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')",
    )
    ours = {"v_today_cost"}
    query = """SELECT count(*), md5(string_agg(o.own, '|' ORDER BY o.own))
               FROM public.{} r, LATERAL (SELECT (to_jsonb(r) - %s::text[])::text AS own) o"""
    return {
        name: one(connection, query.format(name), (OUR_COLUMNS.get(name, []),))
        for (name,) in names
        if name not in ours
    }


def test_nothing_of_the_platform_is_lost_renamed_or_retyped(connection):
    objects, data = inventory(connection), contents(connection)

    migrate.apply(connection)

    after = inventory(connection)
    for query, before in objects.items():
        assert before <= after[query]
    assert contents(connection).items() >= data.items()
    assert one(connection, "SELECT count(*) FROM v_today_cost") == (3,)


def test_only_our_own_things_are_added(connection):
    before = inventory(connection)

    done = migrate.apply(connection)

    added = {(row[0], row[2]) for row in inventory(connection)[RELATIONS] - before[RELATIONS]}
    new_columns = {(table, column) for table, columns in OUR_COLUMNS.items() for column in columns}
    assert {pair for pair in added if pair[0] != "environmental_data_1day"} == new_columns
    assert all(name.startswith("function calculate_") for name in done.replaced)
    new_tables = [name for name in done.added if name.startswith("table ")]
    assert new_tables
    assert all(name.startswith("table analytics.") for name in new_tables)


def test_plan_is_what_is_done_and_changes_nothing(connection):
    before = inventory(connection)

    plan = migrate.plan(connection)

    assert inventory(connection) == before
    assert rows(connection, "SELECT 1 FROM pg_namespace WHERE nspname = 'analytics'") == []
    assert migrate.apply(connection) == plan


def test_twice_is_harmless(connection):
    migrate.apply(connection)
    objects, data = inventory(connection), contents(connection)

    assert migrate.apply(connection).pending == ()

    assert (inventory(connection), contents(connection)) == (objects, data)


def test_existing_readings_are_aggregated(connection):
    migrate.apply(connection)

    pairs = [
        (
            """SELECT machine_id, energy_type, sum(energy_kwh), sum(readings), sum(refused),
                      sum(spread_readings) FROM analytics.energy_{} GROUP BY 1, 2 ORDER BY 1, 2""",
            """SELECT machine_id, energy_type, sum(energy_kwh), count(*), 0, 0
               FROM energy_readings GROUP BY 1, 2 ORDER BY 1, 2""",
        ),
        (
            """SELECT machine_id, sum(production_count), sum(readings)
               FROM analytics.production_{} GROUP BY 1 ORDER BY 1""",
            "SELECT machine_id, sum(production_count), count(*) FROM production_data GROUP BY 1 ORDER BY 1",
        ),
        (
            "SELECT sum(outdoor_temp_sum), sum(pressure_readings) FROM analytics.environment_{}",
            "SELECT sum(outdoor_temp_c), count(pressure_bar) FROM environmental_data",
        ),
    ]
    for aggregated, raw in pairs:
        for suffix in ("15min", "1hour"):
            assert rows(connection, aggregated.format(suffix)) == rows(connection, raw)


def test_carrier_with_a_rhythm_of_its_own_is_no_catch_up(connection):
    """Gas comes each quarter hour on a machine whose interval is a minute."""
    migrate.apply(connection)

    query = """
        SELECT count(*), sum(spread_readings), min(energy_kwh), max(best_window_kw), min(covered_seconds)
        FROM analytics.energy_15min WHERE machine_id = %s AND energy_type = 'natural_gas' AND readings > 0"""
    assert one(connection, query, (HVAC,)) == (288, 0, 3, 12, 900)


def test_platform_goes_on_writing(connection):
    migrate.apply(connection)
    query = """SELECT energy_kwh, readings FROM analytics.energy_1hour
               WHERE machine_id = %s AND bucket = '2026-03-30 00:00+00'"""

    with connection, connection.cursor() as cursor:
        for minute in range(3):
            cursor.execute(
                "INSERT INTO energy_readings (time, machine_id, power_kw, energy_kwh)"
                " VALUES (timestamptz '2026-03-30 00:00+00' + make_interval(mins => %s), %s, 30, 0.5)",
                (minute, COMPRESSOR),
            )

    assert rows(connection, query, (COMPRESSOR,)) == [(1.5, 3)]


def test_platform_needs_no_rights_on_our_schema(connection):
    """The role that ingests knows nothing of us."""
    migrate.apply(connection)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE ROLE ingestion; GRANT ALL ON ALL TABLES IN SCHEMA public TO ingestion; SET ROLE ingestion"
        )
        cursor.execute("UPDATE machines SET rated_power_kw = 91 WHERE id = %s", (COMPRESSOR,))
        for table in ("energy_readings", "production_data", "environmental_data"):
            cursor.execute(
                f"DELETE FROM {table} WHERE machine_id = %s AND time >= '2026-03-29'", (COMPRESSOR,)
            )
        cursor.execute("RESET ROLE; DROP OWNED BY ingestion; DROP ROLE ingestion")

    query = "SELECT max(bucket) FROM analytics.{} WHERE machine_id = %s AND readings > 0"
    for table in ("energy_1hour", "production_1hour", "environment_1hour"):
        assert rows(connection, query.format(table), (COMPRESSOR,)) == [
            (datetime(2026, 3, 28, 23, tzinfo=UTC),)
        ]


def test_machine_goes_with_all_its_rows(connection):
    migrate.apply(connection)

    with connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM machines WHERE id = %s", (HVAC,))

    for table in ("energy_15min", "energy_1hour", "production_1hour", "environment_15min"):
        assert one(connection, f"SELECT count(*) FROM analytics.{table} WHERE machine_id = %s", (HVAC,)) == (
            0,
        )


def test_missing_columns_are_added_with_their_defaults(connection):
    """An older platform, which has fewer columns than the contract."""
    rows_before = one(connection, "SELECT count(*) FROM energy_readings")
    with connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE energy_readings DROP COLUMN is_estimated, DROP COLUMN quality_score")
        cursor.execute("ALTER TABLE environmental_data DROP COLUMN vibration_mm_s CASCADE")

    migrate.apply(connection)

    query = "SELECT count(*) FROM energy_readings WHERE NOT is_estimated AND quality_score = 1"
    assert one(connection, query) == rows_before
