"""What a baseline is fitted to: energy and drivers by interval."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np

from enms.science.arrays import Flags, Positions, Values

type Interval = Literal["hour", "day"]

INTERVALS_PER_DAY: Mapping[Interval, int] = {"hour": 24, "day": 1}


@dataclass(frozen=True)
class Category:
    """A variable with named levels.

    Attributes:
        levels: The names there can be.
        codes: Index into `levels` of each interval; -1 where it isn't known.
    """

    levels: tuple[str, ...]
    codes: Positions

    def take(self, rows: Flags | Positions) -> Self:
        """The same of some intervals."""
        return type(self)(self.levels, self.codes[rows])


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
