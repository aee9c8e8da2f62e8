"""How far forecasts are behind."""

from datetime import datetime

from enms.database.connection import Database, Row


def of_active_subjects(database: Database, horizon: str, energy_type: str, now: datetime) -> Row:
    """Of all active machines, and the factories that have any: how current their newest forecasts are.

    Args:
        database: The database.
        horizon: Of which forecasts, such as `24h`.
        energy_type: The carrier.
        now: The present.

    Returns:
        subjects, done (those that have a forecast), behind (of these, those with a step closed since),
            oldest (where the one furthest behind begins), behind_seconds (since its step closed).
    """
    found = database.row(
        """
        WITH active AS (
            SELECT m.id, m.factory_id FROM machines m JOIN factories f ON f.id = m.factory_id
            WHERE f.is_active IS NOT FALSE AND m.is_active IS NOT FALSE
        ),
        subjects AS (SELECT id FROM active UNION SELECT factory_id FROM active),
        newest AS (
            SELECT i.origin_at, i.step_seconds * interval '1 second' AS step
            FROM subjects s CROSS JOIN LATERAL (
                SELECT origin_at, step_seconds FROM analytics.forecast_issues
                WHERE subject_id = s.id AND horizon = %(horizon)s AND energy_type = %(energy_type)s
                  AND choice = 'selected'
                ORDER BY origin_at DESC LIMIT 1) i
        )
        SELECT (SELECT count(*) FROM subjects) AS subjects, count(*) AS done,
               count(*) FILTER (WHERE origin_at + step <= %(now)s) AS behind, min(origin_at) AS oldest,
               greatest(0, extract(epoch FROM %(now)s - min(origin_at + step)))::float8 AS behind_seconds
        FROM newest
        """,
        {"horizon": horizon, "energy_type": energy_type, "now": now},
    )
    assert found is not None
    return found
