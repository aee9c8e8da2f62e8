"""Episodes as rows of the contract's table: what detection writes of them, and what happened to each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import psycopg2.errors

from enms.database.connection import LOCK_TIMEOUT_SECONDS, Connection, Row, rows
from enms.database.numerics import within
from enms.errors import ConflictError

type EventName = Literal["opened", "worsened", "extended", "ended", "acknowledged", "resolved"]

# Columns that detection may change later, with their types.
_CHANGING: Mapping[str, str] = {
    "detected_at": "timestamptz",
    "last_seen_at": "timestamptz",
    "ended_at": "timestamptz",
    "anomaly_type": "varchar(100)",
    "severity": "alert_level",
    "metric_name": "varchar(100)",
    "metric_value": "numeric(15, 6)",
    "expected_value": "numeric(15, 6)",
    "deviation_percent": "numeric(8, 2)",
    "deviation_std_dev": "numeric(8, 2)",
    "detection_method": "varchar(100)",
    "confidence_score": "numeric(5, 4)",
    "is_lasting": "boolean",
    "false_alarms_per_week": "float8",
    "energy_kwh": "float8",
    "cost": "float8",
    "currency": "varchar(3)",
    "metadata": "jsonb",
}
_FIXED: Mapping[str, str] = {
    "id": "uuid",
    "machine_id": "uuid",
    "energy_type": "varchar(50)",
    "detector_id": "uuid",
    "run_id": "uuid",
}
# Digits of what may be too large for its column.
_NARROW = {
    "metric_value": (15, 6),
    "expected_value": (15, 6),
    "deviation_percent": (8, 2),
    "deviation_std_dev": (8, 2),
}
_STORED = ", ".join(
    ["state", "coalesce(resolved_at, updated_at) AS resolved_at", "resolved_by", *_FIXED, *_CHANGING]
)
_PUBLISHED = "('opened', 'worsened', 'resolved')"


@dataclass(frozen=True)
class Event:
    """Something that happened to an anomaly.

    Attributes:
        anomaly_id: The anomaly.
        event: What.
        actor: Who or what did it.
        note: What they said.
        detail: What programs want to know of it.
    """

    anomaly_id: UUID
    event: EventName
    actor: str
    note: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def take_turn(connection: Connection, machine_id: UUID, energy_type: str) -> None:
    """Waits for whoever stores episodes of this machine; nobody else does until the transaction's end.

    Raises:
        ConflictError: Another one does for longer than the lock's time-out.
    """
    try:
        rows(
            connection,
            "SELECT pg_advisory_xact_lock(hashtextextended('enms anomalies ' || %s || ' ' || %s, 0))",
            (str(machine_id), energy_type),
        )
    except psycopg2.errors.LockNotAvailable as error:
        raise ConflictError(
            "Another detection of this machine is under way for longer than "
            f"{LOCK_TIMEOUT_SECONDS} s: try again in a moment."
        ) from error


def near(
    connection: Connection, machine_id: UUID, energy_type: str, start: datetime, end: datetime
) -> list[Row]:
    """Episodes of ours that bear on [start, end], and all that go on; by their start.

    They are held until the transaction's end: nobody resolves one meanwhile.
    """
    return rows(
        connection,
        f"""
        SELECT {_STORED} FROM anomalies
        WHERE machine_id = %(machine_id)s AND energy_type = %(energy_type)s AND origin = 'enms'
          AND detected_at <= %(end)s
          AND (last_seen_at >= %(start)s OR ended_at IS NULL)
          AND NOT metadata ? 'merged_into'
        ORDER BY detected_at, id FOR NO KEY UPDATE
        """,  # noqa: S608 - names of this module
        {"machine_id": machine_id, "energy_type": energy_type, "start": start, "end": end},
    )


def write(connection: Connection, episodes: Sequence[Row]) -> None:
    """Adds episodes, or brings those that there are up to date; one that stays as it is isn't touched.

    Args:
        connection: In a transaction that has its turn.
        episodes: Rows with an id and all columns that detection writes; figures beyond what a column
            holds are cut to that.
    """
    if not episodes:
        return
    columns = {**_FIXED, **_CHANGING}
    names = ", ".join(columns)
    present = ", ".join(f"a.{name}" for name in _CHANGING)
    wanted = ", ".join(f"excluded.{name}" for name in _CHANGING)
    rows(
        connection,
        f"""
        INSERT INTO anomalies AS a ({names}, origin, state, is_resolved, created_at, updated_at)
        SELECT {names}, 'enms', 'open', false, statement_timestamp(), statement_timestamp()
        FROM jsonb_to_recordset(%s) AS x ({", ".join(f"{name} {kind}" for name, kind in columns.items())})
        ON CONFLICT (id) DO UPDATE
        SET ({", ".join(_CHANGING)}, updated_at) = ({wanted}, excluded.updated_at)
        WHERE ({present}) IS DISTINCT FROM ({wanted})
        """,  # noqa: S608 - names of this module
        (json.dumps([_as_json(each, columns) for each in episodes], default=_text),),
    )


def close_merged(connection: Connection, merged: Mapping[UUID, UUID], note: str) -> None:
    """Closes episodes that turned out to be part of an earlier one.

    Args:
        connection: In a transaction that has its turn.
        merged: The earlier one's id by that of the one to close.
        note: What is kept as resolution.
    """
    rows(
        connection,
        """
        UPDATE anomalies a
        SET state = 'resolved', resolved_at = statement_timestamp(), resolved_by = 'enms',
            resolution_notes = %s, updated_at = statement_timestamp(),
            metadata = coalesce(a.metadata, '{}') || jsonb_build_object('merged_into', x.into_id)
        FROM unnest(%s::uuid[], %s::uuid[]) x (id, into_id) WHERE a.id = x.id
        """,
        (note, list(merged), list(merged.values())),
    )


def note(connection: Connection, events: Sequence[Event]) -> None:
    """Writes down what happened, and what is to be published of it; after the rows themselves."""
    if not events:
        return
    rows(
        connection,
        f"""
        WITH happened AS MATERIALIZED (
            SELECT place, anomaly_id, event, actor, note, detail, clock_timestamp() AS at
            FROM jsonb_to_recordset(%s) AS x (
                place int, anomaly_id uuid, event text, actor text, note text, detail jsonb)
        ), told AS (
            INSERT INTO analytics.anomaly_history (anomaly_id, event, actor, note, detail, at)
            SELECT anomaly_id, event, actor, note, detail, at FROM happened ORDER BY place
        )
        INSERT INTO analytics.anomaly_outbox (anomaly_id, event, payload)
        SELECT a.id, h.event, analytics.anomaly_payload(a)
               || jsonb_build_object('event', h.event, 'actor', h.actor, 'note', h.note, 'at', h.at)
        FROM happened h JOIN anomalies a ON a.id = h.anomaly_id
        WHERE h.event IN {_PUBLISHED} ORDER BY h.place
        """,  # noqa: S608 - names of this module
        (json.dumps([vars(each) | {"place": place} for place, each in enumerate(events)], default=_text),),
    )


def _as_json(row: Row, columns: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: within(row[name], *_NARROW[name]) if name in _NARROW and row[name] is not None else row[name]
        for name in columns
    }


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
