"""When machines didn't do what they usually do: known anomalies and planned stops."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from enms.database.connection import Connection, rows

_OF_POWER = ("power_spike", "power_drop", "efficiency_drop", "baseload_increase", "unusual_pattern")


def excluded_periods(
    connection: Connection, machine_ids: Sequence[UUID], energy_type: str, start: datetime, end: datetime
) -> list[tuple[UUID, float, float]]:
    """Stretches of a period that a forecast doesn't learn from, by machine.

    Not among them are false alarms, odd sensors, and anomalies that last: what goes on goes on in the
    forecast. A stop that arrived as a regressor explains itself. Stretches may overlap.

    Returns:
        Machine, first instant, the instant after the last; in seconds since 1970.
    """
    found = rows(
        connection,
        """
        SELECT x.machine_id, date_part('epoch', x.start_at) AS start, date_part('epoch', x.end_at) AS end
        FROM (
            SELECT a.machine_id, a.detected_at AS start_at, coalesce(a.ended_at, a.last_seen_at) AS end_at
            FROM anomalies a
            WHERE a.machine_id = ANY (%(machine_ids)s::uuid[]) AND a.energy_type = %(energy_type)s
              AND a.origin = 'enms' AND a.state <> 'false_alarm' AND NOT a.is_lasting
              AND NOT a.metadata ? 'merged_into'
              AND a.anomaly_type = ANY (%(kinds)s)
            UNION ALL
            SELECT s.machine_id, s.start_at, s.end_at FROM analytics.anomaly_suppressions s
            WHERE s.machine_id = ANY (%(machine_ids)s::uuid[]) AND s.withdrawn_at IS NULL
        ) x
        WHERE x.start_at < %(end)s AND x.end_at > %(start)s ORDER BY x.start_at
        """,
        {
            "machine_ids": list(machine_ids),
            "energy_type": energy_type,
            "kinds": list(_OF_POWER),
            "start": start,
            "end": end,
        },
    )
    return [(row["machine_id"], row["start"], row["end"]) for row in found]
