"""Anomalies as they are asked for: the newest, the open ones by cost, a single one, figures of a period."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from uuid import UUID

from enms.database import anomaly_lists
from enms.database.anomaly_lists import AnomalyFilter
from enms.database.connection import Database, Row
from enms.errors import NotFoundError
from enms.services import cursors
from enms.services.anomaly_shapes import Answer, shown
from enms.services.periods import Moment, Period, between, check_order, in_calendar

_USUALLY_RECENT = timedelta(hours=24)
_USUAL_SUMMARY = timedelta(days=30)
_RECENT = "recent"
_ACTIVE = "active"


def recent(database: Database, wanted: AnomalyFilter, limit: int, cursor: str | None) -> Answer:
    """The newest first; of the last 24 hours unless `since` or `until` says otherwise.

    Raises:
        InvalidInputError: The cursor is none of this list.
    """
    if wanted.since is None and wanted.until is None:
        wanted = replace(wanted, since=datetime.now(UTC) - _USUALLY_RECENT)
    after = _after_recent(cursor) if cursor else None
    total, found = anomaly_lists.newest(database, wanted, limit + 1, after)
    return _page(_RECENT, total, found, limit, ("detected_at", "id"))


def active(database: Database, wanted: AnomalyFilter, limit: int, cursor: str | None) -> Answer:
    """Those that nobody resolved, the dearest first.

    Raises:
        InvalidInputError: The cursor is none of this list.
    """
    after = _after_active(cursor) if cursor else None
    total, found = anomaly_lists.dearest(database, wanted, limit + 1, after)
    return _page(_ACTIVE, total, found, limit, ("cost", "severity", "detected_at", "id"))


def one(database: Database, anomaly_id: UUID) -> Answer:
    """One anomaly with its history; its series is added elsewhere.

    Raises:
        NotFoundError: There is none with this id.
    """
    return in_full(database, row_of(database, anomaly_id))


def in_full(database: Database, row: Row) -> Answer:
    """An anomaly's row as it is shown, with its history."""
    return shown(row) | {"history": anomaly_lists.history(database, row["id"])}


def history(database: Database, anomaly_id: UUID) -> Answer:
    """What was done with one, in its order.

    Raises:
        NotFoundError: There is none with this id.
    """
    row_of(database, anomaly_id)
    return {"anomaly_id": anomaly_id, "history": anomaly_lists.history(database, anomaly_id)}


def row_of(database: Database, anomaly_id: UUID) -> Row:
    """One anomaly's row.

    Raises:
        NotFoundError: There is none with this id.
    """
    found = anomaly_lists.by_ids(database, [anomaly_id])
    if not found:
        raise not_found(anomaly_id)
    return found[0]


def not_found(anomaly_id: UUID) -> NotFoundError:
    """The error for an id that no anomaly has."""
    return NotFoundError(
        f"There is no anomaly {anomaly_id}.",
        parameter="anomaly_id",
        given=str(anomaly_id),
        allowed="an anomaly's id",
    )


def summary(
    database: Database,
    machine_id: UUID | None,
    factory_id: UUID | None,
    start: Moment | None,
    end: Moment | None,
) -> Answer:
    """Counts, energy and money by kind and machine, and the share of false alarms by what people said.

    Anomalies count that begin in the period: the last 30 days unless it is given.

    Raises:
        InvalidInputError: The period means nothing.
        NotFoundError: There is no such machine or factory.
    """
    period, zone = _summed_up(database, machine_id, factory_id, start, end)
    found = anomaly_lists.figures(
        database,
        AnomalyFilter(machine_id=machine_id, factory_id=factory_id, since=period.start, until=period.end),
    )
    total = next(row for row in found if row["by"] == "all")
    return {
        "time_period": {
            "start": period.start,
            "end": period.end,
            "hours": period.hours,
            "timezone": zone,
        },
        "count": total["count"],
        "open": total["open"],
        "acknowledged": total["acknowledged"],
        "resolved": total["resolved"],
        "false_alarms": total["false_alarms"],
        "false_alarm_rate": total["false_alarms"] / total["resolved"] if total["resolved"] else None,
        "energy_kwh": total["energy_kwh"],
        "cost": total["cost"],
        "currency": total["currency"],
        "by_kind": _figures(found, "kind", ("anomaly_type",)),
        "by_machine": _figures(found, "machine", ("machine_id", "machine_name")),
    }


def _figures(found: Iterable[Row], by: str, names: tuple[str, ...]) -> list[Answer]:
    wanted = (*names, "count", "open", "false_alarms", "energy_kwh", "cost", "currency")
    return [{name: row[name] for name in wanted} for row in found if row["by"] == by]


def _summed_up(
    database: Database,
    machine_id: UUID | None,
    factory_id: UUID | None,
    start: Moment | None,
    end: Moment | None,
) -> tuple[Period, str]:
    """The period, and the zone in which its days are days."""
    last = end or datetime.now(UTC)
    first = start or last - _USUAL_SUMMARY
    if machine_id:
        subject, period = in_calendar(database, "machine", machine_id, first, last)
        return period, subject.timezone
    if factory_id:
        subject, period = in_calendar(database, "factory", factory_id, first, last)
        return period, subject.timezone
    check_order(first, last)
    return between(_instant(first), _instant(last, is_end=True), first, last), "UTC"


def _instant(moment: Moment, *, is_end: bool = False) -> datetime:
    if isinstance(moment, datetime):
        return moment
    day: date = moment + timedelta(days=1) if is_end else moment
    return datetime.combine(day, clock(), UTC)


def _page(name: str, total: int, found: list[Row], limit: int, key: tuple[str, ...]) -> Answer:
    page = found[:limit]
    has_more = len(found) > limit
    return {
        "total_count": total,
        "next_cursor": cursors.encode(name, [page[-1][each] for each in key]) if has_more else None,
        "anomalies": [shown(row) for row in page],
    }


def _after_recent(cursor: str) -> tuple[datetime, UUID]:
    detected_at, anomaly_id = cursors.decode(_RECENT, cursor, 2)
    try:
        return datetime.fromisoformat(detected_at), UUID(anomaly_id)
    except (TypeError, ValueError, AttributeError):
        raise cursors.refused(cursor) from None


def _after_active(cursor: str) -> tuple[float | None, str, datetime, UUID]:
    cost, severity, detected_at, anomaly_id = cursors.decode(_ACTIVE, cursor, 4)
    try:
        if severity not in ("normal", "warning", "critical"):
            raise ValueError(severity)
        return (
            None if cost is None else float(cost),
            severity,
            datetime.fromisoformat(detected_at),
            UUID(anomaly_id),
        )
    except (TypeError, ValueError, AttributeError):
        raise cursors.refused(cursor) from None
