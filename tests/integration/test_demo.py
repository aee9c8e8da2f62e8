"""The demo factory in a database: loaded once, broken when asked to, fed, kept from other people's data."""

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg2
import pytest
from typer.testing import CliRunner

from enms.errors import NotFoundError
from enms_local.cli import create_app
from enms_local.demo import feed
from enms_local.demo.load import inject, load_once, open_database, this_minute
from enms_local.demo.plant import MACHINES
from enms_local.postgres import PostgresServer

COMPRESSOR = MACHINES[0]
NEWEST = "SELECT max(time) FROM energy_readings"


@pytest.fixture(scope="module")
def loaded_template(postgres: PostgresServer, migrated_template: str) -> Iterator[str]:
    name = "demo_template"
    _execute(postgres.url(), f"CREATE DATABASE {name} TEMPLATE {migrated_template}")
    assert load_once(postgres.url(name), days=2)
    yield name
    _execute(postgres.url(), f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def demo_url(postgres: PostgresServer, loaded_template: str) -> Iterator[str]:
    name = f"demo_{os.urandom(4).hex()}"
    _execute(postgres.url(), f"CREATE DATABASE {name} TEMPLATE {loaded_template}")
    yield postgres.url(name)
    _execute(postgres.url(), f"DROP DATABASE {name} WITH (FORCE)")


def _execute(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    connection.cursor().execute(statement)
    connection.close()


def _rows(url: str, query: str) -> list[tuple]:
    connection = psycopg2.connect(url)
    cursor = connection.cursor()
    cursor.execute(query)
    found = cursor.fetchall()
    connection.close()
    return found


def test_history_reaches_from_local_midnight_to_now(demo_url: str) -> None:
    [(machines, first, last, rows)] = _rows(
        demo_url, "SELECT count(DISTINCT machine_id), min(time), max(time), count(*) FROM energy_readings"
    )
    assert machines == 8
    assert first.astimezone(UTC).hour in (22, 23)  # midnight in Berlin
    assert timedelta(0) < datetime.now(UTC) - last < timedelta(minutes=15)
    assert rows == 8 * ((last - first) / timedelta(minutes=1) + 1)
    moisture = "SELECT bool_and(metadata ? 'material_moisture_percent') FROM production_data"
    assert _rows(demo_url, moisture) == [(True,)]


def test_truth_is_kept(demo_url: str) -> None:
    query = (
        "SELECT name, value::float8 FROM analytics.demo_truth"
        f" WHERE kind = 'coefficient' AND machine_id = '{COMPRESSOR.id}'"
    )
    assert dict(_rows(demo_url, query)) == {
        "intercept": COMPRESSOR.intercept_kwh,
        "noise_kwh": COMPRESSOR.noise_kwh,
        **COMPRESSOR.coefficients,
    }


def test_loading_again_changes_nothing(demo_url: str) -> None:
    before = _rows(demo_url, "SELECT sum(energy_kwh), count(*) FROM energy_readings")
    assert not load_once(demo_url, days=2)
    assert _rows(demo_url, "SELECT sum(energy_kwh), count(*) FROM energy_readings") == before


def test_a_load_that_fails_leaves_nothing(database_url: str) -> None:
    _execute(
        database_url, "ALTER TABLE environmental_data ADD CONSTRAINT refuse_all CHECK (vibration_mm_s < 0)"
    )
    with pytest.raises(psycopg2.errors.CheckViolation):
        load_once(database_url, days=1)
    for table in ("factories", "energy_readings", "analytics.demo_truth"):
        assert _rows(database_url, f"SELECT count(*) FROM {table}") == [(0,)]


def test_an_injected_fault_is_in_rows_aggregates_and_truth_once(demo_url: str) -> None:
    start_at = (this_minute() - timedelta(hours=9)).replace(minute=0)
    energy = (
        f"SELECT sum(energy_kwh)::float8 FROM analytics.energy_1hour WHERE machine_id = '{COMPRESSOR.id}'"
        f" AND bucket >= '{start_at}' AND bucket < '{start_at + timedelta(hours=4)}'"
    )
    [(before,)] = _rows(demo_url, energy)

    assert inject(demo_url, "Compressor-1", "leak", start_at, hours=4, size=0.3)
    [(after,)] = _rows(demo_url, energy)
    assert after - before > 4 * 5

    assert not inject(demo_url, "Compressor-1", "leak", start_at, hours=4, size=0.3)
    assert _rows(demo_url, energy) == [(after,)]
    kept = (
        "SELECT kind, value::float8, end_at - start_at, detail->>'anomaly_type'"
        f" FROM analytics.demo_truth WHERE start_at = '{start_at}'"
    )
    assert _rows(demo_url, kept) == [("leak", 0.3, timedelta(hours=4), "baseload_increase")]


def test_an_outage_is_spread_and_never_a_peak(demo_url: str) -> None:
    start_at = (this_minute() - timedelta(hours=9)).replace(minute=0)
    query = (
        "SELECT sum(energy_kwh)::float8, max(best_window_kw) < 90, sum(spread_readings)"
        f" FROM analytics.energy_1hour WHERE machine_id = '{COMPRESSOR.id}'"
        f" AND bucket BETWEEN '{start_at - timedelta(hours=2)}' AND '{start_at + timedelta(hours=6)}'"
    )
    [(sound_kwh, _, _)] = _rows(demo_url, query)

    assert inject(demo_url, "Compressor-1", "outage", start_at, hours=3)
    [(kwh, peak_is_sane, spread)] = _rows(demo_url, query)
    assert (peak_is_sane, spread) == (True, 1)
    assert kwh == pytest.approx(sound_kwh, rel=1e-6)


def test_the_feed_fills_what_was_missed(demo_url: str) -> None:
    missed_from = this_minute() - timedelta(hours=3)
    readings = (
        "SELECT time, machine_id, power_kw, energy_kwh FROM energy_readings WHERE time <= '{}' ORDER BY 1, 2"
    )
    [(newest,)] = _rows(demo_url, NEWEST)
    whole = _rows(demo_url, readings.format(newest))
    for table in ("energy_readings", "production_data", "environmental_data"):
        _execute(demo_url, f"DELETE FROM {table} WHERE time >= '{missed_from}'")
    database = open_database(demo_url)

    until = feed.catch_up(database, this_minute())
    database.close()
    assert _rows(demo_url, NEWEST) == [(until - feed.MINUTE,)]
    assert _rows(demo_url, readings.format(newest)) == whole


def test_the_feed_goes_on_when_the_database_was_away(demo_url: str, postgres: PostgresServer) -> None:
    _execute(demo_url, f"DELETE FROM energy_readings WHERE time >= '{this_minute() - timedelta(minutes=5)}'")
    database, stopped = open_database(demo_url), threading.Event()
    with database.connection():
        pass
    _execute(
        postgres.url(),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'enms-demo'",
    )
    thread = threading.Thread(target=feed.run, args=(database, stopped))
    thread.start()
    try:
        deadline_at = datetime.now(UTC) + timedelta(seconds=60)
        while _rows(demo_url, NEWEST)[0][0] < this_minute() - 2 * feed.MINUTE:
            assert datetime.now(UTC) < deadline_at, "the feed did not go on"
            stopped.wait(0.1)
    finally:
        stopped.set()
        thread.join()
        database.close()


def test_without_the_demo_there_is_nothing_to_feed_or_break(database_url: str) -> None:
    database = open_database(database_url)
    with pytest.raises(NotFoundError, match="enms demo load"):
        feed.catch_up(database, this_minute())
    database.close()
    with pytest.raises(NotFoundError, match="enms demo load"):
        inject(database_url, "Compressor-1", "leak", this_minute() - timedelta(hours=2), hours=1)


def test_unknown_machine_names_those_there_are(demo_url: str) -> None:
    with pytest.raises(NotFoundError, match="but Compressor-1, HVAC-1"):
        inject(demo_url, "Compressor-9", "leak", this_minute(), hours=1)


@pytest.mark.parametrize(
    "command",
    [
        ["load"],
        ["inject", "leak", "--machine", "Compressor-1", "--start", "2026-01-01T00:00", "--hours", "1"],
    ],
    ids=lambda command: command[0],
)
def test_another_database_is_never_touched(
    database_url: str, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENMS_DATABASE_URL", database_url)
    result = CliRunner().invoke(create_app(), ["demo", *command])

    assert result.exit_code != 0
    assert "only ever touches the local cloud's own" in str(result.exception)
    assert _rows(database_url, "SELECT count(*) FROM factories") == [(0,)]
