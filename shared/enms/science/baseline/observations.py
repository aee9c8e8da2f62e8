"""What a baseline is fitted to: energy and drivers by interval."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Self

import numpy as np

from enms.science.arrays import Flags, Positions, Values
from enms.science.baseline.names import Interval as Interval

# A level that occurs less often can't be told from chance.
LEAST_PER_LEVEL = 2
INTERVALS_PER_DAY: Mapping[Interval, int] = {"hour": 24, "day": 1}


def collect_more(missing: float, interval: Interval) -> str:
    """What to do about intervals that are missing: `collect 4 more days`."""
    days = ceil(missing / INTERVALS_PER_DAY[interval])
    return f"collect {days} more {'day' if days == 1 else 'days'}"


@dataclass(frozen=True)
class Category:
    """A variable with named levels.

    Attributes:
        levels: The names there can be.
        codes: Index into `levels` of each interval, of the longest where it has several; -1 where it isn't
            known.
        hours: How long each interval has each level, n × levels; None where it has one throughout.
    """

    levels: tuple[str, ...]
    codes: Positions
    hours: Values | None = None

    @property
    def varies(self) -> bool:
        """Whether not all intervals are the same."""
        values = self.codes if self.hours is None else self.hours
        return bool((values != values[:1]).any())

    def occurrences(self) -> Positions:
        """In how many intervals each level occurs."""
        if self.hours is None:
            counts: Positions = np.bincount(self.codes[self.codes >= 0], minlength=len(self.levels))
        else:
            counts = (self.hours[self.codes >= 0] > 0).sum(axis=0)
        return counts

    def is_rare(self) -> Flags:
        """Which intervals have a level that can't be learned from, as it occurs too seldom."""
        rare = self.occurrences() < LEAST_PER_LEVEL
        if self.hours is None:
            return np.append(rare, False)[self.codes]
        found: Flags = (self.hours[:, rare] > 0).any(axis=1)
        return found

    def totals(self) -> Values:
        """How much there is of each level: intervals, or hours where an interval has several."""
        if self.hours is None:
            return self.occurrences().astype(np.float64)
        totals: Values = self.hours[self.codes >= 0].sum(axis=0)
        return totals

    def take(self, rows: Flags | Positions) -> Self:
        """The same of some intervals."""
        return type(self)(self.levels, self.codes[rows], None if self.hours is None else self.hours[rows])


@dataclass(frozen=True)
class Observations:
    """Intervals in the order of time; all arrays have their length.

    Attributes:
        interval: What one of them is: an hour, or a day of the factory.
        positions: Their place on the regular grid of intervals; gaps where some were left out.
        energy_kwh: What was used; NaN where it isn't known.
        drivers: Numeric variables by name; NaN where one isn't known.
        categories: Calendar terms and other variables with levels, by name.
    """

    interval: Interval
    positions: Positions
    energy_kwh: Values
    drivers: Mapping[str, Values] = field(default_factory=dict)
    categories: Mapping[str, Category] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.energy_kwh)

    def take(self, rows: Flags | Positions) -> Self:
        """Some of the intervals."""
        return type(self)(
            self.interval,
            self.positions[rows],
            self.energy_kwh[rows],
            {name: values[rows] for name, values in self.drivers.items()},
            {name: category.take(rows) for name, category in self.categories.items()},
        )

    def knows(self, names: list[str]) -> Flags:
        """Where all of these drivers and categories are known."""
        known = np.ones(len(self), dtype=bool)
        for name in names:
            if name in self.drivers:
                known &= np.isfinite(self.drivers[name])
            elif name in self.categories:
                known &= self.categories[name].codes >= 0
        return known
