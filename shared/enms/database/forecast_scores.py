"""Forecasts that wait for their truth, and what came."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from enms.database.connection import Connection, Row, rows
from enms.database.forecast_issues import as_array


def waiting(
    connection: Connection, subject_id: UUID, energy_type: str, horizon: str, now: datetime, limit: int
) -> list[Row]:
    """Issues that are over and not settled, oldest first: id, starts_at, ends_at."""
    return rows(
        connection,
        """
        SELECT id, starts_at, ends_at FROM analytics.forecast_issues
        WHERE subject_id = %s AND energy_type = %s AND horizon = %s AND scored_at IS NULL AND ends_at <= %s
        ORDER BY ends_at, id LIMIT %s
        """,
        (subject_id, energy_type, horizon, now, limit),
    )


def note(
    connection: Connection, actual_kw: Sequence[tuple[int, Sequence[float], bool]], now: datetime
) -> None:
    """Notes what came.

    Args:
        connection: The database.
        actual_kw: By issue: its id, mean power of its steps (NaN where nobody knows), and whether that is all
            that will ever be known.
        now: The present.
    """
    rows(
        connection,
        """
        UPDATE analytics.forecast_issues i
        SET actual_kw = came.actual_kw::float8[], scored_at = CASE WHEN came.is_settled THEN %(now)s END
        FROM unnest(%(ids)s::bigint[], %(actual_kw)s::text[], %(is_settled)s::boolean[])
            came (id, actual_kw, is_settled)
        WHERE i.id = came.id AND i.scored_at IS NULL
        """,
        {
            "ids": [each[0] for each in actual_kw],
            "actual_kw": [as_array(each[1]) for each in actual_kw],
            "is_settled": [each[2] for each in actual_kw],
            "now": now,
        },
    )
