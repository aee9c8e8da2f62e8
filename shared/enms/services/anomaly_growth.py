"""What becomes of a stored episode when it is found again: longer, worse, over, never less."""

from datetime import datetime, timedelta
from typing import Any

from enms.database.anomalies import Event
from enms.database.connection import Row
from enms.services.anomaly_matching import length

_RANK = {"normal": 0, "warning": 1, "critical": 2}
# What tells of the whole episode, and so is taken from a look that saw all of it.
_FIGURES = (
    "anomaly_type", "metric_name", "metric_value", "expected_value", "deviation_percent", "deviation_std_dev",
    "detection_method", "confidence_score", "false_alarms_per_week", "energy_kwh", "cost", "currency",
    "metadata",
)  # fmt: skip
_LARGEST_SLACK = timedelta(hours=2)


def grown(stored: Row, found: Row, *, may_worsen: bool = True) -> Row:
    """A stored episode and what was found of it, as one; the same however often it is done.

    Args:
        stored: The episode.
        found: What was found of it.
        may_worsen: Whether its severity may rise.
    """
    result = stored | {
        "detected_at": min(stored["detected_at"], found["detected_at"]),
        "last_seen_at": max(stored["last_seen_at"], found["last_seen_at"]),
        "ended_at": _ended_at(stored, found),
        "is_lasting": stored["is_lasting"] or found["is_lasting"],
    }
    if may_worsen and _RANK[found["severity"]] > _RANK[stored["severity"]]:
        result["severity"] = found["severity"]
    if _is_seen_whole(stored, found):
        result |= {name: found[name] for name in _FIGURES}
    else:
        result |= _with_what_is_new(stored, found)
    return result


def continued(resolved: Row, found: Row) -> Row:
    """A resolved episode that goes on as people judged it: longer, so that it is known in a month too."""
    return resolved | {
        "last_seen_at": max(resolved["last_seen_at"], found["last_seen_at"]),
        "ended_at": _ended_at(resolved, found),
    }


def happened(before: Row, after: Row, actor: str) -> list[Event]:
    """What a change of an episode means to people; that it just goes on isn't worth a line."""
    anomaly_id = before["id"]
    events = []
    if after["severity"] != before["severity"]:
        detail: dict[str, Any] = {"from": before["severity"], "to": after["severity"]}
        events.append(Event(anomaly_id, "worsened", actor, detail=detail))
    extended = _extended(before, after)
    if extended:
        events.append(Event(anomaly_id, "extended", actor, detail=extended))
    if after["ended_at"] is not None and before["ended_at"] is None:
        events.append(Event(anomaly_id, "ended", actor, detail={"ended_at": after["ended_at"]}))
    return events


def part_from(found: Row, start: datetime) -> Row:
    """The part of a found episode from an instant on, with its share of energy and money."""
    share = (found["last_seen_at"] - start) / length(found)
    return found | {"detected_at": start} | {
        name: None if found[name] is None else found[name] * share for name in ("energy_kwh", "cost")
    }  # fmt: skip


def _extended(before: Row, after: Row) -> dict[str, Any]:
    names = ("detected_at", "anomaly_type", "is_lasting")
    detail: dict[str, Any] = {name: after[name] for name in names if after[name] != before[name]}
    if before["ended_at"] is not None and after["last_seen_at"] > before["ended_at"]:
        detail["last_seen_at"] = after["last_seen_at"]
    return detail


def _ended_at(stored: Row, found: Row) -> datetime | None:
    before: datetime | None = stored["ended_at"]
    now: datetime | None = found["ended_at"]
    if found["last_seen_at"] > stored["last_seen_at"]:
        return now
    if found["last_seen_at"] == stored["last_seen_at"]:
        return before or now
    return before


def _is_seen_whole(stored: Row, found: Row) -> bool:
    """Whether the look saw all of it; where a long one begins is seen a little differently each time."""
    slack = min(length(stored) / 4, _LARGEST_SLACK)
    return bool(
        found["detected_at"] <= stored["detected_at"] + slack
        and found["last_seen_at"] >= stored["last_seen_at"]
    )


def _with_what_is_new(stored: Row, found: Row) -> Row:
    """Energy and money of both, those of the time that wasn't seen before by its share of what was found."""
    new = max(stored["detected_at"] - found["detected_at"], timedelta()) + max(
        found["last_seen_at"] - stored["last_seen_at"], timedelta()
    )
    share = min(new / length(found), 1.0)
    result = {}
    if found["energy_kwh"] is not None and share:
        result["energy_kwh"] = (stored["energy_kwh"] or 0.0) + share * found["energy_kwh"]
    is_comparable = stored["cost"] is None or stored["currency"] == found["currency"]
    if found["cost"] is not None and share and is_comparable:
        result["cost"] = (stored["cost"] or 0.0) + share * found["cost"]
        result["currency"] = found["currency"]
    return result
