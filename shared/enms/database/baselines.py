"""Baselines as rows: their versions, which of them is in use, who did what and why.

The models themselves are objects elsewhere; a row tells where, and the digest of their bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import psycopg2.errors
from psycopg2.extras import Json

from enms.database.connection import LOCK_TIMEOUT_SECONDS, Connection, Database, Row, rows
from enms.database.numerics import within
from enms.errors import ConflictError, NotFoundError

type Verdict = Literal["valid", "caution", "rejected"]

_LONGEST_NAME = 100
_BASELINE = """
    b.id, b.machine_id, b.energy_type, b.model_name, b.model_type, b.model_version, b.interval, b.verdict,
    coalesce(b.is_active, false) AS is_active, b.training_start_date, b.training_end_date, b.training_samples,
    b.coefficients, b.intercept, b.feature_names, b.r_squared, b.rmse, b.mae, b.created_at, b.trained_by,
    b.metadata, b.artifact_key, b.artifact_sha256
"""
# A platform's own rows have no model that we could predict with.
_IS_OURS = "b.artifact_sha256 IS NOT NULL"


@dataclass(frozen=True, kw_only=True)
class NewBaseline:
    """What is kept of a model; a figure beyond what its column holds is cut to that, the model has it whole.

    Attributes:
        machine_id: Whose it is.
        energy_type: Its carrier.
        model_name: What people call it.
        model_type: Its form, such as `linear`.
        model_version: From `next_version`.
        interval: `hour` or `day`.
        verdict: Whether it may be used.
        training_start: First instant of its period.
        training_end: The instant after the last.
        training_samples: Intervals that it was fitted to.
        coefficients: By name of the term.
        intercept: In the carrier's unit an interval.
        feature_names: Its drivers.
        r_squared: Of the fit.
        rmse: Of the fit.
        mae: Of the fit.
        artifact_key: Where the model lies.
        artifact_sha256: Digest of its bytes, in hexadecimal.
        trained_by: Who or what asked for it.
        reason: Why, where it was told.
        run_id: The job's run that trained it.
        metadata: What else others may want to read.
    """

    machine_id: UUID
    energy_type: str
    model_name: str
    model_type: str
    model_version: int
    interval: str
    verdict: Verdict
    training_start: datetime
    training_end: datetime
    training_samples: int
    coefficients: Mapping[str, float]
    intercept: float
    feature_names: Sequence[str]
    r_squared: float
    rmse: float
    mae: float
    artifact_key: str
    artifact_sha256: str
    trained_by: str
    reason: str | None = None
    run_id: UUID | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def life(database: Database, machine_id: UUID, energy_type: str) -> Iterator[Connection]:
    """One transaction in which nobody else changes a machine's baselines of a carrier: each waits its turn.

    Raises:
        ConflictError: Another one goes on for longer than the lock's time-out.
    """
    with database.transaction() as connection:
        _take_turn(connection, machine_id, energy_type)
        yield connection


def next_version(connection: Connection, machine_id: UUID, energy_type: str) -> int:
    """The version that follows the newest, a platform's own included; for use inside `life`."""
    (found,) = rows(
        connection,
        "SELECT coalesce(max(model_version), 0) + 1 AS version FROM energy_baselines"
        " WHERE machine_id = %s AND energy_type = %s",
        (machine_id, energy_type),
    )
    version: int = found["version"]
    return version


def find_by_hash(connection: Connection, machine_id: UUID, energy_type: str, sha256: str) -> Row | None:
    """The newest version with these bytes."""
    found = rows(
        connection,
        f"""
        SELECT {_BASELINE} FROM energy_baselines b
        WHERE b.machine_id = %s AND b.energy_type = %s AND b.artifact_sha256 = %s
        ORDER BY b.model_version DESC LIMIT 1
        """,  # noqa: S608 - names of this module
        (machine_id, energy_type, sha256),
    )
    return found[0] if found else None


def insert(connection: Connection, new: NewBaseline) -> UUID:
    """Adds a version, not in use yet, and the note of who trained it; for use inside `life`.

    Raises:
        ConflictError: The platform's tables lack the carrier, or its own programs took the version.
    """
    try:
        (added,) = rows(
            connection,
            """
            INSERT INTO energy_baselines (
                machine_id, energy_type, model_name, model_type, model_version, "interval", verdict,
                training_start_date, training_end_date, training_samples, coefficients, intercept,
                feature_names, r_squared, rmse, mae, is_active, created_at, trained_by, metadata,
                artifact_key, artifact_sha256)
            VALUES (
                %(machine_id)s, %(energy_type)s, %(model_name)s, %(model_type)s, %(model_version)s,
                %(interval)s, %(verdict)s, %(training_start)s, %(training_end)s, %(training_samples)s,
                %(coefficients)s, %(intercept)s, %(feature_names)s, %(r_squared)s, %(rmse)s, %(mae)s, false,
                clock_timestamp(), %(trained_by)s, %(metadata)s, %(artifact_key)s, %(artifact_sha256)s)
            RETURNING id
            """,
            vars(new)
            | {
                "model_name": new.model_name[:_LONGEST_NAME],
                "trained_by": new.trained_by[:_LONGEST_NAME],
                "coefficients": Json(dict(new.coefficients)),
                "feature_names": list(new.feature_names),
                "metadata": Json(dict(new.metadata)),
                "intercept": within(new.intercept, 15, 6),
                "r_squared": within(new.r_squared, 5, 4),
                "rmse": within(new.rmse, 12, 6),
                "mae": within(new.mae, 12, 6),
            },
        )
    except psycopg2.errors.NotNullViolation as error:
        if error.diag.column_name != "energy_source_id":
            raise
        raise _unknown_carrier(new.energy_type) from error
    except psycopg2.errors.UniqueViolation as error:
        raise ConflictError(
            f"Another program has just stored version {new.model_version} of this baseline: try again."
        ) from error
    baseline_id: UUID = added["id"]
    _note(connection, [baseline_id], "trained", new.trained_by, new.reason, new.run_id)
    return baseline_id


def activate(
    connection: Connection, baseline_id: UUID, actor: str, reason: str | None, run_id: UUID | None = None
) -> bool:
    """Puts a version into use and all others of its machine and carrier, a platform's too, out of it.

    Args:
        connection: In a transaction, such as that of `life`.
        baseline_id: The version.
        actor: Who does it.
        reason: Why.
        run_id: The job's run that does it.

    Returns:
        Whether anything changed.

    Raises:
        NotFoundError: There is no such baseline.
        ConflictError: It is a platform's own, without a model.
    """
    found = rows(
        connection,
        "SELECT machine_id, energy_type, artifact_sha256 IS NOT NULL AS is_ours FROM energy_baselines"
        " WHERE id = %s",
        (baseline_id,),
    )
    if not found:
        raise NotFoundError(f"There is no baseline {baseline_id}.", given=str(baseline_id))
    baseline = found[0]
    if not baseline["is_ours"]:
        raise ConflictError(
            "This baseline was written by another program and has no model of ours: train one."
        )
    _take_turn(connection, baseline["machine_id"], baseline["energy_type"])
    deactivated = rows(
        connection,
        """
        UPDATE energy_baselines SET is_active = false
        WHERE machine_id = %s AND energy_type = %s AND is_active AND id <> %s RETURNING id
        """,
        (baseline["machine_id"], baseline["energy_type"], baseline_id),
    )
    activated = rows(
        connection,
        "UPDATE energy_baselines SET is_active = true WHERE id = %s AND is_active IS NOT TRUE RETURNING id",
        (baseline_id,),
    )
    for event, changed in (("deactivated", deactivated), ("activated", activated)):
        _note(connection, [row["id"] for row in changed], event, actor, reason, run_id)
    return bool(deactivated or activated)


def active(source: Database | Connection, machine_id: UUID, energy_type: str) -> Row | None:
    """The version in use, None where none of ours is."""
    return _active(source, machine_id, energy_type, _IS_OURS)


def active_of(database: Database, machine_ids: Sequence[UUID], energy_type: str) -> dict[UUID, Row]:
    """The versions in use by machine, without those of which none of ours is."""
    found = database.rows(
        f"""
        SELECT DISTINCT ON (b.machine_id) {_BASELINE} FROM energy_baselines b
        WHERE b.machine_id = ANY (%s) AND b.energy_type = %s AND b.is_active AND {_IS_OURS}
        ORDER BY b.machine_id, b.model_version DESC
        """,  # noqa: S608 - names of this module
        (list(machine_ids), energy_type),
    )
    return {row["machine_id"]: row for row in found}


def active_elsewhere(source: Database | Connection, machine_id: UUID, energy_type: str) -> Row | None:
    """What a platform's own programs have in use: a row without a model of ours."""
    return _active(source, machine_id, energy_type, f"NOT {_IS_OURS}")


def get(database: Database, baseline_id: UUID) -> Row | None:
    """One baseline with its machine's name; `artifact_key` is None for a platform's own."""
    return database.row(
        f"""
        SELECT {_BASELINE}, m.name AS machine_name
        FROM energy_baselines b JOIN machines m ON m.id = b.machine_id WHERE b.id = %s
        """,  # noqa: S608 - names of this module
        (baseline_id,),
    )


def models(
    database: Database,
    machine_id: UUID | None,
    energy_type: str | None,
    active: bool | None,
    limit: int,
    offset: int,
) -> tuple[int, list[Row]]:
    """How many baselines there are, and a page of them by machine, carrier and version, the newest first."""
    parameters = {
        "machine_id": machine_id, "energy_type": energy_type, "active": active,
        "limit": limit, "offset": offset,
    }  # fmt: skip
    wanted = """
        (%(machine_id)s::uuid IS NULL OR b.machine_id = %(machine_id)s)
        AND (%(energy_type)s IS NULL OR b.energy_type = %(energy_type)s)
        AND (%(active)s IS NULL OR coalesce(b.is_active, false) = %(active)s)
    """
    count = database.row(f"SELECT count(*) AS n FROM energy_baselines b WHERE {wanted}", parameters)  # noqa: S608 - names of this module
    page = database.rows(
        f"""
        SELECT {_BASELINE}, m.name AS machine_name
        FROM energy_baselines b JOIN machines m ON m.id = b.machine_id WHERE {wanted}
        ORDER BY m.name, m.id, b.energy_type, b.model_version DESC LIMIT %(limit)s OFFSET %(offset)s
        """,  # noqa: S608 - names of this module
        parameters,
    )
    return (count["n"] if count else 0), page


def history(database: Database, machine_id: UUID, energy_type: str, up_to_version: int) -> list[Row]:
    """The versions up to one, oldest first, with who trained them and why: what stays as it is."""
    return database.rows(
        f"""
        SELECT {_BASELINE}, e.actor, e.reason, e.run_id
        FROM energy_baselines b
        LEFT JOIN LATERAL (
            SELECT actor, reason, run_id FROM analytics.baseline_events
            WHERE baseline_id = b.id AND event = 'trained' ORDER BY id LIMIT 1
        ) e ON true
        WHERE b.machine_id = %s AND b.energy_type = %s AND b.model_version <= %s ORDER BY b.model_version
        """,  # noqa: S608 - names of this module
        (machine_id, energy_type, up_to_version),
    )


def events(database: Database, baseline_id: UUID) -> list[Row]:
    """What was done with a baseline, in its order."""
    return database.rows(
        "SELECT event, actor, reason, run_id, at FROM analytics.baseline_events"
        " WHERE baseline_id = %s ORDER BY id",
        (baseline_id,),
    )


def _take_turn(connection: Connection, machine_id: UUID, energy_type: str) -> None:
    """Waits for whoever is at work on these baselines; nobody else is from then to the transaction's end."""
    try:
        rows(
            connection,
            "SELECT pg_advisory_xact_lock(hashtextextended('enms baseline ' || %s || ' ' || %s, 0))",
            (str(machine_id), energy_type),
        )
    except psycopg2.errors.LockNotAvailable as error:
        raise ConflictError(
            "Another training of this machine is under way for longer than "
            f"{LOCK_TIMEOUT_SECONDS} s: try again in a moment."
        ) from error


def _active(source: Database | Connection, machine_id: UUID, energy_type: str, whose: str) -> Row | None:
    statement = f"""
        SELECT {_BASELINE} FROM energy_baselines b
        WHERE b.machine_id = %s AND b.energy_type = %s AND b.is_active AND {whose}
        ORDER BY b.model_version DESC LIMIT 1
    """  # noqa: S608 - names of this module
    parameters = (machine_id, energy_type)
    if isinstance(source, Database):
        return source.row(statement, parameters)
    found = rows(source, statement, parameters)
    return found[0] if found else None


def _note(
    connection: Connection,
    baseline_ids: Sequence[UUID],
    event: str,
    actor: str,
    reason: str | None,
    run_id: UUID | None,
) -> None:
    rows(
        connection,
        """
        INSERT INTO analytics.baseline_events (baseline_id, event, actor, reason, run_id)
        SELECT id, %s, %s, %s, %s FROM unnest(%s::uuid[]) id
        """,
        (event, actor, reason, run_id, list(baseline_ids)),
    )


def _unknown_carrier(energy_type: str) -> ConflictError:
    return ConflictError(
        f"This platform keeps baselines by its table energy_sources, which has no '{energy_type}': add a row"
        " with that name and its unit, then train again.",
        parameter="energy_type",
        given=energy_type,
        allowed="a carrier in energy_sources (there electrical is called electricity)",
    )
