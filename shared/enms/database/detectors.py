"""Detectors as rows: their versions, which of them is in use, what they weren't to learn from.

The detectors themselves are objects elsewhere; a row tells where, and the digest of their bytes.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg2.errors

from enms.database.connection import LOCK_TIMEOUT_SECONDS, Connection, Database, Row, rows
from enms.errors import ConflictError

_DETECTOR = """
    d.id, d.machine_id, d.energy_type, d.version, d.artifact_key, d.artifact_sha256, d.baseline_id,
    d.trained_from, d.trained_to, d.features, d.baseline_id IS NOT NULL AS has_baseline, d.confidence_cap,
    d.is_active, d.created_at, d.trained_by, d.run_id
"""


@dataclass(frozen=True, kw_only=True)
class NewDetector:
    """What is kept of a detector.

    Attributes:
        machine_id: Whose it is.
        energy_type: Its carrier.
        version: From `next_version`.
        artifact_key: Where it lies.
        artifact_sha256: Digest of its bytes, in hexadecimal.
        baseline_id: The baseline whose deviations it knows; None without one.
        trained_from: First instant of its reference window.
        trained_to: The instant after the last.
        features: What its forest looks at.
        confidence_cap: The most that it may be sure of a finding, 0 to 1.
        trained_by: Who or what asked for it.
        run_id: The job's run that trained it.
    """

    machine_id: UUID
    energy_type: str
    version: int
    artifact_key: str
    artifact_sha256: str
    baseline_id: UUID | None
    trained_from: datetime
    trained_to: datetime
    features: Sequence[str]
    confidence_cap: float
    trained_by: str
    run_id: UUID | None = None


@contextmanager
def life(database: Database, machine_id: UUID, energy_type: str) -> Iterator[Connection]:
    """One transaction in which nobody else changes a machine's detectors of a carrier.

    Raises:
        ConflictError: Another training goes on for longer than the lock's time-out.
    """
    with database.transaction() as connection:
        try:
            rows(
                connection,
                "SELECT pg_advisory_xact_lock(hashtextextended('enms detector ' || %s || ' ' || %s, 0))",
                (str(machine_id), energy_type),
            )
        except psycopg2.errors.LockNotAvailable as error:
            raise ConflictError(
                "Another detector of this machine is being stored for longer than "
                f"{LOCK_TIMEOUT_SECONDS} s: try again in a moment."
            ) from error
        yield connection


def next_version(connection: Connection, machine_id: UUID, energy_type: str) -> int:
    """The version that follows the newest; for use inside `life`."""
    (found,) = rows(
        connection,
        "SELECT coalesce(max(version), 0) + 1 AS version FROM analytics.anomaly_detectors"
        " WHERE machine_id = %s AND energy_type = %s",
        (machine_id, energy_type),
    )
    version: int = found["version"]
    return version


def insert(connection: Connection, new: NewDetector) -> Row:
    """Adds a version and puts it into use instead of the former; for use inside `life`."""
    rows(
        connection,
        "UPDATE analytics.anomaly_detectors SET is_active = false"
        " WHERE machine_id = %s AND energy_type = %s AND is_active",
        (new.machine_id, new.energy_type),
    )
    (added,) = rows(
        connection,
        f"""
        INSERT INTO analytics.anomaly_detectors AS d (
            machine_id, energy_type, version, artifact_key, artifact_sha256, baseline_id, trained_from,
            trained_to, features, confidence_cap, is_active, trained_by, run_id)
        VALUES (
            %(machine_id)s, %(energy_type)s, %(version)s, %(artifact_key)s, %(artifact_sha256)s,
            %(baseline_id)s, %(trained_from)s, %(trained_to)s, %(features)s, %(confidence_cap)s, true,
            %(trained_by)s, %(run_id)s)
        RETURNING {_DETECTOR}
        """,  # noqa: S608 - names of this module
        vars(new) | {"features": list(new.features)},
    )
    return added


def active(source: Database | Connection, machine_id: UUID, energy_type: str) -> Row | None:
    """The version in use, None where there is none."""
    statement = f"""
        SELECT {_DETECTOR} FROM analytics.anomaly_detectors d
        WHERE d.machine_id = %s AND d.energy_type = %s AND d.is_active
    """  # noqa: S608 - names of this module
    if isinstance(source, Database):
        return source.row(statement, (machine_id, energy_type))
    found = rows(source, statement, (machine_id, energy_type))
    return found[0] if found else None


def get(database: Database, detector_id: UUID) -> Row | None:
    """One version."""
    return database.row(
        f"SELECT {_DETECTOR} FROM analytics.anomaly_detectors d WHERE d.id = %s",  # noqa: S608 - names of this module
        (detector_id,),
    )


def excluded_periods(
    connection: Connection, machine_id: UUID, energy_type: str, start: datetime, end: datetime
) -> list[tuple[datetime, datetime]]:
    """Stretches of a period that a detector doesn't learn from: known anomalies and planned stops.

    False alarms are no anomalies: they are learned from, and so is a new level that people expect.
    Stretches may overlap.
    """
    found = rows(
        connection,
        """
        SELECT x.start_at, x.end_at FROM (
            SELECT a.detected_at AS start_at, coalesce(a.ended_at, a.last_seen_at) AS end_at
            FROM anomalies a
            WHERE a.machine_id = %(machine_id)s AND a.energy_type = %(energy_type)s
              AND a.origin = 'enms' AND a.state <> 'false_alarm' AND NOT a.metadata ? 'merged_into'
              AND NOT (a.state = 'expected' AND a.is_lasting)
            UNION ALL
            SELECT s.start_at, s.end_at FROM analytics.anomaly_suppressions s
            WHERE s.machine_id = %(machine_id)s AND s.withdrawn_at IS NULL
        ) x
        WHERE x.start_at < %(end)s AND x.end_at > %(start)s ORDER BY x.start_at
        """,
        {"machine_id": machine_id, "energy_type": energy_type, "start": start, "end": end},
    )
    return [(row["start_at"], row["end_at"]) for row in found]
