"""What was learned from false alarms, by machine."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from psycopg2.extras import Json

from enms.database.connection import Connection, Row, rows


def learn(
    connection: Connection,
    machine_id: UUID,
    energy_type: str,
    anomaly_id: UUID,
    kind: str,
    pattern: Mapping[str, Any],
    actor: str,
) -> None:
    """Keeps the bounds of a false alarm; what was learned from it before is replaced."""
    rows(
        connection,
        """
        INSERT INTO analytics.anomaly_feedback (machine_id, energy_type, anomaly_id, kind, pattern, actor)
        VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT (anomaly_id) DO UPDATE
        SET kind = excluded.kind, pattern = excluded.pattern, actor = excluded.actor,
            created_at = clock_timestamp()
        """,
        (machine_id, energy_type, anomaly_id, kind, Json(dict(pattern)), actor),
    )


def of_machine(connection: Connection, machine_id: UUID, energy_type: str) -> list[Row]:
    """What was learned of a machine, the newest first: anomaly_id, kind, pattern, actor, created_at."""
    return rows(
        connection,
        """
        SELECT anomaly_id, kind, pattern, actor, created_at FROM analytics.anomaly_feedback
        WHERE machine_id = %s AND energy_type = %s ORDER BY id DESC
        """,
        (machine_id, energy_type),
    )
