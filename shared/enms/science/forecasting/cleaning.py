"""Days that would poison what comes after them: stops that are over, and the level before a lasting change.

A stop that still goes on is left as it is: that the load stands still is the best that is known of the next
hours. After some days it is the new level; once the load is back, it is taken out.
"""

from dataclasses import dataclass, replace

import numpy as np

from enms.science.arrays import Flags, Positions, Values
from enms.science.baseline.calendar import date_of
from enms.science.forecasting.filling import filled
from enms.science.forecasting.window import Window

# A day below this share of what is usual stands still.
STOPPED_SHARE = 0.4
# Days that are usually below this share of the usual day's mean tell nothing of stops.
_WORKING_SHARE = 0.4
# A level that has lasted so many working days is the new one.
_ADOPTED_DAYS = 5
# Days that the former level has to have.
_LEAST_BEFORE_DAYS = 10
# A change of level is at least by this factor, and so many of the days on each side are on their side of it.
_CHANGE = 1.5
_ON_THEIR_SIDE = 0.85
# A subject that stands still on more days than these does so by nature.
_MOST_STOPPED_SHARE = 0.25
_WEIGHT_OF_FORMER_LEVEL = 0.5
_LEAST_DAYS = 14
_TOLD_DAYS = 5


@dataclass(frozen=True)
class Cleaned:
    """A window to learn from.

    Attributes:
        window: Stops weigh nothing and hold what is usual; a former level is moved to the lasting one.
        stopped_days: Local days since 1970 that stood still, ascending.
        changed_on: Local day since 1970 on which a lasting new level began; None: none did.
    """

    window: Window
    stopped_days: Positions
    changed_on: int | None

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done, in plain words."""
        found: list[str] = []
        if self.changed_on is not None:
            since = date_of(self.changed_on).isoformat()
            found.append(f"The load has been at another level since {since}: what was before is moved to it.")
        if len(self.stopped_days):
            days = ", ".join(date_of(day).isoformat() for day in self.stopped_days[-_TOLD_DAYS:].tolist())
            count = len(self.stopped_days)
            last = "" if count <= _TOLD_DAYS else f", the last {_TOLD_DAYS}"
            found.append(f"Days on which it stood still are not learned from: {count}{last} ({days}).")
        return tuple(found)


def cleaned(window: Window) -> Cleaned:
    """Takes out of a past what says nothing of the steps to come.

    Only what lies before the window's end is looked at.
    """
    if len(window) < _LEAST_DAYS * window.steps_per_day:
        return Cleaned(window, np.zeros(0, dtype=np.int64), None)
    days = Days(window)
    changed = _change_of_level(days)
    if changed is not None:
        window = _on_new_level(window, days, changed)
        days = Days(window)
    stopped = _stops(days)
    steps = np.isin(days.of_step, days.numbers[stopped])
    weights = np.where(steps, 0.0, window.weights)
    return Cleaned(
        replace(window, power_kw=filled(window.power_kw, ~steps, window.steps_per_day), weights=weights),
        days.numbers[stopped],
        None if changed is None else int(days.numbers[changed]),
    )


class Days:
    """Local days against what is usual on their weekday.

    Attributes:
        of_step: The local day of each past step, shape (n,).
        numbers: Local days since 1970, ascending, shape (d,).
        works: Days of which something is known, on whose weekday work is usual.
        ratio: Mean power by what is usual, NaN on days that don't work.
    """

    def __init__(self, window: Window) -> None:
        past = len(window)
        self.of_step: Positions = window.steps[:past] // window.steps_per_day
        self.numbers, place = np.unique(self.of_step, return_inverse=True)
        usual_kw = _usual(window)
        known = window.weights > 0
        actual_kw = _mean_by(place, window.power_kw, known)
        usual_kw = _mean_by(place, usual_kw, known)
        typical_kw = float(np.nanmean(usual_kw)) if known.any() else 0.0
        self.works: Flags = np.nan_to_num(usual_kw) > _WORKING_SHARE * typical_kw
        self.ratio = np.where(self.works, actual_kw / np.where(self.works, usual_kw, 1.0), np.nan)


def _usual(window: Window) -> Values:
    """Median of the same step in all weeks, shape (n,)."""
    past, week = len(window), window.week
    lead = int(window.step_of_week[0])
    rows = -(-(lead + past) // week)
    laid = np.full(rows * week, np.nan)
    laid[lead : lead + past] = np.where(window.weights > 0, window.power_kw, np.nan)
    table = laid.reshape(rows, week)
    some = ~np.isnan(table).all(axis=0)
    usual = np.full(week, np.nan)
    usual[some] = np.nanmedian(table[:, some], axis=0)
    by_step: Values = usual[window.step_of_week[:past]]
    return by_step


def _mean_by(place: Positions, values: Values, known: Flags) -> Values:
    known = known & ~np.isnan(values)
    counts = np.bincount(place[known], minlength=place[-1] + 1)
    sums = np.bincount(place[known], weights=values[known], minlength=place[-1] + 1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _change_of_level(days: Days) -> int | None:
    """The first day of the level that lasts to the end; None where there is one level only."""
    work = np.flatnonzero(days.works)
    ratio = days.ratio[work]
    best: tuple[float, int] | None = None
    for at in range(_LEAST_BEFORE_DAYS, len(work) - _ADOPTED_DAYS + 1):
        before, after = float(np.median(ratio[:at])), float(np.median(ratio[at:]))
        if before <= 0 or 1 / _CHANGE < after / before < _CHANGE:
            continue
        middle = np.sqrt(before * max(after, 0.01 * before))
        right = (
            float(np.mean((ratio[:at] > middle) == (before > after))),
            float(np.mean((ratio[at:] > middle) == (after > before))),
        )
        if min(right) >= _ON_THEIR_SIDE and (best is None or sum(right) > best[0]):
            best = sum(right), int(work[at])
    return None if best is None else best[1]


def _on_new_level(window: Window, days: Days, changed: int) -> Window:
    before = np.arange(len(days.numbers)) < changed
    factor = np.nanmedian(days.ratio[~before]) / np.nanmedian(days.ratio[before])
    former = days.of_step < days.numbers[changed]
    return replace(
        window,
        power_kw=np.where(former, factor * window.power_kw, window.power_kw),
        weights=np.where(former, _WEIGHT_OF_FORMER_LEVEL * window.weights, window.weights),
    )


def _stops(days: Days) -> Flags:
    """Days that stood still before the load came back, if that is not what they often do."""
    stopped: Flags = np.nan_to_num(days.ratio, nan=1.0) < STOPPED_SHARE
    if np.count_nonzero(stopped) > _MOST_STOPPED_SHARE * np.count_nonzero(days.works):
        return np.zeros_like(stopped)
    back = np.flatnonzero(days.works & ~stopped)
    over: Flags = np.arange(len(stopped)) < (back[-1] if len(back) else 0)
    return stopped & over
