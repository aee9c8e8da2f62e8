"""What of a machine's past load looks as if it could run at another time: an assumption, with its reason.

Two patterns are looked for. Batches: runs of half an hour to six hours whose start has varied from day to day
may start at any time at which they did. Longer shifts: a small share of the power above the base may wait
inside the shift. A load that hardly changes offers nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Flags, Positions, Values
from enms.science.baseline.calendar import LocalTime

QUARTERS_OF_DAY = 96
_LEAST_DAYS = 5
# Batches may be short: an hour a day is a twentieth of it.
_BASE_PERCENT, _HIGH_PERCENT = 20, 98
_LEAST_SWING = 0.15
_LEAST_SWING_KW = 0.5
_SHORTEST_BATCH, _LONGEST_BATCH = 2, 24
_LEAST_VARIATION = 2  # quarters between the first and the last tenth of starts
_MOST_BATCHES_A_DAY = 4
_LEAST_SHARE_OF_DAYS = 0.5
_SHARE_OF_SHIFT = 0.15
_SHARE_QUARTERS, _SHARE_MIN_RUN = 8, 2


@dataclass(frozen=True)
class Movable:
    """A part of a machine's load on a day.

    Attributes:
        power_kw: Its power.
        length: Quarters that it takes.
        first: The first quarter of the day in which it may run.
        last: The quarter of the day after the last, above 96 past midnight.
        usual: Where it usually starts.
        is_share: A share of a shift, which may pause; else a whole batch.
        days: On how many days of the past its pattern was seen.
        of_days: Of how many.
    """

    power_kw: float
    length: int
    first: int
    last: int
    usual: int
    is_share: bool
    days: int
    of_days: int


def movable(
    power_kw: Values, local: LocalTime, quarter_of_day: Positions, *, on_weekends: bool
) -> list[Movable]:
    """Parts of a load that could move on a working day, or on a day of the weekend.

    Args:
        power_kw: Mean power of quarter hours, NaN where unknown, shape (n,).
        local: Their starts by the factory's clock.
        quarter_of_day: The quarter of the local day, 0 to 95, shape (n,).
        on_weekends: Which days are looked at.
    """
    known = power_kw[~np.isnan(power_kw)]
    if not len(known):
        return []
    base_kw, high_kw = np.percentile(known, [_BASE_PERCENT, _HIGH_PERCENT])
    swing_kw = high_kw - base_kw
    if swing_kw < max(_LEAST_SWING * high_kw, _LEAST_SWING_KW):
        return []
    wanted = (local.weekdays >= 5) == on_weekends
    days = np.unique(local.days[wanted & ~np.isnan(power_kw)])
    if len(days) < _LEAST_DAYS - 3 * on_weekends:
        return []
    is_on = np.nan_to_num(power_kw) > base_kw + swing_kw / 2
    runs = [run for run in _runs(is_on) if wanted[run[0]]]
    if not runs:
        return []
    lengths = np.array([last - first for first, last in runs])
    if np.median(lengths) <= _LONGEST_BATCH:
        return list(_batches(runs, power_kw - base_kw, local, quarter_of_day, len(days)))
    return _share(runs, float(swing_kw), local, quarter_of_day, len(days))


def _batches(
    runs: list[tuple[int, int]], above_kw: Values, local: LocalTime, quarter_of_day: Positions, days: int
) -> Iterator[Movable]:
    """The first, second … run of a day, if it is seen on most days and its start has varied."""
    by_order: dict[int, list[tuple[int, int, float]]] = {}
    order, day = 0, None
    for first, last in runs:
        order = order + 1 if local.days[first] == day else 0
        day = local.days[first]
        power = float(above_kw[first:last].mean())
        by_order.setdefault(order, []).append((int(quarter_of_day[first]), last - first, power))
    done = 0
    for order in range(_MOST_BATCHES_A_DAY):
        seen = by_order.get(order, [])
        if len(seen) < _LEAST_SHARE_OF_DAYS * days:
            return
        starts, lengths, powers = (np.array(each) for each in zip(*seen, strict=True))
        length = int(np.median(lengths))
        first, usual, final = (int(each) for each in np.percentile(starts, [10, 50, 90]))
        # Medians of several runs may overlap; a machine's runs don't.
        usual = max(usual, done)
        if length >= _SHORTEST_BATCH and final - first >= _LEAST_VARIATION and usual <= final:
            power_kw = float(np.median(powers))
            yield Movable(power_kw, length, first, final + length, usual, False, len(seen), days)
            done = usual + length


def _share(
    runs: list[tuple[int, int]], swing_kw: float, local: LocalTime, quarter_of_day: Positions, days: int
) -> list[Movable]:
    """A share of the longest run of each day, inside the hours that most days have."""
    longest: dict[int, tuple[int, int]] = {}
    for first, last in runs:
        day = int(local.days[first])
        start = int(quarter_of_day[first])
        if last - first > longest.get(day, (0, 0))[1]:
            longest[day] = (start, last - first)
    starts, lengths = (np.array(each) for each in zip(*longest.values(), strict=True))
    first = int(np.median(starts))
    last = first + min(int(np.median(lengths)), QUARTERS_OF_DAY)
    if last - first < 2 * _SHARE_QUARTERS or len(longest) < _LEAST_SHARE_OF_DAYS * days:
        return []
    usual = first + (last - first - _SHARE_QUARTERS) // 2
    part = Movable(_SHARE_OF_SHIFT * swing_kw, _SHARE_QUARTERS, first, last, usual, True, len(longest), days)
    return [part]


def min_run(part: Movable) -> int:
    """How many quarters it runs at least between two pauses."""
    return _SHARE_MIN_RUN if part.is_share else part.length


def _runs(is_on: Flags) -> list[tuple[int, int]]:
    """First place and the place after the last of each run."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_on.astype(np.int8), [0]])))
    return [(first, last) for first, last in edges.reshape(-1, 2).tolist()]
