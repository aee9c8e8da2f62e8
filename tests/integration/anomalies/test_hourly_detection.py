"""The job of each hour: every machine's hours that were not looked at yet, each once."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from integration.anomalies import demo_plant
from integration.anomalies.demo_plant import COMPRESSOR, PUMP, DemoPlant

from enms.artifacts import ModelStore
from enms.database import jobs
from enms.database.connection import Database
from enms.services import hourly_detection
from enms_local.demo import load
from enms_local.demo.plant import FACTORY_ID
from enms_local.postgres import PostgresServer

DAYS = 21
SILENT = UUID("c0000000-0000-4000-8000-00000000000a")
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def template(postgres: PostgresServer, migrated_template: str) -> str:
    """Name of a database with two machines' weeks up to some hours from now, and one that never reported."""
    name = "enms_demo_now"
    _execute(postgres, f"CREATE DATABASE {name} TEMPLATE {migrated_template}")
    now = this_hour()
    demo_plant.fill(
        postgres.url(name),
        [(machine, now - timedelta(days=DAYS), now + 2 * HOUR) for machine in (COMPRESSOR, PUMP)],
    )
    with psycopg2.connect(postgres.url(name)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO machines (id, factory_id, name, type, rated_power_kw, is_active) VALUES"
            " (%s, %s, 'Silent', 'motor', 10, true), (gen_random_uuid(), %s, 'Scrapped', 'motor', 10, false)",
            (str(SILENT), str(FACTORY_ID), str(FACTORY_ID)),
        )
    connection.close()
    return name


@pytest.fixture
def plant(postgres: PostgresServer, template: str, models_store: ModelStore) -> Iterator[DemoPlant]:
    """That factory in a database of the test's own, with a leak that began five hours ago."""
    name = f"hourly_{uuid.uuid4().hex[:12]}"
    _execute(postgres, f"CREATE DATABASE {name} TEMPLATE {template}")
    url = postgres.url(name)
    load.inject(url, COMPRESSOR.name, "leak", this_hour() - 5 * HOUR, 24, 0.5)
    database = Database(lambda: url, pool_size=12)
    yield DemoPlant(url, database, models_store)
    database.close()
    _execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def this_hour() -> datetime:
    """The end of the last closed hour."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def fire(plant: DemoPlant, fired_at: datetime) -> UUID:
    """What a firing of the rule does."""
    return hourly_detection.run_scheduled(plant.database, plant.store, plant.settings, fired_at)


def account(plant: DemoPlant, run_id: UUID) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """A run, and its items by the machine's name."""
    run = jobs.run(plant.database, run_id)
    assert run is not None
    items = jobs.items(plant.database, run_id)
    return run, {each["detail"]["machine_name"]: each for each in items}


def watermarks(plant: DemoPlant) -> dict[UUID, datetime]:
    """Until where each machine was looked at."""
    found = plant.database.rows("SELECT machine_id, detected_until FROM analytics.anomaly_watermarks")
    return {row["machine_id"]: row["detected_until"] for row in found}


def _execute(server: PostgresServer, statement: str) -> None:
    connection = psycopg2.connect(server.url())
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def test_a_firing_looks_at_every_active_machine(plant: DemoPlant) -> None:
    until = this_hour()
    run, items = account(plant, fire(plant, until + timedelta(minutes=5)))

    assert (run["state"], run["error"], run["actor"]) == ("succeeded", None, "service:detect-anomalies")
    assert {name: item["state"] for name, item in items.items()} == {
        "Compressor-1": "succeeded",
        "Pump-1": "succeeded",
        "Silent": "skipped",
    }
    assert "has no reading of electrical energy at all" in items["Silent"]["detail"]["reason"]
    assert watermarks(plant) == {COMPRESSOR.id: until, PUMP.id: until}
    assert run["counts"]["machines"] == 3
    leak = next(row for row in plant.stored() if row["machine_id"] == COMPRESSOR.id)
    assert (leak["state"], leak["ended_at"], leak["run_id"]) == ("open", None, run["id"])
    # Where nothing but earlier weeks tells what is usual, the beginning is known by hours.
    assert until - 12 * HOUR <= leak["detected_at"] <= until - 4 * HOUR
    assert leak["cost"] > 0
    assert "so far): " in leak["metadata"]["summary"]


def test_a_redelivered_or_another_event_of_the_hour_changes_nothing(plant: DemoPlant) -> None:
    fired_at = this_hour() + timedelta(minutes=5)
    first = fire(plant, fired_at)
    stored, before = plant.stored(), account(plant, first)

    assert fire(plant, fired_at) == first
    assert account(plant, first) == before
    another, items = account(plant, fire(plant, fired_at + HOUR))
    assert another["state"] == "succeeded"
    assert {item["state"] for item in items.values()} == {"skipped"}
    assert "were looked at before" in items["Pump-1"]["detail"]["reason"]
    assert plant.stored() == stored


def test_at_once_each_hour_is_done_once(plant: DemoPlant) -> None:
    fired_at = this_hour() + timedelta(minutes=5)
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda n: fire(plant, fired_at + n // 2 * HOUR), range(3)))
    assert runs[0] == runs[1] != runs[2]
    states = sorted(item["state"] for run_id in set(runs) for item in account(plant, run_id)[1].values())
    # Three machines in two runs: two of them done in either.
    assert states == ["skipped"] * 4 + ["succeeded"] * 2
    once = plant.database.rows("SELECT anomaly_id FROM analytics.anomaly_outbox WHERE event = 'opened'")
    assert len(once) == len({row["anomaly_id"] for row in once}) == len(plant.stored())


@pytest.mark.parametrize(("missed", "looked"), [(30, 30), (24 * 20, 24 * 14)])
def test_missed_hours_are_caught_up_with_two_weeks_at_most(
    plant: DemoPlant, missed: int, looked: int
) -> None:
    until = this_hour()
    plant.database.rows(
        "INSERT INTO analytics.anomaly_watermarks (machine_id, energy_type, detected_until)"
        " VALUES (%s, 'electrical', %s) RETURNING 1",
        (PUMP.id, until - missed * HOUR),
    )
    _, items = account(plant, fire(plant, until))
    detail = items["Pump-1"]["detail"]
    assert datetime.fromisoformat(detail["until"]) - datetime.fromisoformat(detail["from"]) == looked * HOUR
    assert watermarks(plant)[PUMP.id] == until


def test_readings_that_come_some_hours_late_are_looked_at(plant: DemoPlant) -> None:
    until = this_hour()
    missing = (until - 4 * HOUR, until - 2 * HOUR)
    delete = "DELETE FROM energy_readings WHERE machine_id = %s AND time >= %s AND time < %s RETURNING 1"
    plant.database.rows(delete, (PUMP.id, *missing))
    fire(plant, until - HOUR)
    (gap,) = (row for row in plant.stored() if row["machine_id"] == PUMP.id)
    assert gap["anomaly_type"] == "data_gap"

    # They come, with a burst of power among them, and an hour goes by.
    load.inject(plant.url, PUMP.name, "spike", missing[0], 2, 2.0)
    plant.database.rows(
        "UPDATE analytics.anomaly_watermarks SET detected_until = %s RETURNING 1", (until - HOUR,)
    )
    fire(plant, until)
    kinds = {row["anomaly_type"]: row for row in plant.stored() if row["machine_id"] == PUMP.id}
    assert kinds["data_gap"]["ended_at"] is not None
    assert "power_spike" in kinds


def test_hours_that_are_looked_at_anew_give_the_same(plant: DemoPlant) -> None:
    fire(plant, this_hour())
    at_once = plant.stored()
    plant.database.rows("DELETE FROM analytics.anomaly_watermarks RETURNING 1")
    fire(plant, this_hour() + HOUR)
    assert plant.stored() == at_once


def test_a_machine_that_fails_holds_up_no_other_and_is_done_later(plant: DemoPlant) -> None:
    until = this_hour()
    plant.database.rows(
        f"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON anomalies FOR EACH ROW
            WHEN (NEW.machine_id = '{COMPRESSOR.id}') EXECUTE FUNCTION refuse();
        """
    )
    run, items = account(plant, fire(plant, until))
    assert (run["state"], run["error"]) == ("partial", "1 of 3 machines failed; see the items.")
    assert (items["Compressor-1"]["state"], items["Pump-1"]["state"]) == ("failed", "succeeded")
    assert items["Compressor-1"]["detail"]["reason"]
    # Nothing of it is half done: neither an episode nor the watermark.
    assert COMPRESSOR.id not in watermarks(plant)
    assert all(row["machine_id"] != COMPRESSOR.id for row in plant.stored())

    plant.database.rows("DROP TRIGGER refuse ON anomalies")
    run, items = account(plant, fire(plant, until + HOUR))
    assert (run["state"], items["Compressor-1"]["state"]) == ("succeeded", "succeeded")
    assert watermarks(plant)[COMPRESSOR.id] == until
    assert any(row["machine_id"] == COMPRESSOR.id for row in plant.stored())


def test_by_hand_it_is_done_now(plant: DemoPlant) -> None:
    run_id = jobs.add_run(plant.database, hourly_detection.JOB, "command", "tester", {})
    hourly_detection.run(plant.database, plant.store, plant.settings, run_id)
    run, _ = account(plant, run_id)
    assert (run["state"], run["trigger"]) == ("succeeded", "command")
    stored = plant.stored()
    hourly_detection.run(plant.database, plant.store, plant.settings, run_id)
    assert plant.stored() == stored


def test_by_hand_the_last_day_is_looked_at_anew(plant: DemoPlant) -> None:
    fire(plant, this_hour() + timedelta(minutes=5))
    run_id = jobs.add_run(plant.database, hourly_detection.JOB, "command", "anna", {})
    hourly_detection.run(plant.database, plant.store, plant.settings, run_id)
    _, items = account(plant, run_id)
    assert items["Pump-1"]["state"] == "succeeded"
    assert items["Pump-1"]["detail"]["from"] == (this_hour() - 24 * HOUR).isoformat()
