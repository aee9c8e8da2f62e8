"""How good forecasts were: stored ones beside what came, counted by the database.

Errors are scaled and compared as `science.forecasting.metrics` has it. A step counts once its load is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from enms.database.connection import Connection, Database, Row, rows

# A share of nearly nothing tells nothing: percentages are of loads above this share of the rated power.
LEAST_SHARE_OF_RATED = 0.1

# One row per step of each forecast. `moved_kw` is held against the forecast before that has the same step.
_STEPS = """
    SELECT i.id, i.model_id, i.origin_at, i.scale_kw, p.lead, p.starts_at, p.power_kw,
           p.power_kw - p.actual_kw AS error_kw,
           CASE WHEN p.naive_kw <> 'NaN' THEN p.naive_kw - p.actual_kw END AS naive_error_kw,
           p.actual_kw, p.lower_80_kw, p.upper_80_kw, p.lower_95_kw, p.upper_95_kw
    FROM analytics.forecast_issues i
    CROSS JOIN LATERAL (
        SELECT u.starts_at, u.power_kw, u.lower_80_kw, u.upper_80_kw, u.lower_95_kw, u.upper_95_kw,
               u.naive_kw, nullif(u.actual_kw, 'NaN') AS actual_kw, u.lead
        FROM unnest(i.starts_at, i.power_kw, i.lower_80_kw, i.upper_80_kw, i.lower_95_kw, i.upper_95_kw,
                    i.naive_kw, i.actual_kw) WITH ORDINALITY
             u (starts_at, power_kw, lower_80_kw, upper_80_kw, lower_95_kw, upper_95_kw, naive_kw, actual_kw,
                lead)
    ) p
"""
_FIGURES = """
    count(DISTINCT s.id) FILTER (WHERE s.actual_kw IS NOT NULL) AS scored,
    avg(abs(s.error_kw) / s.scale_kw) FILTER (WHERE s.scale_kw > 0 AND s.scale_kw < 'Infinity') AS mase,
    sum(abs(s.error_kw)) FILTER (WHERE s.naive_error_kw IS NOT NULL)
        / nullif(sum(abs(s.naive_error_kw)), 0) AS ratio_to_naive,
    avg(s.error_kw) AS bias_kw,
    avg((s.actual_kw BETWEEN s.lower_80_kw AND s.upper_80_kw)::int)::float8 AS coverage_80,
    avg((s.actual_kw BETWEEN s.lower_95_kw AND s.upper_95_kw)::int)::float8 AS coverage_95
"""
_OF_SUBJECT = f"""
    WITH steps AS (
        SELECT s.*, (date_trunc('week', s.starts_at AT TIME ZONE %(zone)s))::date AS week,
               lag(s.power_kw) OVER (PARTITION BY s.starts_at ORDER BY s.origin_at) AS former_kw
        FROM ({_STEPS}
              WHERE i.subject_id = %(subject_id)s AND i.energy_type = %(energy_type)s
                AND i.horizon = %(horizon)s AND i.choice = %(choice)s
                AND i.origin_at >= %(start)s AND i.origin_at < %(end)s) s
    )
    SELECT s.lead, s.week::text, count(DISTINCT s.id) AS issues, {_FIGURES},
           100 * avg(abs(s.error_kw) / s.actual_kw) FILTER (WHERE s.actual_kw > %(least_kw)s) AS mape_percent,
           100 * sum(abs(s.power_kw - s.former_kw)) / nullif(sum((s.power_kw + s.former_kw) / 2), 0)
               AS moved_percent,
           min(s.starts_at) FILTER (WHERE s.actual_kw IS NOT NULL) AS first_at,
           max(s.starts_at) FILTER (WHERE s.actual_kw IS NOT NULL) AS last_at
    FROM steps s GROUP BY GROUPING SETS ((), (s.lead), (s.week))
    ORDER BY s.week NULLS FIRST, s.lead NULLS FIRST
"""  # noqa: S608 - names of this module
_OF_MODELS = f"""
    SELECT s.model_id, {_FIGURES},
           count(DISTINCT s.starts_at) FILTER (WHERE s.actual_kw IS NOT NULL) AS steps,
           coalesce(date_part('epoch', max(s.starts_at) FILTER (WHERE s.actual_kw IS NOT NULL)
                    - min(s.starts_at) FILTER (WHERE s.actual_kw IS NOT NULL)) / 86400, 0) AS days
    FROM ({_STEPS} WHERE i.model_id = ANY (%(model_ids)s::uuid[]) AND i.choice = %(choice)s
                     AND i.origin_at >= %(since)s AND i.actual_kw IS NOT NULL) s
    GROUP BY s.model_id
"""  # noqa: S608 - names of this module


@dataclass(frozen=True, kw_only=True)
class AccuracyQuestion:
    """Which forecasts.

    Attributes:
        subject_id: Of which machine or factory.
        energy_type: Of which carrier.
        horizon: How far they look.
        choice: Of which model.
        start: The first origin.
        end: The instant after the last one.
        zone: By whose weeks.
        rated_power_kw: What the subject is built for; None where unknown.
    """

    subject_id: UUID
    energy_type: str
    horizon: str
    choice: str
    start: datetime
    end: datetime
    zone: str
    rated_power_kw: float | None


def of_subject(database: Database, question: AccuracyQuestion) -> list[Row]:
    """Figures over all, which come first, by lead, and by local week.

    Returns:
        Rows of lead (steps ahead, from 1), week (its Monday; both null: over all), issues, scored (forecasts
        of which a step at least is known), mase, ratio_to_naive, bias_kw (above zero: too much was foretold),
        coverage_80, coverage_95, mape_percent, moved_percent, first_at and last_at (starts of known steps).
        Without any forecast the first row is all there is.
    """
    least_kw = LEAST_SHARE_OF_RATED * (question.rated_power_kw or 0)
    return database.rows(_OF_SUBJECT, vars(question) | {"least_kw": least_kw})


def of_models(
    connection: Connection, model_ids: Sequence[UUID], since: datetime, choice: str = "selected"
) -> list[Row]:
    """How models fare in use, of those that have any known step.

    Args:
        connection: The database.
        model_ids: The models.
        since: The first origin.
        choice: What was asked of them.

    Returns:
        Rows of model_id, scored, mase, ratio_to_naive, bias_kw, coverage_80, coverage_95, steps (different
        ones that are known) and days (from the first of them to the last).
    """
    return rows(connection, _OF_MODELS, {"model_ids": list(model_ids), "since": since, "choice": choice})
