"""Forecasters as rows: their versions, which of them serve, and what their proof was.

The forecasters themselves are objects elsewhere; a row tells where, and the digest of their bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg2.errors
from psycopg2.extras import Json

from enms.database.connection import LOCK_TIMEOUT_SECONDS, Connection, Database, Row, rows
from enms.errors import ConflictError

_MODEL = """
    m.id, m.machine_id, m.factory_id, m.subject_id, m.energy_type, m.horizon, m.version, m.artifact_key,
    m.artifact_sha256, m.is_active, m.chosen, m.reason, m.choices, m.backtest, m.regressors,
    m.regressors_left_out, m.days_of_history, m.share_of_readings, m.trained_from, m.trained_to,
    m.created_at AS trained_at, m.trained_by, m.run_id
"""


@dataclass(frozen=True, kw_only=True)
class NewForecaster:
    """What is kept of a forecaster.

    Attributes:
        machine_id: Whose it is; or else
        factory_id: of which factory.
        energy_type: Its carrier.
        horizon: Name of its horizon, such as `7d-hourly`.
        version: From `next_version`.
        artifact_key: Where it lies.
        artifact_sha256: Digest of its bytes, in hexadecimal.
        chosen: Members of what serves.
        reason: Why these, in words.
        choices: What may be asked for: `selected`, and what is kept beside it.
        backtest: Its proof: `origins`, `scale_kw`, `models`.
        regressors: Those that it uses.
        regressors_left_out: Those that it doesn't, with the reason.
        days_of_history: Days from the first reading on.
        share_of_readings: Share of the steps that were known, 0 to 1.
        trained_from: First instant that it learned from.
        trained_to: The instant after the last.
        trained_by: Who or what asked for it.
        run_id: The job's run that trained it.
    """

    machine_id: UUID | None
    factory_id: UUID | None
    energy_type: str
    horizon: str
    version: int
    artifact_key: str
    artifact_sha256: str
    chosen: Sequence[str]
    reason: str
    choices: Sequence[str]
    backtest: Mapping[str, Any]
    regressors: Sequence[str]
    regressors_left_out: Mapping[str, str]
    days_of_history: float
    share_of_readings: float
    trained_from: datetime
    trained_to: datetime
    trained_by: str
    run_id: UUID | None = None


@contextmanager
def life(database: Database, subject_id: UUID, energy_type: str, horizon: str) -> Iterator[Connection]:
    """One transaction in which nobody else changes a subject's forecasters of a horizon.

    Raises:
        ConflictError: Another one is being stored for longer than the lock's time-out.
    """
    with database.transaction() as connection:
        try:
            rows(
                connection,
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                (f"enms forecaster {subject_id} {energy_type} {horizon}",),
            )
        except psycopg2.errors.LockNotAvailable as error:
            raise ConflictError(
                f"Another model of this horizon is being stored for longer than {LOCK_TIMEOUT_SECONDS} s: "
                "try again in a moment."
            ) from error
        yield connection


def next_version(connection: Connection, subject_id: UUID, energy_type: str, horizon: str) -> int:
    """The version that follows the newest; for use inside `life`."""
    (found,) = rows(
        connection,
        "SELECT coalesce(max(version), 0) + 1 AS version FROM analytics.forecast_models"
        " WHERE subject_id = %s AND energy_type = %s AND horizon = %s",
        (subject_id, energy_type, horizon),
    )
    version: int = found["version"]
    return version


def insert(connection: Connection, new: NewForecaster) -> Row:
    """Adds a version and has it serve instead of the former; for use inside `life`."""
    rows(
        connection,
        """
        UPDATE analytics.forecast_models SET is_active = false
        WHERE subject_id = coalesce(%(machine_id)s::uuid, %(factory_id)s::uuid)
          AND energy_type = %(energy_type)s AND horizon = %(horizon)s AND is_active
        """,
        vars(new),
    )
    (added,) = rows(
        connection,
        f"""
        INSERT INTO analytics.forecast_models AS m (
            machine_id, factory_id, energy_type, horizon, version, artifact_key, artifact_sha256, is_active,
            chosen, reason, choices, backtest, regressors, regressors_left_out, days_of_history,
            share_of_readings, trained_from, trained_to, trained_by, run_id)
        VALUES (
            %(machine_id)s, %(factory_id)s, %(energy_type)s, %(horizon)s, %(version)s, %(artifact_key)s,
            %(artifact_sha256)s, true, %(chosen)s::text[], %(reason)s, %(choices)s::text[], %(backtest)s,
            %(regressors)s::text[], %(regressors_left_out)s, %(days_of_history)s, %(share_of_readings)s,
            %(trained_from)s, %(trained_to)s, %(trained_by)s, %(run_id)s)
        RETURNING {_MODEL}
        """,  # noqa: S608 - names of this module
        vars(new)
        | {
            "chosen": list(new.chosen),
            "choices": list(new.choices),
            "backtest": Json(dict(new.backtest)),
            "regressors": list(new.regressors),
            "regressors_left_out": Json(dict(new.regressors_left_out)),
        },
    )
    return added


def active(
    source: Database | Connection, subject_id: UUID, energy_type: str, horizons: Sequence[str]
) -> dict[str, Row]:
    """The versions that serve, by horizon, without those that there aren't."""
    statement = f"""
        SELECT {_MODEL} FROM analytics.forecast_models m
        WHERE m.subject_id = %s AND m.energy_type = %s AND m.horizon = ANY (%s) AND m.is_active
    """  # noqa: S608 - names of this module
    values = (subject_id, energy_type, list(horizons))
    found = (
        source.rows(statement, values) if isinstance(source, Database) else rows(source, statement, values)
    )
    return {row["horizon"]: row for row in found}


def all_active(connection: Connection, energy_type: str, horizon: str) -> dict[UUID, Row]:
    """The versions of a horizon that serve, by machine or factory."""
    found = rows(
        connection,
        f"""
        SELECT {_MODEL} FROM analytics.forecast_models m
        WHERE m.energy_type = %s AND m.horizon = %s AND m.is_active
        """,  # noqa: S608 - names of this module
        (energy_type, horizon),
    )
    return {row["subject_id"]: row for row in found}


def listed(
    database: Database,
    subject_id: UUID | None,
    energy_type: str,
    horizons: Sequence[str],
    *,
    with_former: bool,
    limit: int,
) -> list[Row]:
    """Versions of a subject or of all, the newest of each horizon first, with the subject's name."""
    return database.rows(
        f"""
        SELECT {_MODEL}, coalesce(machines.name, factories.name) AS subject_name
        FROM analytics.forecast_models m
        LEFT JOIN machines ON machines.id = m.machine_id LEFT JOIN factories ON factories.id = m.factory_id
        WHERE (%(subject_id)s::uuid IS NULL OR m.subject_id = %(subject_id)s)
          AND m.energy_type = %(energy_type)s AND m.horizon = ANY (%(horizons)s)
          AND (m.is_active OR %(with_former)s)
        ORDER BY subject_name, m.subject_id, array_position(%(horizons)s::text[], m.horizon), m.version DESC
        LIMIT %(limit)s
        """,  # noqa: S608 - names of this module
        {
            "subject_id": subject_id,
            "energy_type": energy_type,
            "horizons": list(horizons),
            "with_former": with_former,
            "limit": limit,
        },
    )
