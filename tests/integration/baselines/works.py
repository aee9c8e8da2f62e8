"""Rows of a factory's machines, put in by the fewest words."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extras import Json, execute_values, register_uuid

register_uuid()
FACTORY = UUID("f0000000-0000-4000-8000-000000000001")
MACHINE = UUID("c0000000-0000-4000-8000-000000000001")
TABLES = {"energy": "energy_readings", "production": "production_data", "environment": "environmental_data"}


class Works:
    """Writes to a database and asks it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def one(self, statement: str, values: Sequence[Any] = ()) -> Any:
        ((value,),) = self.rows(statement, values)
        return value

    def add_machine(
        self, machine_id: UUID, name: str, *, factory_id: UUID = FACTORY, zone: str | None = "Europe/Berlin"
    ) -> None:
        self.rows(
            'INSERT INTO factories (id, name, timezone, metadata) VALUES (%s, %s, %s, \'{"country": "DE"}\')'
            " ON CONFLICT DO NOTHING",
            (factory_id, str(factory_id), zone),
        )
        self.rows(
            "INSERT INTO machines (id, factory_id, name, type, rated_power_kw, data_interval_seconds)"
            " VALUES (%s, %s, %s, 'injection_molding', 60, 60)",
            (machine_id, factory_id, name),
        )

    def add(self, fact: str, rows: Iterable[dict[str, Any]], machine_id: UUID = MACHINE) -> None:
        """Rows of a fact table in one statement; all have the same columns."""
        rows = list(rows)
        names = ["machine_id", *rows[0]]
        values = [[machine_id, *(_adapted(value) for value in row.values())] for row in rows]
        with self.connection.cursor() as cursor:
            statement = f"INSERT INTO {TABLES[fact]} ({', '.join(names)}) VALUES %s"
            execute_values(cursor, statement, values, page_size=10_000)

    def draw(
        self,
        start: datetime,
        kilowatts: Iterable[float],
        *,
        step: timedelta = timedelta(minutes=1),
        machine_id: UUID = MACHINE,
        energy_type: str = "electrical",
    ) -> None:
        """One reading a step at the given powers."""
        hours = step / timedelta(hours=1)
        self.add(
            "energy",
            (
                {
                    "time": start + n * step,
                    "power_kw": kw,
                    "energy_kwh": kw * hours,
                    "energy_type": energy_type,
                }
                for n, kw in enumerate(kilowatts)
            ),
            machine_id,
        )


def _adapted(value: Any) -> Any:
    return Json(value) if isinstance(value, dict | list) else value
