"""Where and when the demo's machines go wrong, drawn at random: all kinds, three sizes, none on another.

A fault is placed where it has an effect: one of efficiency while the machine works, a standby at night.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np

from enms.science.arrays import Flags, Positions
from enms_local.demo.faults import KINDS, Fault
from enms_local.demo.plant import TIMEZONE

MINUTES_PER_DAY = 1440
ZONE = ZoneInfo(TIMEZONE)
SIZES: Mapping[str, tuple[float, float]] = {"small": (0.07, 0.15), "medium": (0.15, 0.3), "large": (0.3, 0.6)}
SIZELESS = ("stuck", "gap", "outage")
PER_MACHINE = 6
APART = timedelta(hours=24)

_TRIES = 400
_LAYOUTS = 40
_FORMER_KINDS = tuple(KINDS)
_MIDWEEK = (0, 1, 2)
_LAST_WORKDAY = 4


@dataclass(frozen=True)
class Window:
    """Minutes of a machine in which faults may lie.

    Attributes:
        minutes: Minutes since 1970 (UTC).
        is_running: Where the machine runs.
    """

    minutes: Positions
    is_running: Flags

    def share_running(self, fault: Fault) -> float:
        """Share of the fault's time in which the machine runs."""
        return float(self.is_running[fault.covers(self.minutes)].mean())

    def hours_running(self, fault: Fault) -> float:
        """Hours of the fault in which the machine runs."""
        return float(self.is_running[fault.covers(self.minutes)].sum()) / 60

    def part(self, first: int, end: int) -> Self:
        """The minutes of [first, end)."""
        inside = (self.minutes >= first) & (self.minutes < end)
        return type(self)(self.minutes[inside], self.is_running[inside])

    def runs_at(self, at: datetime) -> bool:
        """Whether the machine runs at an instant of the window."""
        return bool(self.is_running[int(at.timestamp()) // 60 - int(self.minutes[0])])


@dataclass(frozen=True)
class Wanted:
    """A fault that has no time yet.

    Attributes:
        kind: A name of `KINDS`.
        size: Share of the usual load.
    """

    kind: str
    size: float


def wanted_faults(random: np.random.Generator, machines: int) -> list[list[Wanted]]:
    """`PER_MACHINE` faults for each machine: among all machines every kind in every size."""
    pairs = [(kind, size) for kind in KINDS if kind not in SIZELESS for size in SIZES]
    count = machines * PER_MACHINE
    once = [*pairs, *((kind, "medium") for kind in SIZELESS)]
    rounds = [random.permutation(len(once)) for _ in range(-(-count // len(once)))]
    drawn = [once[row] for row in np.concatenate(rounds)[:count]]
    faults = [Wanted(kind, float(random.uniform(*SIZES[size]))) for kind, size in drawn]
    # Dealt like cards, the longest first: no machine has more of them than its month can hold.
    faults.sort(key=lambda each: each.kind != "drift")
    return [faults[first::machines] for first in range(machines)]


def former_faults(random: np.random.Generator) -> list[Wanted]:
    """One or two that nobody marked, as the demo's history has them."""
    kinds = random.choice(_FORMER_KINDS, size=int(random.integers(1, 3)), replace=False)
    return [Wanted(str(kind), float(random.uniform(0.2, 0.5))) for kind in kinds]


def size_class(fault: Fault) -> str | None:
    """`small`, `medium` or `large`; None for a kind to which size means nothing."""
    if fault.kind in SIZELESS:
        return None
    return next((name for name, (low, high) in SIZES.items() if low <= fault.size < high), "large")


def place(random: np.random.Generator, wanted: Sequence[Wanted], window: Window) -> list[Fault]:
    """Times for all of them inside the window, at least `APART` from each other.

    Raises:
        ValueError: The window can't hold them.
    """
    longest_first = sorted(wanted, key=lambda each: each.kind != "drift")
    for _ in range(_LAYOUTS):
        placed: list[Fault] = []
        for each in longest_first:
            found = next(
                (
                    fault
                    for _ in range(_TRIES)
                    if (fault := _drawn(random, each, window)) and _is_apart(fault, placed)
                ),
                None,
            )
            if found is None:
                break
            placed.append(found)
        else:
            return sorted(placed, key=lambda fault: fault.start_at)
    raise ValueError(f"{len(wanted)} faults don't fit into {len(window.minutes) / MINUTES_PER_DAY:g} days")


def _is_apart(fault: Fault, others: Sequence[Fault]) -> bool:
    return all(
        fault.start_at - other.end_at >= APART or other.start_at - fault.end_at >= APART for other in others
    )


_HOURS: Mapping[str, tuple[float, float]] = {
    "spike": (0.5, 2),
    "drop": (1, 4),
    "leak": (6, 48),
    "standby": (6, 9),
    "inefficiency": (8, 48),
    "drift": (48, 96),
    "pressure": (2, 8),
    "overheating": (2, 8),
    "stuck": (3, 8),
    "gap": (3, 10),
    "outage": (3, 10),
}


def _drawn(random: np.random.Generator, wanted: Wanted, window: Window) -> Fault | None:
    """One time for it; None where it would have no effect there, or reach out of the window."""
    first, end = (_instant(int(at)) for at in (window.minutes[0], window.minutes[-1] + 1))
    minutes = round(60 * random.uniform(*_HOURS[wanted.kind]))
    start_at = first + timedelta(minutes=int(random.integers(len(window.minutes))))
    if wanted.kind == "standby":
        start_at = _by_local_clock(start_at, float(random.uniform(20, 23)))
    elif wanted.kind == "drift":
        start_at = _by_local_clock(start_at, float(random.uniform(6, 12)))
    fault = Fault(wanted.kind, start_at, start_at + timedelta(minutes=minutes), wanted.size)
    # An hour is left at either end, where the reading after an outage lies.
    if fault.start_at < first + timedelta(hours=1) or fault.end_at > end - timedelta(hours=1):
        return None
    return fault if _has_effect(fault, window) else None


def _has_effect(fault: Fault, window: Window) -> bool:
    if fault.kind == "drop":
        return window.share_running(fault) >= 0.75
    if fault.kind == "standby":
        return window.share_running(fault) <= 0.35
    if fault.kind == "inefficiency":
        return window.runs_at(fault.start_at) and window.hours_running(fault) >= 6
    if fault.kind == "drift":
        starts, ends = (at.astimezone(ZONE) for at in (fault.start_at, fault.end_at))
        is_in_week = starts.weekday() in _MIDWEEK and ends.weekday() <= _LAST_WORKDAY
        return is_in_week and window.hours_running(fault) >= 24
    return True


def _by_local_clock(at: datetime, hour: float) -> datetime:
    """The same local day at another time."""
    local = at.astimezone(ZONE)
    return local.replace(hour=int(hour), minute=int(hour % 1 * 60)).astimezone(UTC)


def _instant(minute: int) -> datetime:
    return datetime.fromtimestamp(60 * minute, UTC)
