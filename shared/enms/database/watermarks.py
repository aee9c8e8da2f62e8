"""Until where each machine's hours have been looked at for anomalies."""

from datetime import datetime
from uuid import UUID

from enms.database.connection import Connection, Database, Row, rows


def advance(connection: Connection, machine_id: UUID, energy_type: str, detected_until: datetime) -> None:
    """Moves a machine's watermark forward; it never goes back."""
    rows(
        connection,
        """
        INSERT INTO analytics.anomaly_watermarks AS w (machine_id, energy_type, detected_until)
        VALUES (%s, %s, %s)
        ON CONFLICT (machine_id, energy_type) DO UPDATE
        SET detected_until = excluded.detected_until, updated_at = clock_timestamp()
        WHERE w.detected_until < excluded.detected_until
        """,
        (machine_id, energy_type, detected_until),
    )


def of_active_machines(database: Database, energy_type: str) -> list[Row]:
    """Active machines with their watermark, those that lag most first.

    Returns:
        Rows of machine_id, machine_name, factory_id, factory_name, detected_until (None: never looked at),
            updated_at.
    """
    return database.rows(
        """
        SELECT m.id AS machine_id, m.name AS machine_name, f.id AS factory_id, f.name AS factory_name,
               w.detected_until, w.updated_at
        FROM machines m
        JOIN factories f ON f.id = m.factory_id AND f.is_active IS NOT FALSE
        LEFT JOIN analytics.anomaly_watermarks w ON w.machine_id = m.id AND w.energy_type = %s
        WHERE m.is_active IS NOT FALSE
        ORDER BY w.detected_until NULLS FIRST, m.name, m.id
        """,
        (energy_type,),
    )
