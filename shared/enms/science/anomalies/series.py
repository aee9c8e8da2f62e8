"""What a machine did, interval by interval, as the detectors take it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from enms.science.arrays import Flags, Positions, Values

_DAY_MINUTES = 1_440


@dataclass(frozen=True)
class MachineSeries:
    """A machine on a regular grid of UTC instants without a hole; what isn't known of an interval is NaN.

    Attributes:
        step_seconds: Distance of the grid: 900, or the machine's own rhythm where that is coarser.
        starts_at: Start of each interval, seconds since 1970.
        minute_of_day: Its minute by the factory's clock, 0 to 1439.
        weekday: Its weekday by the factory's clock, 0 = Monday.
        energy_kwh: Accepted energy; NaN without an accepted reading.
        power_kw: Mean measured power.
        min_power_kw: Least power that a reading tells.
        max_power_kw: Largest power that a reading tells.
        covered_share: Share of the interval that readings stand for, 0 to 1.
        spread_share: Share of its energy that catch-up readings spread over a gap.
        is_flat: Where power and energy stood still at a value other than 0.
        refused: Readings that were refused: negative, no number, repeated.
        rated_power_kw: Of the machine.
        running_share: Share of the time in mode `running`; NaN where no mode is told.
        maintenance_share: The same for `maintenance`.
        production_count: Units; NaN where none is told.
        sensors: Mean of each other variable, custom ones included, by name.
        sensor_spread: Standard deviation of a variable's readings inside the interval, where they have one.
    """

    step_seconds: int
    starts_at: Positions
    minute_of_day: Positions
    weekday: Positions
    energy_kwh: Values
    power_kw: Values
    min_power_kw: Values
    max_power_kw: Values
    covered_share: Values
    spread_share: Values
    is_flat: Flags
    refused: Values
    rated_power_kw: float
    running_share: Values
    maintenance_share: Values
    production_count: Values
    sensors: Mapping[str, Values] = field(default_factory=dict)
    sensor_spread: Mapping[str, Values] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.starts_at)

    @property
    def end(self) -> int:
        """The instant after the last interval, seconds since 1970."""
        return int(self.starts_at[-1]) + self.step_seconds

    @cached_property
    def time_of_day(self) -> Values:
        """Cyclic terms of the local time, two harmonics of the day, n × 4."""
        angle = 2 * np.pi * self.minute_of_day / _DAY_MINUTES
        return np.stack([turn(k * angle) for k in (1, 2) for turn in (np.sin, np.cos)], axis=1)

    def take(self, rows: Flags | slice) -> Self:
        """Some of the intervals; a grid only where they adjoin."""
        columns = {each.name: getattr(self, each.name) for each in fields(self)}
        arrays: dict[str, Any] = {
            name: each[rows] for name, each in columns.items() if isinstance(each, np.ndarray)
        }
        return replace(
            self,
            **arrays,
            sensors={name: values[rows] for name, values in self.sensors.items()},
            sensor_spread={name: values[rows] for name, values in self.sensor_spread.items()},
        )
