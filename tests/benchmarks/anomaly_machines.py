"""A hundred machines with thirty days of quarter-hourly readings, for the hourly job to go through."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from benchmarks.anomaly_faults import ZONE
from enms.database import demo as tables
from enms.database.connection import Connection, rows
from enms.science.arrays import Values
from enms_local.demo import plant
from enms_local.demo.load import open_database
from enms_local.demo.model import ENVIRONMENT_EVERY_MINUTES, Simulation, simulate
from enms_local.demo.packing import packed
from enms_local.demo.plant import MACHINES, DemoMachine

COUNT = 100
DAYS = 30
_QUARTER = 15
_SEED = 2000


def hundred() -> Iterator[tuple[UUID, DemoMachine]]:
    """The demo's machines over and over, each under a name of its own and so with noise of its own."""
    for number in range(COUNT):
        machine = replace(MACHINES[number % len(MACHINES)], name=f"Machine-{number:03}")
        yield uuid5(plant.FACTORY_ID, machine.name), machine


def fill(url: str, end_at: datetime) -> list[UUID]:
    """Writes them with what they did until `end_at`, and gives their ids.

    Args:
        url: A migrated database without a factory.
        end_at: A full hour.
    """
    first, end = (int(at.timestamp()) // 60 for at in (end_at - timedelta(days=DAYS), end_at))
    with closing(open_database(url)) as database, database.transaction() as connection:
        tables.add_factory(
            connection, plant.FACTORY_ID, "Hundred", plant.LOCATION, ZONE.key, plant.FACTORY_METADATA
        )
        with tables.triggers_off(connection):
            for machine_id, machine in hundred():
                _add(connection, machine_id, machine)
                _write(connection, machine_id, machine, simulate(machine, first, end, [], _SEED))
                tables.refresh_aggregates(connection, machine_id)
        rows(connection, "ANALYZE")
    return [machine_id for machine_id, _ in hundred()]


def _add(connection: Connection, machine_id: UUID, machine: DemoMachine) -> None:
    tables.add_machine(
        connection,
        {
            "id": machine_id, "factory_id": plant.FACTORY_ID, "name": machine.name, "type": machine.type,
            "rated_power_kw": machine.rated_power_kw, "is_critical": machine.is_critical,
        },
    )  # fmt: skip
    rows(
        connection,
        "UPDATE machines SET data_interval_seconds = %s WHERE id = %s",
        (60 * _QUARTER, machine_id),
    )


def _write(connection: Connection, machine_id: UUID, machine: DemoMachine, run: Simulation) -> None:
    minutes = run.minutes[::_QUARTER]
    sensed = run.minutes % ENVIRONMENT_EVERY_MINUTES == 0
    speed = _means(run.speed_percent)
    energy = (_means(run.power_kw), _QUARTER * _means(run.energy_kwh), run.has_reading[::_QUARTER])
    production = (
        run.production_count.reshape(-1, _QUARTER).sum(axis=1), run.mode[::_QUARTER], speed,
        speed / 100 * machine.units_per_hour, _means(run.moisture_percent),
    )  # fmt: skip
    environment = [
        values[sensed]
        for values in (
            run.outdoor_temp_c, run.indoor_temp_c, run.machine_temp_c, run.outdoor_humidity_percent,
            run.pressure_bar, run.pressure_setpoint_bar, run.vibration_mm_s,
        )
    ]  # fmt: skip
    start_at, end_at = (
        datetime.fromtimestamp(60 * int(at), ZONE) for at in (run.minutes[0], run.minutes[-1] + 1)
    )
    for table, at, columns in (
        (tables.ENERGY, minutes, energy),
        (tables.PRODUCTION, minutes, production),
        (tables.ENVIRONMENT, run.minutes[sensed], environment),
    ):
        tables.replace_rows(connection, table, machine_id, start_at, end_at, packed(at, columns))


def _means(values: Values) -> Values:
    means: Values = values.reshape(-1, _QUARTER).mean(axis=1)
    return means
