"""Why something that was found isn't raised: a planned stop, or people who know it for a false alarm."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from uuid import UUID

from enms.database import feedback, suppressions
from enms.database.connection import Connection, Row
from enms.services.anomaly_feedback import Pattern, moment
from enms.services.anomaly_matching import length
from enms.services.anomaly_shapes import Answer

# What lasts for so long outside a planned stop isn't due to it.
_MOST_OUTSIDE = timedelta(hours=4)
_HOUR = timedelta(hours=1)


@dataclass
class Holding:
    """What holds episodes of a machine back; read when it is first needed.

    Attributes:
        connection: The database, in a transaction.
        machine_id: The machine.
        energy_type: The carrier.
        zone: The factory's zone.
    """

    connection: Connection
    machine_id: UUID
    energy_type: str
    zone: str

    @cached_property
    def _learned(self) -> list[tuple[Row, Pattern]]:
        found = feedback.of_machine(self.connection, self.machine_id, self.energy_type)
        return [(row, Pattern.from_dict(row["pattern"])) for row in found]

    def by_plan(self, found: Row) -> Answer | None:
        """Whether a planned stop accounts for most of it."""
        stops = suppressions.overlapping(
            self.connection, self.machine_id, found["detected_at"], found["last_seen_at"]
        )
        inside = _inside(found, stops)
        outside = length(found) - inside
        if not stops or outside >= min(length(found) / 2, _MOST_OUTSIDE):
            return None
        stop = stops[0]
        reason = (
            f"{inside / _HOUR:.3g} of its {length(found) / _HOUR:.3g} h lie in the planned stop from "
            f"{moment(stop['start_at'], self.zone)} to {moment(stop['end_at'], self.zone)} "
            f"({stop['reason']}), which {stop['actor']} entered."
        )
        return _held(found, "suppressed", reason, suppression_id=stop["id"])

    def as_known(self, found: Row, false_alarm: Row) -> Answer | None:
        """Whether it is a false alarm that was resolved, no larger than it was then."""
        pattern = next((p for row, p in self._learned if row["anomaly_id"] == false_alarm["id"]), None)
        if pattern is None or not pattern.is_no_smaller_than(found):
            return None
        reason = (
            f"{false_alarm['resolved_by']} resolved it as a false alarm on "
            f"{moment(false_alarm['resolved_at'], self.zone)}, and it is no larger than it was then."
        )
        return _held(found, "false_alarm", reason, anomaly_id=false_alarm["id"])

    def as_like(self, found: Row) -> Answer | None:
        """Whether it is like a false alarm of this machine."""
        like = next(((row, p) for row, p in self._learned if p.holds(found, self.zone)), None)
        if like is None:
            return None
        row, pattern = like
        reason = (
            f"It is like what {row['actor']} resolved as a false alarm on "
            f"{moment(row['created_at'], self.zone)}: {pattern.words()}."
        )
        return _held(found, "like_false_alarm", reason, anomaly_id=row["anomaly_id"])


def _inside(found: Row, stops: Sequence[Row]) -> timedelta:
    """The time that lies in planned stops, which may overlap."""
    inside, until = timedelta(), found["detected_at"]
    for stop in stops:
        start, end = max(stop["start_at"], until), min(stop["end_at"], found["last_seen_at"])
        inside += max(end - start, timedelta())
        until = max(until, end)
    return inside


def _held(
    found: Row,
    code: str,
    reason: str,
    *,
    anomaly_id: UUID | None = None,
    suppression_id: UUID | None = None,
) -> Answer:
    told = ("detected_at", "ended_at", "anomaly_type", "severity", "metric_name", "deviation_percent")
    return {name: found[name] for name in told} | {
        "code": code,
        "reason": reason,
        "anomaly_id": anomaly_id,
        "suppression_id": suppression_id,
    }
