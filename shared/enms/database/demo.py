"""The demo factory's rows: written by the demo alone, and only to a server of our own."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any
from uuid import UUID

from enms.database.connection import Connection, Row, rows


@dataclass(frozen=True)
class FactTable:
    """How packed rows reach a fact table: through a table of machine numbers, since packing knows no numeric.

    Attributes:
        name: Of the table.
        packed: Name and type of each packed column, the time first.
        stored: The columns written and what each is made of.
        is_kept: Which packed rows become rows.
    """

    name: str
    packed: Sequence[tuple[str, str]]
    stored: Mapping[str, str]
    is_kept: str = "true"


ENERGY = FactTable(
    "energy_readings",
    (("time", "timestamptz"), ("power_kw", "float8"), ("energy_kwh", "float8"), ("has_reading", "int8")),
    {
        "power_kw": "round(p.power_kw::numeric, 4)",
        "energy_kwh": "round(p.energy_kwh::numeric, 6)",
        "source": "'demo'",
    },
    "p.has_reading = 1",
)
PRODUCTION = FactTable(
    "production_data",
    (
        ("time", "timestamptz"), ("production_count", "int8"), ("mode", "int8"), ("speed_percent", "float8"),
        ("throughput", "float8"), ("moisture", "float8"),
    ),
    {
        "production_count": "p.production_count::int",
        "production_count_good": "p.production_count::int",
        "operating_mode": "(ARRAY['idle', 'running', 'maintenance']::operating_mode[])[p.mode + 1]",
        "speed_percent": "round(p.speed_percent::numeric, 2)",
        "throughput_units_per_hour": "round(p.throughput::numeric, 2)",
        "metadata": "jsonb_build_object('material_moisture_percent', round(p.moisture::numeric, 2))",
    },
)  # fmt: skip
ENVIRONMENT = FactTable(
    "environmental_data",
    tuple(
        [("time", "timestamptz")]
        + [
            (name, "float8")
            for name in (
                "outdoor_temp_c", "indoor_temp_c", "machine_temp_c", "outdoor_humidity_percent",
                "pressure_bar", "pressure_setpoint_bar", "vibration_mm_s",
            )
        ]
    ),
    {
        "outdoor_temp_c": "round(p.outdoor_temp_c::numeric, 2)",
        "indoor_temp_c": "round(p.indoor_temp_c::numeric, 2)",
        "machine_temp_c": "round(p.machine_temp_c::numeric, 2)",
        "outdoor_humidity_percent": "round(p.outdoor_humidity_percent::numeric, 2)",
        "pressure_bar": "round(p.pressure_bar::numeric, 3)",
        "pressure_setpoint_bar": "round(p.pressure_setpoint_bar::numeric, 3)",
        "vibration_mm_s": "round(p.vibration_mm_s::numeric, 3)",
    },
)  # fmt: skip


def factory_metadata(connection: Connection, factory_id: UUID) -> Mapping[str, Any] | None:
    """The factory's metadata, or None where the demo isn't loaded."""
    found = rows(connection, "SELECT metadata FROM factories WHERE id = %s", (factory_id,))
    return found[0]["metadata"] if found else None


def add_factory(
    connection: Connection,
    factory_id: UUID,
    name: str,
    location: str,
    timezone: str,
    metadata: Mapping[str, Any],
) -> None:
    """Writes the factory."""
    rows(
        connection,
        "INSERT INTO factories (id, name, location, timezone, metadata) VALUES (%s, %s, %s, %s, %s)",
        (factory_id, name, location, timezone, json.dumps(metadata)),
    )


def add_machine(connection: Connection, machine: Mapping[str, Any]) -> None:
    """Writes a machine; keys are columns of `machines`."""
    rows(
        connection,
        """
        INSERT INTO machines (id, factory_id, name, type, rated_power_kw, data_interval_seconds, is_critical)
        VALUES (%(id)s, %(factory_id)s, %(name)s, %(type)s, %(rated_power_kw)s, 60, %(is_critical)s)
        """,
        machine,
    )


def add_tariff(connection: Connection, tariff: Mapping[str, Any]) -> None:
    """Writes a time-of-use tariff; keys are columns of `energy_tariffs`."""
    rows(
        connection,
        """
        INSERT INTO energy_tariffs (factory_id, name, rate_per_kwh, currency, is_time_of_use,
            start_hour, end_hour, applicable_days, demand_charge_per_kw, valid_from)
        VALUES (%(factory_id)s, %(name)s, %(rate_per_kwh)s, %(currency)s, true,
            %(start_hour)s, %(end_hour)s, %(applicable_days)s, %(demand_charge_per_kw)s, %(valid_from)s)
        """,
        tariff,
    )


def ensure_carbon_factor(connection: Connection, region: str, factor: float, valid_from: object) -> None:
    """Writes a region's factor unless the region has one."""
    rows(
        connection,
        "INSERT INTO carbon_factors (region, emission_factor_kg_co2_per_kwh, source, valid_from)"
        " SELECT %(region)s, %(factor)s, 'demo', %(valid_from)s"
        " WHERE NOT EXISTS (SELECT FROM carbon_factors WHERE region = %(region)s)",
        {"region": region, "factor": factor, "valid_from": valid_from},
    )


def add_truth(
    connection: Connection,
    machine_id: UUID,
    kind: str,
    *,
    name: str | None = None,
    value: float | None = None,
    start_at: datetime | None = None,
    end_at: datetime | None = None,
    detail: Mapping[str, Any] | None = None,
) -> bool:
    """Keeps what the generator put into the data; False where the same is kept already."""
    added = rows(
        connection,
        """
        INSERT INTO analytics.demo_truth (machine_id, kind, name, value, start_at, end_at, detail)
        SELECT v.*
        FROM (VALUES (%(machine_id)s, %(kind)s, %(name)s, %(value)s::numeric, %(start_at)s::timestamptz,
                      %(end_at)s::timestamptz, %(detail)s::jsonb))
             v (machine_id, kind, name, value, start_at, end_at, detail)
        WHERE NOT EXISTS (
            SELECT FROM analytics.demo_truth t
            WHERE (t.machine_id, t.kind) = (v.machine_id, v.kind)
              AND (t.name, t.start_at, t.end_at) IS NOT DISTINCT FROM (v.name, v.start_at, v.end_at))
        RETURNING id
        """,
        {
            "machine_id": machine_id, "kind": kind, "name": name, "value": value,
            "start_at": start_at, "end_at": end_at, "detail": json.dumps(detail or {}),
        },
    )  # fmt: skip
    return bool(added)


def faults(connection: Connection, machine_id: UUID) -> list[Row]:
    """The faults of a machine, in the order in which they were added: kind, start_at, end_at, value."""
    return rows(
        connection,
        "SELECT kind, start_at, end_at, value::float8 AS value FROM analytics.demo_truth"
        " WHERE machine_id = %s AND start_at IS NOT NULL ORDER BY id",
        (machine_id,),
    )


def newest_reading_at(connection: Connection, machine_ids: Sequence[UUID]) -> datetime | None:
    """The newest reading of any of the machines."""
    newest: datetime | None = rows(
        connection,
        "SELECT max(time) AS at FROM energy_readings WHERE machine_id = ANY(%s)",
        (list(machine_ids),),
    )[0]["at"]
    return newest


def replace_rows(
    connection: Connection,
    table: FactTable,
    machine_id: UUID,
    start_at: datetime,
    end_at: datetime,
    packed: bytes,
) -> None:
    """Puts rows in place of what a machine has in [start_at, end_at).

    Args:
        connection: In a transaction.
        table: Which fact table.
        machine_id: Whose rows.
        start_at: First instant replaced.
        end_at: First instant that stays.
        packed: The rows in PostgreSQL's binary COPY format, as `table.packed` lists their columns.
    """
    staging = f"demo_{table.name}"
    columns = ", ".join(f"{name} {kind}" for name, kind in table.packed)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {staging} ({columns}) ON COMMIT DELETE ROWS")
        cursor.execute(f"TRUNCATE {staging}")
        cursor.copy_expert(f"COPY {staging} FROM STDIN (FORMAT binary)", BytesIO(packed))
        cursor.execute(
            f"DELETE FROM {table.name} WHERE machine_id = %s AND time >= %s AND time < %s",  # noqa: S608 - names of this module
            (machine_id, start_at, end_at),
        )
        cursor.execute(
            f"INSERT INTO {table.name} (time, machine_id, {', '.join(table.stored)})"  # noqa: S608 - names of this module
            f" SELECT p.time, %s, {', '.join(table.stored.values())} FROM {staging} p WHERE {table.is_kept}",
            (machine_id,),
        )


@contextmanager
def triggers_off(connection: Connection) -> Iterator[None]:
    """Spares a bulk load the foreign keys' look at each row; `refresh_aggregates` has to follow."""
    rows(connection, "SET LOCAL session_replication_role = replica")
    yield
    rows(connection, "SET LOCAL session_replication_role = origin")


def refresh_aggregates(connection: Connection, machine_id: UUID) -> None:
    """Makes all aggregates of a machine anew."""
    rows(connection, "SELECT analytics.refresh_machine(%s)", (machine_id,))


def analyze(connection: Connection, tables: Iterable[str]) -> None:
    """Brings the planner's statistics up to date after a bulk load."""
    for table in tables:
        rows(connection, f"ANALYZE {table}")
