"""Which runs of forecasts there were, which trainings were asked for, and which are due."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from enms.database.connection import Connection, Database, rows


def is_first_of_day(connection: Connection, run_id: UUID) -> bool:
    """Whether no other run of its job has come to its end since the UTC day in which it began."""
    (found,) = rows(
        connection,
        """
        SELECT NOT EXISTS (
            SELECT FROM analytics.job_runs former
            WHERE former.job = r.job AND former.id <> r.id AND former.state IN ('succeeded', 'partial')
              AND former.started_at >= date_trunc('day', r.started_at, 'UTC')) AS is_first
        FROM analytics.job_runs r WHERE r.id = %s
        """,
        (run_id,),
    )
    is_first: bool = found["is_first"]
    return is_first


def asked_since(database: Database, job: str, since: datetime) -> dict[tuple[str, str], datetime]:
    """When trainings were last asked for since an instant, however they went, by subject and horizon."""
    found = database.rows(
        """
        SELECT coalesce(r.parameters ->> 'machine_id', r.parameters ->> 'factory_id') AS subject_id,
               h.horizon, max(r.created_at) AS asked_at
        FROM analytics.job_runs r, jsonb_array_elements_text(r.parameters -> 'horizons') h (horizon)
        WHERE r.job = %(job)s AND r.created_at > %(since)s
        GROUP BY 1, 2
        """,
        {"job": job, "since": since},
    )
    return {(row["subject_id"], row["horizon"]): row["asked_at"] for row in found}


def without_model(
    database: Database, subject_ids: Sequence[UUID], horizons: Sequence[str], energy_type: str
) -> list[tuple[UUID, str]]:
    """The horizons that machines and factories have no active model of: subject's id and horizon."""
    found = database.rows(
        """
        SELECT s.id, h.horizon
        FROM unnest(%(subject_ids)s::uuid[]) s (id) CROSS JOIN unnest(%(horizons)s::text[]) h (horizon)
        WHERE NOT EXISTS (
            SELECT FROM analytics.forecast_models m
            WHERE m.subject_id = s.id AND m.horizon = h.horizon AND m.energy_type = %(energy_type)s
              AND m.is_active)
        """,
        {"subject_ids": list(subject_ids), "horizons": list(horizons), "energy_type": energy_type},
    )
    return [(row["id"], row["horizon"]) for row in found]
