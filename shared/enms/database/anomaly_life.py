"""What people do with anomalies, other programs' too: acknowledge and resolve them."""

from typing import Literal
from uuid import UUID

from enms.database.connection import Connection, rows

type ClosedState = Literal["resolved", "false_alarm", "expected"]


def acknowledge(connection: Connection, anomaly_id: UUID, actor: str) -> bool:
    """Notes that somebody looks after an open one; False where it isn't open."""
    changed = rows(
        connection,
        """
        UPDATE anomalies
        SET state = 'acknowledged', acknowledged_at = statement_timestamp(), acknowledged_by = %s,
            updated_at = statement_timestamp()
        WHERE id = %s AND state = 'open' RETURNING id
        """,
        (actor, anomaly_id),
    )
    return bool(changed)


def resolve(
    connection: Connection, anomaly_id: UUID, state: ClosedState, actor: str, notes: str | None
) -> bool:
    """Closes one that is open or acknowledged; False where it is neither."""
    changed = rows(
        connection,
        """
        UPDATE anomalies
        SET state = %s, resolved_at = statement_timestamp(), resolved_by = %s, resolution_notes = %s,
            updated_at = statement_timestamp()
        WHERE id = %s AND state IN ('open', 'acknowledged') RETURNING id
        """,
        (state, actor, notes, anomaly_id),
    )
    return bool(changed)


def zone_of(connection: Connection, machine_id: UUID) -> str:
    """The valid IANA zone of a machine's factory."""
    (found,) = rows(
        connection,
        "SELECT analytics.factory_zone(factory_id) AS timezone FROM machines WHERE id = %s",
        (machine_id,),
    )
    zone: str = found["timezone"]
    return zone
