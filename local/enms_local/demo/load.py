"""Writing the demo factory: its history once, minutes as they pass, and faults when asked for."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from enms.database import demo as tables
from enms.database.connection import Connection, Database
from enms.errors import InvalidInputError, NotFoundError
from enms_local.demo import plant
from enms_local.demo.faults import DEFAULT_SIZE, KINDS, Fault
from enms_local.demo.model import ENVIRONMENT_EVERY_MINUTES, simulate
from enms_local.demo.packing import packed
from enms_local.demo.plant import MACHINES, DemoMachine

DEFAULT_DAYS = 120
_STRETCH = timedelta(days=30)
# Machine, fault, days before the last local midnight, local hour, hours, size: enough of each kind to see,
# too few to spoil a baseline.
_HISTORY = (
    ("Compressor-1", "leak", 9, 22, 9.0, 0.25),
    ("Compressor-1", "pressure", 33, 9, 5.0, 0.2),
    ("HVAC-1", "inefficiency", 21, 6, 16.0, 0.3),
    ("Injection-Molding-1", "overheating", 14, 10, 4.0, 0.25),
    ("Injection-Molding-1", "drift", 60, 6, 60.0, 0.2),
    ("Injection-Molding-2", "standby", 12, 22, 8.0, 0.35),
    ("Conveyor-1", "stuck", 17, 8, 5.0, 0.2),
    ("Pump-1", "outage", 25, 11, 6.0, 0.2),
    ("Pump-1", "spike", 5, 13, 0.75, 0.6),
    ("Motor-1", "drop", 28, 15, 2.0, 0.4),
    ("Boiler-1", "gap", 40, 2, 7.0, 0.2),
    ("Boiler-1", "leak", 3, 18, 10.0, 0.3),
)


def load_once(url: str, days: int = DEFAULT_DAYS, seed: int = plant.DEFAULT_SEED) -> bool:
    """Writes the factory and its history up to now, all or nothing; False where it is there already.

    Args:
        url: The database, on a server of our own.
        days: Length of the history in factory-local days before today.
        seed: Chooses weather, orders and noise.
    """
    if days < 1:
        raise InvalidInputError(f"{days} days are no history: give at least 1.")
    with closing(open_database(url)) as database, database.transaction() as connection:
        if tables.factory_metadata(connection, plant.FACTORY_ID) is not None:
            return False
        today = datetime.now(ZoneInfo(plant.TIMEZONE)).replace(hour=0, minute=0, second=0, microsecond=0)
        _add_factory(connection, seed)
        for name, kind, days_ago, hour, hours, size in _HISTORY:
            if days_ago < days:
                start_at = (today - timedelta(days=days_ago)).replace(hour=hour).astimezone(UTC)
                _keep(
                    connection,
                    machine_named(name),
                    Fault(kind, start_at, start_at + timedelta(hours=hours), size),
                )
        # Nobody else can see the machines yet, so their keys need no watching.
        with tables.triggers_off(connection):
            write(connection, (today - timedelta(days=days)).astimezone(UTC), this_minute())
        for machine in MACHINES:
            tables.refresh_aggregates(connection, machine.id)
        facts = (tables.ENERGY.name, tables.PRODUCTION.name, tables.ENVIRONMENT.name)
        kinds = ("energy", "production", "production_drivers", "environment", "environment_drivers")
        aggregates = [f"analytics.{kind}_{width}" for kind in kinds for width in ("15min", "1hour")]
        tables.analyze(connection, [*facts, *aggregates])
    return True


def inject(
    url: str, machine_name: str, kind: str, start_at: datetime, hours: float, size: float = DEFAULT_SIZE
) -> bool:
    """Lets a fault have happened; False when the machine has it already.

    The rows of its time are written anew and it is kept as truth, all or nothing. The feed goes on with a
    fault that reaches into the future.
    """
    machine = machine_named(machine_name)
    fault = Fault(kind, start_at, start_at + timedelta(hours=hours), size)
    with closing(open_database(url)) as database, database.transaction() as connection:
        seed_of(connection)
        if not _keep(connection, machine, fault):
            return False
        # The reading after an outage belongs to it.
        write(connection, start_at, min(fault.end_at + timedelta(minutes=1), this_minute()), [machine])
    return True


def open_database(url: str) -> Database:
    """The demo's connection: bulk loads take longer than a request may."""
    return Database(lambda: url, pool_size=1, statement_timeout_seconds=900, application_name="enms-demo")


def machine_named(name: str) -> DemoMachine:
    """The demo's machine of that name.

    Raises:
        NotFoundError: There is none; the message tells those there are.
    """
    for machine in MACHINES:
        if machine.name == name:
            return machine
    raise NotFoundError(f"The demo has no machine '{name}', but {', '.join(m.name for m in MACHINES)}.")


def seed_of(connection: Connection) -> int:
    """The seed that the stored history was made with.

    Raises:
        NotFoundError: The demo isn't loaded.
    """
    metadata = tables.factory_metadata(connection, plant.FACTORY_ID)
    if metadata is None:
        raise NotFoundError("The demo factory isn't loaded: `enms demo load` does it.")
    return int(metadata["demo_seed"])


def write(
    connection: Connection, start_at: datetime, end_at: datetime, machines: Sequence[DemoMachine] = MACHINES
) -> None:
    """Writes what the machines did in [start_at, end_at) in place of what is there, a month at a time."""
    seed = seed_of(connection)
    for machine in machines:
        faults = [
            Fault(row["kind"], row["start_at"], row["end_at"], row["value"])
            for row in tables.faults(connection, machine.id)
        ]
        for first_at, last_at in _stretches(start_at, end_at):
            _write_stretch(connection, machine, first_at, last_at, faults, seed)


def this_minute() -> datetime:
    """The start of the minute that isn't over yet."""
    return datetime.now(UTC).replace(second=0, microsecond=0)


def _write_stretch(
    connection: Connection,
    machine: DemoMachine,
    start_at: datetime,
    end_at: datetime,
    faults: Sequence[Fault],
    seed: int,
) -> None:
    first, end = (int(at.timestamp()) // 60 for at in (start_at, end_at))
    run = simulate(machine, first, end, faults, seed)
    sensed = run.minutes % ENVIRONMENT_EVERY_MINUTES == 0
    throughput = run.speed_percent / 100 * machine.units_per_hour
    energy = (run.power_kw, run.energy_kwh, run.has_reading)
    production = (run.production_count, run.mode, run.speed_percent, throughput, run.moisture_percent)
    environment = [
        values[sensed]
        for values in (
            run.outdoor_temp_c, run.indoor_temp_c, run.machine_temp_c, run.outdoor_humidity_percent,
            run.pressure_bar, run.pressure_setpoint_bar, run.vibration_mm_s,
        )
    ]  # fmt: skip
    for table, minutes, columns in (
        (tables.ENERGY, run.minutes, energy),
        (tables.PRODUCTION, run.minutes, production),
        (tables.ENVIRONMENT, run.minutes[sensed], environment),
    ):
        tables.replace_rows(connection, table, machine.id, start_at, end_at, packed(minutes, columns))


def _add_factory(connection: Connection, seed: int) -> None:
    metadata = {**plant.FACTORY_METADATA, "demo_seed": seed}
    tables.add_factory(connection, plant.FACTORY_ID, plant.FACTORY, plant.LOCATION, plant.TIMEZONE, metadata)
    for machine in MACHINES:
        tables.add_machine(
            connection,
            {
                "id": machine.id, "factory_id": plant.FACTORY_ID, "name": machine.name, "type": machine.type,
                "rated_power_kw": machine.rated_power_kw, "is_critical": machine.is_critical,
            },
        )  # fmt: skip
        coefficients = {
            "intercept": machine.intercept_kwh,
            **machine.coefficients,
            "noise_kwh": machine.noise_kwh,
        }
        for name, value in coefficients.items():
            tables.add_truth(connection, machine.id, "coefficient", name=name, value=value)
    for tariff in plant.TARIFFS:
        tables.add_tariff(
            connection,
            {
                "factory_id": plant.FACTORY_ID, "name": tariff.name, "rate_per_kwh": tariff.rate_per_kwh,
                "currency": plant.CURRENCY, "start_hour": tariff.start_hour, "end_hour": tariff.end_hour,
                "applicable_days": list(tariff.applicable_days), "valid_from": plant.VALID_FROM,
                "demand_charge_per_kw": plant.DEMAND_CHARGE_PER_KW,
            },
        )  # fmt: skip
    tables.ensure_carbon_factor(connection, *plant.CARBON_FACTOR, plant.VALID_FROM)


def _keep(connection: Connection, machine: DemoMachine, fault: Fault) -> bool:
    return tables.add_truth(
        connection, machine.id, fault.kind, value=fault.size, start_at=fault.start_at, end_at=fault.end_at,
        detail={"anomaly_type": KINDS[fault.kind][0]},
    )  # fmt: skip


def _stretches(start_at: datetime, end_at: datetime) -> Iterator[tuple[datetime, datetime]]:
    while start_at < end_at:
        yield start_at, min(start_at + _STRETCH, end_at)
        start_at += _STRETCH
