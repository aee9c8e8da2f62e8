"""A plant to compute KPIs of: factories, machines, readings and prices, put in by the fewest words."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extras import Json, execute_values, register_uuid

from enms.database import migrate
from enms_local.postgres import PostgresServer

register_uuid()


class Plant:
    """Puts rows into a database and asks it for figures."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def factory(self, zone: str | None = "Europe/Berlin", name: str = "Works", **metadata: str) -> UUID:
        statement = "INSERT INTO factories (name, timezone, metadata) VALUES (%s, %s, %s) RETURNING id"
        factory_id: UUID = self.rows(statement, name, zone, Json(metadata))[0][0]
        return factory_id

    def machine(self, factory: UUID, name: str = "M1", *, seconds: int = 60, rated_kw: float = 100) -> UUID:
        statement = (
            "INSERT INTO machines (factory_id, name, type, rated_power_kw, data_interval_seconds)"
            " VALUES (%s, %s, 'motor', %s, %s) RETURNING id"
        )
        machine_id: UUID = self.rows(statement, str(factory), name, rated_kw, seconds)[0][0]
        return machine_id

    def readings(
        self, machine: UUID, rows: Iterable[tuple[datetime, float, float]], energy_type: str = "electrical"
    ) -> None:
        """Rows of time, power_kw, energy_kwh."""
        with self.connection.cursor() as cursor:
            execute_values(
                cursor,
                "INSERT INTO energy_readings (time, machine_id, energy_type, power_kw, energy_kwh) VALUES %s",
                [(time, str(machine), energy_type, kw, kwh) for time, kw, kwh in rows],
                page_size=10_000,
            )

    def load(
        self,
        machine: UUID,
        start: datetime,
        kilowatts: Sequence[float],
        *,
        step: timedelta = timedelta(minutes=1),
        energy_type: str = "electrical",
    ) -> None:
        """One reading per step from `start`, at the given powers."""
        hours = step / timedelta(hours=1)
        self.readings(
            machine, [(start + i * step, kw, kw * hours) for i, kw in enumerate(kilowatts)], energy_type
        )

    def production(self, machine: UUID, rows: Iterable[tuple[datetime, int]]) -> None:
        with self.connection.cursor() as cursor:
            execute_values(
                cursor,
                "INSERT INTO production_data (time, machine_id, production_count) VALUES %s",
                [(time, str(machine), count) for time, count in rows],
            )

    def tariff(
        self,
        factory: UUID,
        name: str,
        rate: float,
        hours: tuple[int, int] | None = None,
        *,
        days: list[int] | None = None,
        valid: tuple[date, date | None] = (date(2010, 1, 1), None),
        currency: str = "EUR",
        per_kw: float | None = None,
    ) -> None:
        start_hour, end_hour = hours or (None, None)
        self.rows(
            "INSERT INTO energy_tariffs (factory_id, name, rate_per_kwh, currency, is_time_of_use,"
            " start_hour, end_hour, applicable_days, demand_charge_per_kw, valid_from, valid_to)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            str(factory), name, rate, currency, hours is not None, start_hour, end_hour, days, per_kw, *valid,
        )  # fmt: skip

    def carbon_factor(
        self, region: str, kg_per_kwh: float, valid: tuple[date, date | None] = (date(2010, 1, 1), None)
    ) -> None:
        self.rows(
            "INSERT INTO carbon_factors (region, emission_factor_kg_co2_per_kwh, valid_from, valid_to)"
            " VALUES (%s, %s, %s, %s)",
            region, kg_per_kwh, *valid,
        )  # fmt: skip

    def carrier(self, name: str, unit: str, price: float | None, factor: float | None) -> None:
        self.rows(
            "INSERT INTO energy_sources (name, unit, cost_per_unit, carbon_factor) VALUES (%s, %s, %s, %s)",
            name, unit, price, factor,
        )  # fmt: skip


@pytest.fixture
def plant(database_url: str) -> Iterator[Plant]:
    """A plant in a migrated, empty database."""
    connection = psycopg2.connect(database_url)
    connection.autocommit = True
    yield Plant(connection)
    connection.close()


@pytest.fixture(scope="module")
def platform_connections(postgres: PostgresServer, shared_dir: Path) -> Iterator[dict[str, Connection]]:
    """A customer's platform twice: as it is before our migrations, and after them."""
    server = psycopg2.connect(postgres.url())
    server.autocommit = True
    opened = {}
    for name in ("shipped", "adopted"):
        server.cursor().execute(f"CREATE DATABASE kpis_{name}")
        opened[name] = psycopg2.connect(postgres.url(f"kpis_{name}"))
        # The script brings its own BEGIN and COMMIT.
        opened[name].autocommit = True
        opened[name].cursor().execute((shared_dir / "platform" / "installed.sql").read_text())
        opened[name].autocommit = False
    migrate.apply(opened["adopted"])
    yield opened
    for name, connection in opened.items():
        connection.close()
        server.cursor().execute(f"DROP DATABASE kpis_{name}")
    server.close()


@pytest.fixture
def shipped(platform_connections: dict[str, Connection]) -> Iterator[Plant]:
    """A customer's platform before our migrations; what a test changes is taken back."""
    yield Plant(platform_connections["shipped"])
    platform_connections["shipped"].rollback()


@pytest.fixture
def adopted(platform_connections: dict[str, Connection]) -> Iterator[Plant]:
    """A customer's platform after our migrations; what a test changes is taken back."""
    yield Plant(platform_connections["adopted"])
    platform_connections["adopted"].rollback()
