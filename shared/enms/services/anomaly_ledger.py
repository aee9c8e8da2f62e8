"""The stored episodes of a machine while what was found is entered among them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from enms.database import anomalies
from enms.database.anomalies import Event
from enms.database.connection import Connection, Row
from enms.services.anomaly_found import Detection, told
from enms.services.anomaly_growth import continued, grown, happened, part_from
from enms.services.anomaly_holding import Holding
from enms.services.anomaly_matching import Match, is_own, match

_MERGED = "It turned out to be part of an episode that began earlier."
# What goes on for so long after it was resolved as fixed isn't fixed.
_STILL_THERE = timedelta(hours=24)


class Ledger:
    """What is known of a machine's episodes; nothing is written before `write`.

    Attributes:
        found: What was found, as rows, by start.
        kept: Ids of the episodes that were found, new ones included.
        held_back: What isn't raised.
    """

    def __init__(self, connection: Connection, detection: Detection, found: Sequence[Row]) -> None:
        self.found = sorted(found, key=lambda each: (each["detected_at"], each["last_seen_at"]))
        self.kept: dict[UUID, None] = {}
        self.held_back: list[Row] = []
        self._connection = connection
        self._detection = detection
        self._join = timedelta(seconds=detection.join_seconds)
        machine = detection.machine
        self._holding = Holding(connection, machine.id, detection.energy_type, machine.timezone)
        start = min([detection.start, *(each["detected_at"] for each in found)]) - self._join
        end = max([detection.end, *(each["last_seen_at"] for each in found)]) + self._join
        stored = anomalies.near(connection, machine.id, detection.energy_type, start, end)
        self._before = {row["id"]: row for row in stored}
        self._now = dict(self._before)
        self._merged: dict[UUID, UUID] = {}
        self._seen: set[UUID] = set()

    def take_all(self) -> None:
        """Enters each episode as the one that it is, as a new one, or as one that isn't raised."""
        stored = self._stored()
        # What was known as such first: the others don't pass for it then.
        for found in sorted(
            self.found, key=lambda each: not any(is_own(row, each, self._join) for row in stored)
        ):
            self._take(found)

    def _take(self, found: Row) -> None:
        matched = match(self._stored(), found, self._join, self._seen)
        if matched.unresolved:
            self._extend(matched, found)
            return
        new: Row | None = found
        if matched.resolved:
            self._seen |= {each["id"] for each in matched.resolved}
            new = self._beyond(max(matched.resolved, key=lambda each: each["resolved_at"]), found)
        if new is not None:
            self._open(new)

    def end_what_is_over(self) -> None:
        """Notes the end of what goes on no longer: it wasn't found, and could have been."""
        for row in self._stored():
            goes_on = row["ended_at"] is None and row["id"] not in self._seen
            if goes_on and row["last_seen_at"] + self._join <= self._detection.end:
                self._now[row["id"]] = row | {"ended_at": row["last_seen_at"]}

    def write(self) -> None:
        """Writes what has changed, and what happened."""
        changed = [told(row) for key, row in self._now.items() if row is not self._before.get(key)]
        anomalies.write(self._connection, changed)
        if self._merged:
            anomalies.close_merged(self._connection, self._merged, _MERGED)
        events = [event for row in changed for event in self._events(row)]
        events += [
            Event(part, "resolved", self._detection.actor, _MERGED, {"merged_into": whole})
            for part, whole in self._merged.items()
        ]
        anomalies.note(self._connection, events)

    def _stored(self) -> list[Row]:
        rows = (row for key, row in self._now.items() if key not in self._merged)
        return sorted(rows, key=lambda each: (each["detected_at"], str(each["id"])))

    def _extend(self, matched: Match, found: Row) -> None:
        first, *others = matched.unresolved
        begins = [
            each["last_seen_at"] for each in matched.resolved if each["last_seen_at"] <= first["detected_at"]
        ]
        if begins and max(begins) > found["detected_at"]:
            found = part_from(found, max(begins))
        may_worsen = found["severity"] == first["severity"] or self._holding.by_plan(found) is None
        for other in others:
            first = grown(first, other, may_worsen=may_worsen)
            self._merged[other["id"]] = first["id"]
        self._now[first["id"]] = grown(first, found, may_worsen=may_worsen)
        self._keep(first["id"])

    def _beyond(self, resolved: Row, found: Row) -> Row | None:
        """What of an episode is more than one that was resolved; None where it is no more than that."""
        if resolved["state"] == "false_alarm":
            held = self._holding.as_known(found, resolved)
            if held is not None:
                self.held_back.append(held)
                self._now[resolved["id"]] = continued(resolved, found)
                return None
            goes_on = found["last_seen_at"] > resolved["last_seen_at"] > found["detected_at"]
            return part_from(found, resolved["last_seen_at"]) if goes_on else found
        if (
            resolved["state"] == "resolved"
            and found["last_seen_at"] >= resolved["resolved_at"] + _STILL_THERE
        ):
            return part_from(found, max(resolved["resolved_at"], resolved["last_seen_at"]))
        if resolved["state"] == "expected":
            self._now[resolved["id"]] = continued(resolved, found)
        self.kept[resolved["id"]] = None
        return None

    def _open(self, found: Row) -> None:
        held = self._holding.by_plan(found) or self._holding.as_like(found)
        if held is not None:
            self.held_back.append(held)
            return
        row = found | {"id": uuid4(), "state": "open", "resolved_at": None, "resolved_by": None}
        self._now[row["id"]] = row
        self._keep(row["id"])

    def _keep(self, anomaly_id: UUID) -> None:
        self.kept[anomaly_id] = None
        self._seen.add(anomaly_id)

    def _events(self, row: Row) -> list[Event]:
        actor = self._detection.actor
        before = self._before.get(row["id"])
        if before is None:
            return [Event(row["id"], "opened", actor, row["metadata"]["summary"], _opening(row))]
        return happened(before, row, actor)


def _opening(row: Row) -> dict[str, Any]:
    return {
        name: row[name]
        for name in ("severity", "anomaly_type", "detected_at", "ended_at", "detector_id", "run_id")
    }
