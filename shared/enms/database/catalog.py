"""Factories and machines: what there is."""

from dataclasses import asdict, dataclass
from uuid import UUID

from enms.database.connection import Database, Row

# The last mode that was reported, wherever the newest rows leave it out.
_STATUS = """
    LEFT JOIN LATERAL (
        SELECT p.operating_mode::text AS status, p.time AS status_at FROM production_data p
        WHERE p.machine_id = m.id AND p.operating_mode IS NOT NULL ORDER BY p.time DESC LIMIT 1
    ) s ON true
"""
_MACHINE = f"""
    SELECT m.id, m.name, m.description, m.type::text AS type, m.factory_id, f.name AS factory_name,
           analytics.valid_zone(f.timezone) AS timezone, m.rated_power_kw, m.data_interval_seconds,
           coalesce(m.is_active, true) AS is_active, coalesce(m.is_critical, false) AS is_critical,
           s.status, s.status_at
    FROM machines m JOIN factories f ON f.id = m.factory_id {_STATUS}
"""  # noqa: S608 - names of this module
_LATEST_ROWS = 200


@dataclass(frozen=True, kw_only=True)
class MachineFilter:
    """Which machines are asked for; None asks for all.

    Attributes:
        factory_id: The factory's id.
        factory: The factory's name.
        type: A `machine_type`.
        active: Whether the machine is in use.
        status: Its last operating mode.
    """

    factory_id: UUID | None = None
    factory: str | None = None
    type: str | None = None
    active: bool | None = None
    status: str | None = None


def factories(database: Database) -> list[Row]:
    """All factories by name, with the number of their active machines."""
    return database.rows("""
        SELECT f.id, f.name, f.location, analytics.valid_zone(f.timezone) AS timezone,
               coalesce(f.is_active, true) AS is_active, coalesce(f.metadata, '{}') AS metadata,
               (SELECT count(*) FROM machines m
                WHERE m.factory_id = f.id AND m.is_active IS NOT FALSE) AS machines
        FROM factories f ORDER BY f.name, f.id
    """)


def machines(database: Database, wanted: MachineFilter, limit: int, offset: int) -> tuple[int, list[Row]]:
    """How many machines there are, and one page of them by factory and name."""
    found = database.rows(
        f"""
        WITH found AS (
            SELECT * FROM ({_MACHINE}) m
            WHERE (%(factory_id)s::uuid IS NULL OR factory_id = %(factory_id)s::uuid)
              AND (%(factory)s IS NULL OR factory_name = %(factory)s)
              AND (%(type)s IS NULL OR type = %(type)s)
              AND (%(active)s IS NULL OR is_active = %(active)s)
              AND (%(status)s IS NULL OR status = %(status)s)
        )
        SELECT (SELECT count(*) FROM found) AS total_count, page.*
        FROM (SELECT 1) always
        LEFT JOIN (
            SELECT * FROM found ORDER BY factory_name, name, id LIMIT %(limit)s OFFSET %(offset)s
        ) page ON true
        """,  # noqa: S608 - names of this module
        asdict(wanted) | {"limit": limit, "offset": offset},
    )
    total: int = found[0].pop("total_count")
    for row in found[1:]:
        del row["total_count"]
    return total, [row for row in found if row["id"] is not None]


def machine(database: Database, machine_id: UUID) -> Row | None:
    """One machine, with the carriers and metrics that its rows have."""
    return database.row(
        f"""
        SELECT m.*, d.metadata, e.energy_types, e.first_reading_at, e.last_reading_at, k.drivers
        FROM ({_MACHINE} WHERE m.id = %(id)s) m,
        LATERAL (SELECT coalesce(metadata, '{{}}') AS metadata FROM machines WHERE id = m.id) d,
        LATERAL (
            WITH RECURSIVE carrier (name) AS (
                SELECT min(energy_type) FROM analytics.energy_1hour WHERE machine_id = m.id
                UNION ALL
                SELECT (SELECT min(energy_type) FROM analytics.energy_1hour
                        WHERE machine_id = m.id AND energy_type > carrier.name)
                FROM carrier WHERE carrier.name IS NOT NULL
            )
            SELECT array(SELECT name FROM carrier WHERE name IS NOT NULL) AS energy_types,
                   (SELECT min(time) FROM energy_readings WHERE machine_id = m.id) AS first_reading_at,
                   (SELECT max(time) FROM energy_readings WHERE machine_id = m.id) AS last_reading_at
        ) e,
        LATERAL (
            SELECT array(
                SELECT DISTINCT source || '.' || key FROM (
                    (SELECT 'production' AS source, metadata FROM production_data
                     WHERE machine_id = m.id ORDER BY time DESC LIMIT {_LATEST_ROWS})
                    UNION ALL
                    (SELECT 'environment', metadata FROM environmental_data
                     WHERE machine_id = m.id ORDER BY time DESC LIMIT {_LATEST_ROWS})
                ) latest, jsonb_each(latest.metadata) AS entry (key, value)
                WHERE jsonb_typeof(latest.metadata) = 'object' AND jsonb_typeof(value) = 'number' ORDER BY 1
            ) AS drivers
        ) k
        """,  # noqa: S608 - names of this module
        {"id": machine_id},
    )
