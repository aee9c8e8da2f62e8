"""A file as the science takes it: intervals with energy, drivers, calendar, and how they were measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

import numpy as np

from enms.errors import InvalidInputError
from enms.science.arrays import Flags, Positions, Values
from enms.science.baseline.calendar import LocalTime, categories
from enms.science.baseline.forms import DEGREES
from enms.science.baseline.names import Interval
from enms.science.baseline.observations import Category, Observations
from enms.science.baseline.refusals import Quality
from enms_local.evaluate.grid import DAY, HOUR, Grid, make_grid
from enms_local.evaluate.question import Question, TargetKind
from enms_local.evaluate.stamps import read_stamps
from enms_local.evaluate.table import Column, Table, words_of

CALENDAR = ("weekday", "working_day", "hour_of_week")
_POWER_UNITS_KW = {"kw": 1.0, "mw": 1e3, "gw": 1e6}
_ENERGY_UNITS_KWH = {"wh": 1e-3, "kwh": 1.0, "mwh": 1e3, "gwh": 1e6}


@dataclass(frozen=True)
class Target:
    """What is explained.

    Attributes:
        name: The column.
        kind: Energy is summed over an interval, power averaged.
        unit: As its name tells; kWh or kW where it doesn't.
        kwh: What one unit of it is worth: of power, over an hour.
    """

    name: str
    kind: TargetKind
    unit: str
    kwh: float

    @classmethod
    def of(cls, name: str, kind: TargetKind | None) -> Self:
        """What a column's name tells of it."""
        unit = (words_of(name) or [""])[-1]
        found = kind or ("power" if unit in _POWER_UNITS_KW else "energy")
        units = _POWER_UNITS_KW if found == "power" else _ENERGY_UNITS_KWH
        if unit not in units:
            unit = "kw" if found == "power" else "kwh"
        written = unit.replace("w", "W").replace("mW", "MW").replace("gW", "GW")
        return cls(name, found, written, units[unit])

    def interval_kwh(self, interval: Interval) -> float:
        """What one unit of an interval's value is worth."""
        hours = 24 if interval == "day" and self.kind == "power" else 1
        return self.kwh * hours


@dataclass(frozen=True)
class Data:
    """Intervals of a file; of rows as they stand each is an interval.

    Attributes:
        observations: Energy (or mean power), drivers and calendar.
        quality: How they were measured.
        clock: Start of each by the clock on the wall, seconds since 1970; None of rows as they stand.
        starts_at: The instant of it; as `clock` where the file tells no offset.
        has_offset: Whether the file tells offsets from UTC.
    """

    observations: Observations
    quality: Quality
    clock: Positions | None = None
    starts_at: Positions | None = None
    has_offset: bool = False

    def __len__(self) -> int:
        return len(self.observations)

    def take(self, rows: Flags) -> Self:
        """Some of the intervals."""
        return type(self)(
            self.observations.take(rows),
            replace(self.quality, **{name: values[rows] for name, values in _arrays(self.quality).items()}),
            None if self.clock is None else self.clock[rows],
            None if self.starts_at is None else self.starts_at[rows],
            self.has_offset,
        )


def read_data(
    question: Question, table: Table, target: Target, columns: Mapping[str, Column]
) -> tuple[Data, Grid | None]:
    """The intervals of a file, and how its rows lie in them.

    Args:
        question: What is asked.
        table: The file.
        target: What is explained.
        columns: The drivers among its columns, by name.

    Raises:
        InvalidInputError: Its stamps can't be read, or its target is no number.
    """
    energy = table.numbers(target.name)
    if not np.isfinite(energy).any():
        raise InvalidInputError(f"{target.name} holds no number in any row of '{table.path}'.")
    if question.time_column is None:
        return _as_they_stand(energy, columns, question.interval or "hour"), None
    stamps = read_stamps(table.cells(question.time_column), table.lines, question.time_format)
    grid = make_grid(stamps, question.interval, question.stamp)
    data = _by_time(grid, target, energy, columns)
    return Data(*data, grid.clock, grid.starts_at, stamps.has_offset), grid


def calendar_terms(interval: Interval) -> tuple[str, ...]:
    """The calendar terms that can be drivers."""
    return CALENDAR if interval == "hour" else CALENDAR[:2]


def require_varying(data: Data, names: Sequence[str], period: str) -> None:
    """Refuses drivers that were named and tell nothing in a period.

    Raises:
        InvalidInputError: One is blank throughout, or the same.
    """
    observations = data.observations
    for name in names:
        if name in DEGREES:
            continue
        known = observations.take(observations.knows([name]))
        if not len(known):
            raise InvalidInputError(f"{name} is blank in every {observations.interval} of {period}.")
        column = known.categories.get(name)
        varies = column.varies if column else bool(np.ptp(known.drivers[name]) > 0)
        if not varies:
            raise InvalidInputError(
                f"{name} is the same in every {observations.interval} of {period}, so it explains nothing: "
                "leave it out, or choose a period in which it varies."
            )


def clock_text(seconds: int) -> str:
    """What the clock on the wall shows, as text."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _as_they_stand(energy: Values, columns: Mapping[str, Column], interval: Interval) -> Data:
    positions = np.arange(len(energy))
    drivers, levels = _split(columns)
    return Data(
        Observations(interval, positions, energy, drivers, levels),
        _quality(np.ones(len(energy)), np.ones(len(energy))),
    )


def _by_time(
    grid: Grid, target: Target, energy: Values, columns: Mapping[str, Column]
) -> tuple[Observations, Quality]:
    means, counts = grid.means(energy)
    # What is missing of an interval is taken to have been as the rest of it: fewer rows aren't less energy.
    values = means if target.kind == "power" else means * grid.rows_expected
    drivers, levels = _split(columns)
    local = LocalTime(grid.clock // DAY, grid.clock % DAY // HOUR)
    calendar = categories(local, None, None)
    by_interval = {name: grid.driver(column) for name, column in drivers.items()}
    by_level = {name: grid.category(column) for name, column in levels.items()}
    terms = {name: calendar[name] for name in CALENDAR if name not in columns}
    observations = Observations(grid.interval, grid.positions, values, by_interval, terms | by_level)
    return observations, _quality(np.minimum(counts / grid.rows_expected, 1), grid.seconds / HOUR)


def _split(columns: Mapping[str, Column]) -> tuple[dict[str, Values], dict[str, Category]]:
    numeric = {name: column for name, column in columns.items() if not isinstance(column, Category)}
    levels = {name: column for name, column in columns.items() if isinstance(column, Category)}
    return numeric, levels


def _quality(covered_share: Values, hours: Values) -> Quality:
    nothing = np.zeros(len(hours))
    return Quality(covered_share, nothing, nothing, nothing, float("inf"), hours)


def _arrays(quality: Quality) -> dict[str, Any]:
    return {name: values for name, values in vars(quality).items() if isinstance(values, np.ndarray)}
