"""Which stored episode a found one is: the same trouble is found again and again, and is one episode."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from enms.database.connection import Row
from enms.services.anomaly_shapes import UNRESOLVED

_FAMILIES: Mapping[str, str] = {
    "power_spike": "more power",
    "efficiency_drop": "more power",
    "baseload_increase": "more power",
    "power_drop": "less power",
}
# What a rule sees of the data has no cause in common with what the machine does.
_OF_THE_DATA = ("sensor_fault", "data_gap")
_SAME_BEGINNING = timedelta(hours=4)


@dataclass(frozen=True)
class Match:
    """Stored episodes that a found one is, or is part of.

    Attributes:
        unresolved: Those that it extends; the first of them is the one that stays.
        resolved: Those that people have dealt with.
    """

    unresolved: tuple[Row, ...]
    resolved: tuple[Row, ...]


def family(episode: Row) -> str:
    """What an episode is joined with: as it grows, a spike may turn out to be a drop of efficiency."""
    kind: str = episode["anomaly_type"]
    if kind == "sensor_fault":
        return f"{kind} {episode['metric_name']}"
    return _FAMILIES.get(kind, kind)


def match(stored: Sequence[Row], found: Row, join: timedelta, claimed: Collection[UUID]) -> Match:
    """The stored episodes that a found one is the same as.

    Those of its family that it overlaps or adjoins are; failing that one of another family that has its
    cause in common, as far as time tells. What began after a resolution is nothing that was resolved.

    Args:
        stored: Episodes of the machine, by their start.
        found: What was found.
        join: Stretches of a family no further apart are one.
        claimed: Ids of those that were found by another family beside this one: they are not the same.
    """
    before = [each for each in stored if is_unresolved(each) or found["detected_at"] < _known_until(each)]
    own = [each for each in before if is_own(each, found, join)]
    related = [
        each
        for each in before
        if each not in own and each["id"] not in claimed and _has_same_cause(each, found)
    ]
    unresolved = [each for each in own if is_unresolved(each)]
    if not unresolved:
        unresolved = sorted((e for e in related if is_unresolved(e)), key=lambda each: gap(each, found))[:1]
    return Match(tuple(unresolved), tuple(e for e in (*own, *related) if not is_unresolved(e)))


def _known_until(resolved: Row) -> datetime:
    """Until when it is what people dealt with: its resolution, or longer where it went on as known."""
    until: datetime = max(resolved["resolved_at"], resolved["last_seen_at"])
    return until


def is_own(stored: Row, found: Row, join: timedelta) -> bool:
    """Whether it is of the same family, and overlaps or adjoins."""
    return family(stored) == family(found) and gap(stored, found) <= join


def is_unresolved(episode: Row) -> bool:
    """Whether nobody has dealt with it yet."""
    return episode["state"] in UNRESOLVED


def gap(one: Row, other: Row) -> timedelta:
    """The time between two episodes; negative where they overlap."""
    begins: timedelta = max(one["detected_at"], other["detected_at"]) - min(
        one["last_seen_at"], other["last_seen_at"]
    )
    return begins


def length(episode: Row) -> timedelta:
    """How long it has been seen."""
    seen: timedelta = episode["last_seen_at"] - episode["detected_at"]
    return seen


def _has_same_cause(stored: Row, found: Row) -> bool:
    """Whether two of different families tell of one thing; `science.anomalies.spans` has the same rule.

    What people have dealt with stands for another family only where the two are hard to tell apart.
    """
    overlap = -gap(stored, found)
    if overlap <= timedelta() or any(each["anomaly_type"] in _OF_THE_DATA for each in (stored, found)):
        return False
    longer, shorter = max(length(stored), length(found)), min(length(stored), length(found))
    began_together = abs(stored["detected_at"] - found["detected_at"]) <= _SAME_BEGINNING
    covers = 2 * overlap >= longer
    is_vague = "unusual_pattern" in (stored["anomaly_type"], found["anomaly_type"])
    if not is_unresolved(stored):
        return began_together and covers
    return began_together or covers or (is_vague and 2 * overlap >= shorter)
