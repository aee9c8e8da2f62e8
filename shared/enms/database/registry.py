"""Writing what there is: factories, machines, tariffs and carbon factors, by one statement each."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import psycopg2.extras

from enms.database.connection import Database, Row

# Machines registered without an interval say so, until the first import knows it.
INTERVAL_GIVEN = "interval_given"


def add_factory(
    database: Database, name: str, location: str | None, timezone: str, metadata: Mapping[str, Any]
) -> UUID | None:
    """Adds a factory and gives its id; None when the name is taken."""
    return _id(
        database.row(
            """
            INSERT INTO factories (name, location, timezone, metadata) VALUES (%s, %s, %s, %s)
            ON CONFLICT (name) DO NOTHING RETURNING id
            """,
            (name, location, timezone, psycopg2.extras.Json(dict(metadata))),
        )
    )


def add_machine(
    database: Database,
    factory_id: UUID,
    name: str,
    machine_type: str,
    rated_power_kw: float,
    data_interval_seconds: int | None,
) -> UUID | None:
    """Adds a machine and gives its id; None when the factory has one of that name.

    Without an interval the column's default stands until the first import of energy sets it.
    """
    metadata = {} if data_interval_seconds else {INTERVAL_GIVEN: False}
    return _id(
        database.row(
            """
            INSERT INTO machines (factory_id, name, type, rated_power_kw, data_interval_seconds, metadata)
            VALUES (%s, %s, %s, %s, coalesce(%s, 10), %s)
            ON CONFLICT (factory_id, name) DO NOTHING RETURNING id
            """,
            (
                factory_id,
                name,
                machine_type,
                rated_power_kw,
                data_interval_seconds,
                psycopg2.extras.Json(metadata),
            ),
        )
    )


def add_tariff(database: Database, tariff: Mapping[str, Any]) -> UUID | None:
    """Adds a tariff (columns by name) and gives its id; None when that name starts on that day already."""
    return _id(
        database.row(
            """
            INSERT INTO energy_tariffs (factory_id, name, rate_per_kwh, currency, is_time_of_use, start_hour,
                                        end_hour, applicable_days, demand_charge_per_kw, valid_from, valid_to)
            SELECT %(factory_id)s, %(name)s, %(rate_per_kwh)s, %(currency)s, %(is_time_of_use)s,
            %(start_hour)s,
                   %(end_hour)s, %(applicable_days)s, %(demand_charge_per_kw)s, %(valid_from)s, %(valid_to)s
            WHERE NOT EXISTS (
                SELECT FROM energy_tariffs t
                WHERE t.factory_id = %(factory_id)s AND t.name = %(name)s AND t.valid_from = %(valid_from)s)
            RETURNING id
            """,
            tariff,
        )
    )


def add_carbon_factor(database: Database, factor: Mapping[str, Any]) -> UUID | None:
    """Adds a carbon factor (columns by name) and gives its id; None when the region has one from that day."""
    return _id(
        database.row(
            """
            INSERT INTO carbon_factors
                   (region, grid_name, emission_factor_kg_co2_per_kwh, source, valid_from, valid_to)
            SELECT %(region)s, %(grid_name)s, %(emission_factor_kg_co2_per_kwh)s, %(source)s, %(valid_from)s,
                   %(valid_to)s
            WHERE NOT EXISTS (
                SELECT FROM carbon_factors c WHERE c.region = %(region)s AND c.valid_from = %(valid_from)s)
            RETURNING id
            """,
            factor,
        )
    )


def tariffs(database: Database) -> list[Row]:
    """All tariffs, by factory, start of validity and name."""
    return database.rows("""
        SELECT t.id, f.name AS factory_name, t.name, t.rate_per_kwh, t.currency,
               coalesce(t.is_time_of_use, false) AS is_time_of_use, t.start_hour, t.end_hour,
               t.applicable_days, t.demand_charge_per_kw, t.valid_from, t.valid_to,
               coalesce(t.is_active, true) AS is_active
        FROM energy_tariffs t JOIN factories f ON f.id = t.factory_id
        ORDER BY f.name, t.valid_from, t.name, t.id
    """)


def carbon_factors(database: Database) -> list[Row]:
    """All carbon factors, by region and start of validity."""
    return database.rows("""
        SELECT id, region, grid_name, emission_factor_kg_co2_per_kwh, source, valid_from, valid_to,
               coalesce(is_active, true) AS is_active
        FROM carbon_factors ORDER BY region, valid_from, id
    """)


def machine_types(database: Database) -> list[str]:
    """The types that a machine may have."""
    return [
        row["name"] for row in database.rows("SELECT unnest(enum_range(NULL::machine_type))::text AS name")
    ]


def factory_names(database: Database) -> Mapping[str, UUID]:
    """The factories' ids by name."""
    return {row["name"]: row["id"] for row in database.rows("SELECT id, name FROM factories ORDER BY name")}


def machines_named(database: Database, name: str) -> list[Row]:
    """The machines of that name in all factories."""
    return database.rows(
        """
        SELECT m.id, m.name, m.factory_id, f.name AS factory_name, f.timezone, m.data_interval_seconds,
               m.rated_power_kw, m.metadata -> %s = 'false' AS interval_is_open
        FROM machines m JOIN factories f ON f.id = m.factory_id WHERE m.name = %s ORDER BY f.name
        """,
        (INTERVAL_GIVEN, name),
    )


def machine_names(database: Database, limit: int) -> list[str]:
    """Names of machines, for those who mistyped one."""
    return [
        row["name"]
        for row in database.rows("SELECT DISTINCT name FROM machines ORDER BY name LIMIT %s", (limit,))
    ]


def _id(row: Row | None) -> UUID | None:
    return row["id"] if row else None
