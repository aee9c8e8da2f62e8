"""Anomalies as they are read, other programs' too: pages of lists, single ones, figures of a period."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from enms.database.connection import Connection, Database, Row, rows


@dataclass(frozen=True, kw_only=True)
class AnomalyFilter:
    """Which anomalies are asked for; None doesn't restrict.

    Attributes:
        machine_id: A machine.
        factory_id: A factory.
        severity: A severity.
        anomaly_type: A kind.
        state: A state.
        since: First instant of `detected_at`.
        until: The instant after its last.
    """

    machine_id: UUID | None = None
    factory_id: UUID | None = None
    severity: str | None = None
    anomaly_type: str | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None


_ANOMALY = """
    a.id, a.machine_id, m.name AS machine_name, f.id AS factory_id, f.name AS factory_name,
    coalesce(a.energy_type, 'electrical') AS energy_type, a.detected_at, a.ended_at, a.last_seen_at,
    a.anomaly_type, a.severity::text AS severity, a.state, a.metric_name, a.metric_value, a.expected_value,
    a.deviation_percent, a.deviation_std_dev, a.confidence_score, a.detection_method,
    a.false_alarms_per_week, a.energy_kwh, a.cost, a.currency, a.is_lasting, a.metadata, a.acknowledged_at,
    a.acknowledged_by, a.resolved_at, a.resolved_by, a.resolution_notes, a.created_at,
    coalesce(a.updated_at, a.resolved_at, a.created_at) AS updated_at, a.detector_id, a.origin
"""
_TABLES = "anomalies a JOIN machines m ON m.id = a.machine_id JOIN factories f ON f.id = m.factory_id"
_UNRESOLVED = "a.state IN ('open', 'acknowledged')"
# The dearest first; those whose cost nobody knows come last.
_DEAREST = ("coalesce(a.cost, '-Infinity')", "a.severity", "a.detected_at", "a.id")
_CONDITIONS: Mapping[str, str] = {
    "machine_id": "a.machine_id = %(machine_id)s",
    "factory_id": "m.factory_id = %(factory_id)s",
    "severity": "a.severity::text = %(severity)s",
    "anomaly_type": "a.anomaly_type = %(anomaly_type)s",
    "state": "a.state = %(state)s",
    "since": "a.detected_at >= %(since)s",
    "until": "a.detected_at < %(until)s",
}
# One that was found to be part of an earlier one isn't counted beside it.
_COUNTED = "NOT coalesce(a.metadata, '{}') ? 'merged_into'"


def newest(
    database: Database, wanted: AnomalyFilter, limit: int, after: tuple[datetime, UUID] | None
) -> tuple[int, list[Row]]:
    """How many there are, and a page of them, the newest first.

    Args:
        database: The database.
        wanted: Which.
        limit: Length of the page.
        after: `detected_at` and id of the row before the page; None for the first page.
    """
    key = ("detected_at", "id")
    following = "(a.detected_at, a.id) < (%(detected_at)s, %(id)s)" if after else "true"
    return _page(
        database,
        _where(wanted),
        following,
        "a.detected_at DESC, a.id DESC",
        limit,
        vars(wanted) | (dict(zip(key, after, strict=True)) if after else {}),
    )


def dearest(
    database: Database,
    wanted: AnomalyFilter,
    limit: int,
    after: tuple[float | None, str, datetime, UUID] | None,
) -> tuple[int, list[Row]]:
    """How many are unresolved, and a page of them: the dearest first, then the gravest, then the newest.

    Args:
        database: The database.
        wanted: Which.
        limit: Length of the page.
        after: Cost, severity, `detected_at` and id of the row before the page; None for the first page.
    """
    key = ("last_cost", "last_severity", "detected_at", "id")
    following = (
        f"({', '.join(_DEAREST)}) < (coalesce(%(last_cost)s::float8, '-Infinity'),"
        " %(last_severity)s::alert_level, %(detected_at)s, %(id)s)"
        if after
        else "true"
    )
    return _page(
        database,
        f"{_where(wanted)} AND {_UNRESOLVED}",
        following,
        ", ".join(f"{column} DESC" for column in _DEAREST),
        limit,
        vars(wanted) | (dict(zip(key, after, strict=True)) if after else {}),
    )


def by_ids(source: Database | Connection, ids: Sequence[UUID]) -> list[Row]:
    """These anomalies, by their start."""
    statement = f"SELECT {_ANOMALY} FROM {_TABLES} WHERE a.id = ANY (%s) ORDER BY a.detected_at, a.id"  # noqa: S608 - names of this module
    if isinstance(source, Database):
        return source.rows(statement, (list(ids),))
    return rows(source, statement, (list(ids),))


def history(database: Database, anomaly_id: UUID) -> list[Row]:
    """What happened to one, in its order: event, actor, note, at, detail."""
    return database.rows(
        "SELECT event, actor, note, at, detail FROM analytics.anomaly_history"
        " WHERE anomaly_id = %s ORDER BY id",
        (anomaly_id,),
    )


def figures(database: Database, wanted: AnomalyFilter) -> list[Row]:
    """Counts, energy and money: in total, by kind, and by machine, what costs most first.

    Returns:
        Rows of by (`all`, `kind`, `machine`), anomaly_type, machine_id, machine_name, count, open,
        acknowledged, resolved, false_alarms (of the resolved), energy_kwh, cost, currency; the last three
        are None where nothing tells them, money also where currencies differ.
    """
    return database.rows(
        f"""
        SELECT CASE WHEN grouping(a.anomaly_type) = 0 THEN 'kind' WHEN grouping(m.id) = 0 THEN 'machine'
                    ELSE 'all' END AS by,
               a.anomaly_type, m.id AS machine_id, m.name AS machine_name, count(*) AS count,
               count(*) FILTER (WHERE a.state = 'open') AS open,
               count(*) FILTER (WHERE a.state = 'acknowledged') AS acknowledged,
               count(*) FILTER (WHERE NOT {_UNRESOLVED}) AS resolved,
               count(*) FILTER (WHERE a.state = 'false_alarm') AS false_alarms,
               sum(a.energy_kwh) AS energy_kwh,
               CASE WHEN min(a.currency) = max(a.currency) THEN sum(a.cost) END AS cost,
               CASE WHEN min(a.currency) = max(a.currency) THEN min(a.currency) END AS currency
        FROM {_TABLES} WHERE {_where(wanted)} AND {_COUNTED}
        GROUP BY GROUPING SETS ((), (a.anomaly_type), (m.id, m.name))
        ORDER BY 1, cost DESC NULLS LAST, count DESC, a.anomaly_type, m.name, m.id
        """,  # noqa: S608 - names of this module
        vars(wanted),
    )


def _where(wanted: AnomalyFilter) -> str:
    asked = [text for name, text in _CONDITIONS.items() if getattr(wanted, name) is not None]
    return " AND ".join(asked) or "true"


def _page(
    database: Database, where: str, following: str, order: str, limit: int, parameters: dict[str, Any]
) -> tuple[int, list[Row]]:
    count = database.row(f"SELECT count(*) AS n FROM {_TABLES} WHERE {where}", parameters)  # noqa: S608 - names of this module
    page = database.rows(
        f"SELECT {_ANOMALY} FROM {_TABLES} WHERE {where} AND {following} ORDER BY {order} LIMIT %(limit)s",  # noqa: S608 - names of this module
        parameters | {"limit": limit},
    )
    return (count["n"] if count else 0), page
