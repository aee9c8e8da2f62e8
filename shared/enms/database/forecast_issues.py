"""Forecasts as they were made, each kept once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg2.extras import Json

from enms.database.connection import Connection, Row, rows

_ARRAYS = (
    "power_kw",
    "lower_80_kw",
    "upper_80_kw",
    "lower_95_kw",
    "upper_95_kw",
    "naive_kw",
    "peak_quantiles_kw",
)
_COLUMNS = (
    "model_id", "machine_id", "factory_id", "energy_type", "horizon", "choice", "made_by", "origin_at",
    "ends_at", "step_seconds", "starts_at", *_ARRAYS, "scale_kw", "peak_at", "peak_power_kw", "members",
    "regressors", "regressors_left_out", "notes", "days_of_history", "share_of_readings",
)  # fmt: skip
_TYPES = dict.fromkeys(_ARRAYS, "::float8[]") | {
    "starts_at": "::timestamptz[]",
    "members": "::text[]",
    "regressors": "::text[]",
}
# The same origin again is news only where a newer model tells it.
_KEEP = f"""
    INSERT INTO analytics.forecast_issues AS i ({", ".join(_COLUMNS)})
    VALUES ({", ".join(f"%({name})s{_TYPES.get(name, '')}" for name in _COLUMNS)})
    ON CONFLICT (subject_id, energy_type, horizon, choice, origin_at) DO UPDATE
    SET made_at = excluded.made_at, {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)}
    WHERE i.scored_at IS NULL AND i.model_id IS DISTINCT FROM excluded.model_id
      AND coalesce((SELECT n.version FROM analytics.forecast_models n WHERE n.id = excluded.model_id), 0)
        > coalesce((SELECT o.version FROM analytics.forecast_models o WHERE o.id = i.model_id), 0)
    RETURNING id
"""  # noqa: S608 - names of this module


@dataclass(frozen=True, kw_only=True)
class NewIssue:
    """A forecast. Arrays have an element a step.

    Attributes:
        model_id: What made it; None where there is no model yet.
        machine_id: Whose it is; or else
        factory_id: of which factory.
        energy_type: The carrier.
        horizon: Name of its horizon, such as `7d-hourly`.
        choice: Of the model's choices.
        made_by: Who or what asked for it.
        origin_at: Where it begins.
        ends_at: Where its last step ends.
        step_seconds: Length of a step; 86 400 for local days.
        starts_at: Where steps begin.
        power_kw: Mean power.
        lower_80_kw: Lower end of the 80 % band.
        upper_80_kw: Its upper end.
        lower_95_kw: Lower end of the 95 % band.
        upper_95_kw: Its upper end.
        naive_kw: What the better seasonal naive says, NaN where it says nothing.
        peak_quantiles_kw: Of the highest quarter hour, at 1 to 99 %.
        scale_kw: What errors are divided by; None where nothing tells it.
        peak_at: The step in which the highest quarter hour most likely lies.
        peak_power_kw: Its median.
        members: The candidates that it is made of.
        regressors: What it used.
        regressors_left_out: What it didn't, with the reason.
        notes: What a reader should know.
        days_of_history: Days from the first reading on.
        share_of_readings: Share of the steps that were known, 0 to 1.
    """

    model_id: UUID | None
    machine_id: UUID | None
    factory_id: UUID | None
    energy_type: str
    horizon: str
    choice: str
    made_by: str
    origin_at: datetime
    ends_at: datetime
    step_seconds: int
    starts_at: Sequence[datetime]
    power_kw: Sequence[float]
    lower_80_kw: Sequence[float]
    upper_80_kw: Sequence[float]
    lower_95_kw: Sequence[float]
    upper_95_kw: Sequence[float]
    naive_kw: Sequence[float]
    peak_quantiles_kw: Sequence[float]
    scale_kw: float | None
    peak_at: datetime
    peak_power_kw: float
    members: Sequence[str]
    regressors: Sequence[str]
    regressors_left_out: Mapping[str, str]
    notes: Sequence[str]
    days_of_history: float
    share_of_readings: float


def keep(connection: Connection, new: NewIssue) -> bool:
    """Keeps a forecast; of one origin the newer model's.

    Returns:
        Whether it is news.
    """
    packed = {name: as_array(getattr(new, name)) for name in _ARRAYS}
    taken = vars(new) | packed | {
        "starts_at": "{" + ",".join(at.isoformat() for at in new.starts_at) + "}",
        "members": list(new.members),
        "regressors": list(new.regressors),
        "regressors_left_out": Json(dict(new.regressors_left_out)),
        "notes": Json(list(new.notes)),
    }  # fmt: skip
    return bool(rows(connection, _KEEP, taken))


def newest_origins(connection: Connection, energy_type: str, horizon: str) -> dict[tuple[UUID, str], Row]:
    """The newest forecast of each subject and choice: origin_at and the model_id."""
    found = rows(
        connection,
        """
        SELECT s.id AS subject_id, s.choice, i.origin_at, i.model_id
        FROM (SELECT subject.id, choice
              FROM (SELECT id FROM machines UNION ALL SELECT id FROM factories) subject,
                   unnest('{selected,arima,prophet}'::text[]) choice) s
        CROSS JOIN LATERAL (
            SELECT origin_at, model_id FROM analytics.forecast_issues
            WHERE subject_id = s.id AND energy_type = %s AND horizon = %s AND choice = s.choice
            ORDER BY origin_at DESC LIMIT 1) i
        """,
        (energy_type, horizon),
    )
    return {(row["subject_id"], row["choice"]): row for row in found}


def recent_scored(
    connection: Connection, subject_id: UUID, energy_type: str, horizon: str, choice: str, limit: int
) -> list[Row]:
    """The newest issues whose truth has come, oldest first: origin_at, power_kw and actual_kw."""
    return rows(
        connection,
        """
        SELECT * FROM (
            SELECT origin_at, power_kw, actual_kw FROM analytics.forecast_issues
            WHERE subject_id = %s AND energy_type = %s AND horizon = %s AND choice = %s
              AND actual_kw IS NOT NULL
            ORDER BY origin_at DESC LIMIT %s
        ) newest ORDER BY origin_at
        """,
        (subject_id, energy_type, horizon, choice, limit),
    )


def thin(connection: Connection, now: datetime, keep_for: timedelta, plans_for: timedelta, plan: str) -> int:
    """Gives up forecasts that nobody asks for any more.

    Args:
        connection: The database.
        now: The present.
        keep_for: For how long a forecast is kept.
        plans_for: For how long all hours' plans are kept; after that one a day is.
        plan: The horizon that plans stand on.

    Returns:
        How many were given up.
    """
    found = rows(
        connection,
        """
        DELETE FROM analytics.forecast_issues
        WHERE origin_at < %(now)s - %(keep_for)s
           OR (horizon = %(plan)s AND origin_at < %(now)s - %(plans_for)s
               AND origin_at >= date_trunc('day', origin_at, 'UTC') + interval '1 hour')
        RETURNING 1
        """,
        {"now": now, "keep_for": keep_for, "plans_for": plans_for, "plan": plan},
    )
    return len(found)


def as_array(numbers: Iterable[float]) -> str:
    """Numbers as the text of an array, which the server reads fastest; `nan` is a number there too."""
    return "{" + ",".join(map(repr, numbers)) + "}"
