"""Rows of a file in hours or days: what falls into each, means, and hours of each level."""

from dataclasses import dataclass

import numpy as np

from enms.errors import InvalidInputError
from enms.science.arrays import Flags, Positions, Values
from enms.science.baseline.names import Interval
from enms.science.baseline.observations import Category
from enms.services.import_stamps import usual_step
from enms_local.evaluate.question import StampKind
from enms_local.evaluate.stamps import Stamps

HOUR = 3_600
DAY = 86_400
SECONDS = {"hour": HOUR, "day": DAY}
# Of the rows that an interval usually has with a driver known: with fewer its mean isn't the interval's.
_LEAST_OF_USUAL = 0.5


@dataclass(frozen=True)
class Grid:
    """The intervals of a file, from its first row to its last without a gap.

    Attributes:
        interval: What each is.
        step_seconds: Distance of the file's stamps.
        is_end: Whether stamps tell the end of a row's interval.
        rows: The rows of the file in the order of time; of those with the same stamp the last.
        places: In which interval each row lies.
        positions: Place of each interval on the regular grid.
        clock: What the clock on the wall shows at each interval's start, in seconds since 1970.
        starts_at: The instant of it, likewise; `clock` where the file tells no offset.
        seconds: Length of each interval.
        repeated: Rows that have the stamp of a later one.
    """

    interval: Interval
    step_seconds: int
    is_end: bool
    rows: Positions
    places: Positions
    positions: Positions
    clock: Positions
    starts_at: Positions
    seconds: Values
    repeated: int

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def rows_expected(self) -> Values:
        """Rows that each interval has if none is missing."""
        if self.step_seconds >= SECONDS[self.interval]:
            return np.ones(len(self))
        return self.seconds / self.step_seconds

    def means(self, values: Values) -> tuple[Values, Positions]:
        """Mean of a column in each interval, NaN without any value, and how many values it has."""
        values = values[self.rows]
        known = np.isfinite(values)
        counts: Positions = np.bincount(self.places[known], minlength=len(self))
        sums = np.bincount(self.places[known], values[known], len(self))
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan), counts

    def driver(self, values: Values) -> Values:
        """Mean of a driver in each interval; NaN where it is known too seldom."""
        means, counts = self.means(values)
        means[_too_few(counts)] = np.nan
        return means

    def category(self, column: Category) -> Category:
        """A text column by interval: its level where each has a row of the file, else hours of its levels."""
        codes = column.codes[self.rows]
        known = codes >= 0
        count = len(column.levels)
        cells = self.places[known] * count + codes[known]
        rows_of = np.bincount(cells, minlength=len(self) * count).reshape(len(self), count)
        totals = rows_of.sum(axis=1)
        longest = np.where(_too_few(totals), -1, rows_of.argmax(axis=1)).astype(np.int64)
        if self.step_seconds >= SECONDS[self.interval]:
            return Category(column.levels, longest)
        hours = rows_of / np.maximum(totals, 1)[:, None] * (self.seconds / HOUR)[:, None]
        return Category(column.levels, longest, hours)


def make_grid(stamps: Stamps, interval: Interval | None, stamp: StampKind | None) -> Grid:
    """The intervals of a file's rows.

    Stamps tell the end of a row's interval if it is said so, or if the first lies one step after midnight and
    the last at midnight: 00:15 … 00:00.

    Args:
        stamps: Of the rows.
        interval: What is wanted; None: hours, or days of rows that are further apart.
        stamp: What a stamp tells; None: see above.

    Raises:
        InvalidInputError: The rows are too few, or too far apart.
    """
    order = np.argsort(stamps.instants, kind="stable")
    instants = stamps.instants[order]
    # The last of equal stamps: it comes last in the file, and so in a stable order.
    is_last = np.append(instants[1:] != instants[:-1], True)
    rows, instants, offsets = stamps.rows[order][is_last], instants[is_last], stamps.offsets[order][is_last]
    step = usual_step(instants)
    if step is None:
        raise InvalidInputError("The file has rows of one instant only: at least two are needed.")
    found = _interval(step, interval)
    is_end = stamp == "end" or (stamp is None and _looks_like_ends(instants + offsets, step))
    if is_end:
        instants = instants - step
    repeated = len(stamps.rows) - len(rows)
    if found == "day":
        return _days(step, rows, instants, offsets, is_end=is_end, repeated=repeated)
    return _hours(step, rows, instants, offsets, is_end=is_end, repeated=repeated)


def _too_few(counts: Positions) -> Flags:
    usual = float(np.median(counts[counts > 0])) if counts.any() else 1.0
    few: Flags = counts < max(_LEAST_OF_USUAL * usual, 1)
    return few


def _interval(step: int, wanted: Interval | None) -> Interval:
    if step > DAY:
        raise InvalidInputError(
            f"The rows are {_duration(step)} apart; baselines are hourly or daily: rows have to be a day "
            "apart or nearer."
        )
    if wanted == "hour" and step > HOUR:
        raise InvalidInputError(f"The rows are {_duration(step)} apart: --interval 1d is what they can tell.")
    return wanted or ("hour" if step <= HOUR else "day")


def _looks_like_ends(clock: Positions, step: int) -> bool:
    return step < DAY and int(clock[0]) % DAY == step and int(clock[-1]) % DAY == 0


def _hours(
    step: int, rows: Positions, instants: Positions, offsets: Positions, *, is_end: bool, repeated: int
) -> Grid:
    # Zones that are half an hour off have hours of their own.
    shift = int(offsets[0]) % HOUR
    keys = (instants + shift) // HOUR
    positions = np.arange(keys[0], keys[-1] + 1)
    starts_at = positions * HOUR - shift
    latest_row = np.maximum(np.searchsorted(keys, positions, side="right") - 1, 0)
    return Grid(
        "hour", step, is_end, rows, keys - keys[0], positions, starts_at + offsets[latest_row], starts_at,
        np.full(len(positions), float(HOUR)), repeated,
    )  # fmt: skip


def _days(
    step: int, rows: Positions, instants: Positions, offsets: Positions, *, is_end: bool, repeated: int
) -> Grid:
    keys = (instants + offsets) // DAY
    positions = np.arange(keys.min(), keys.max() + 1)
    first_row = np.minimum(np.searchsorted(keys, positions), len(keys) - 1)
    latest_row = np.maximum(np.searchsorted(keys, positions, side="right") - 1, 0)
    # A day in which the clock goes forward is shorter by as much.
    gained = np.where(latest_row > first_row, offsets[latest_row] - offsets[first_row], 0)
    clock = positions * DAY
    return Grid(
        "day", step, is_end, rows, keys - positions[0], positions, clock, clock - offsets[first_row],
        DAY - gained.astype(np.float64), repeated,
    )  # fmt: skip


def _duration(seconds: int) -> str:
    for size, unit in ((DAY, "days"), (HOUR, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds} s"
