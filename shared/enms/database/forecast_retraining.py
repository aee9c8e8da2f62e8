"""Which trainings of forecasts a run of the retraining has left, and what became of the others.

Answers lie in the run's items under `forecasts`, by horizon; an item is a machine's id, or a factory's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from psycopg2.extras import Json

from enms.database.connection import Database, Row, rows

type ForecastState = Literal["succeeded", "skipped", "failed"]


@dataclass(frozen=True)
class Left:
    """What has no answer yet.

    Attributes:
        count: How many trainings.
        subject_id: Whose is the first of them; None where nothing is left.
        horizon: The first one's horizon.
    """

    count: int
    subject_id: UUID | None = None
    horizon: str | None = None


def left(database: Database, run_id: UUID, machine_id: UUID | None, horizons: Sequence[str]) -> Left:
    """What is left of a machine's horizons, or of those of the run's factories.

    Args:
        database: The database.
        run_id: The run.
        machine_id: The machine; None: the factories of the run, of which one of named machines has none.
        horizons: In the order in which they are taken.
    """
    found = database.row(
        """
        WITH subjects AS (
            SELECT %(machine_id)s::uuid AS id WHERE %(machine_id)s IS NOT NULL
            UNION ALL
            SELECT f.id FROM analytics.job_runs r
            CROSS JOIN LATERAL jsonb_array_elements_text(r.parameters -> 'factory_ids') named (id)
            JOIN factories f ON f.id = named.id::uuid
            WHERE r.id = %(run_id)s AND %(machine_id)s IS NULL
              AND coalesce(r.parameters -> 'machine_ids', 'null') = 'null'
        )
        SELECT count(*) OVER () AS count, s.id AS subject_id, h.horizon
        FROM subjects s CROSS JOIN unnest(%(horizons)s::text[]) WITH ORDINALITY h (horizon, place)
        LEFT JOIN analytics.job_items i ON i.run_id = %(run_id)s AND i.item = s.id::text
        WHERE NOT coalesce(i.detail -> 'forecasts' ? h.horizon, false)
        ORDER BY s.id, h.place LIMIT 1
        """,
        {"run_id": run_id, "machine_id": machine_id, "horizons": list(horizons)},
    )
    return Left(**found) if found else Left(0)


def answer(
    database: Database,
    run_id: UUID,
    subject_id: UUID,
    horizon: str,
    state: ForecastState,
    detail: Mapping[str, Any],
) -> None:
    """Notes what became of one training: in the item that is there, which else stays as it is.

    A factory has no item before its first training; it has failed once one of its trainings has.
    """
    with database.connection() as connection:
        rows(
            connection,
            """
            INSERT INTO analytics.job_items AS i (run_id, item, state, detail)
            SELECT %(run_id)s, %(subject_id)s::uuid::text, %(state)s,
                   jsonb_build_object('forecasts', jsonb_build_object(%(horizon)s::text, %(answer)s::jsonb))
                   || coalesce((SELECT jsonb_build_object('factory_name', name)
                                FROM factories WHERE id = %(subject_id)s::uuid), '{}')
            ON CONFLICT (run_id, item) DO UPDATE
            SET detail = i.detail || jsonb_build_object(
                    'forecasts', coalesce(i.detail -> 'forecasts', '{}') || (excluded.detail -> 'forecasts')),
                state = CASE WHEN EXISTS (SELECT FROM factories WHERE id = %(subject_id)s)
                                  AND (excluded.state = 'failed' OR i.state = 'skipped')
                             THEN excluded.state ELSE i.state END,
                updated_at = now()
            """,
            {
                "run_id": run_id,
                "subject_id": subject_id,
                "horizon": horizon,
                "state": state,
                "answer": Json({"state": state, **detail}),
            },
        )


def summarise(database: Database, run_id: UUID) -> Row | None:
    """Adds what became of forecasts to a run's counts, and gives the run's state and counts."""
    with database.connection() as connection:
        found = rows(
            connection,
            """
            UPDATE analytics.job_runs r
            SET counts = r.counts || (
                SELECT jsonb_build_object(
                    'forecasts', count(*) FILTER (WHERE f.value ->> 'state' = 'succeeded'),
                    'forecasts_skipped', count(*) FILTER (WHERE f.value ->> 'state' = 'skipped'),
                    'forecasts_failed', count(*) FILTER (WHERE f.value ->> 'state' = 'failed'))
                FROM analytics.job_items i CROSS JOIN LATERAL jsonb_each(i.detail -> 'forecasts') f
                WHERE i.run_id = r.id)
            WHERE r.id = %s RETURNING r.state, r.counts
            """,
            (run_id,),
        )
    return found[0] if found else None
