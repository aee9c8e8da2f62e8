"""A file as detection takes it: intervals on a regular grid, and in which of them each row lies."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from enms.errors import InvalidInputError
from enms.science.arrays import Flags, Positions, Values
from enms.science.baseline.observations import Category
from enms.services.import_stamps import usual_step
from enms_local.evaluate.anomaly_question import AnomalyQuestion, duration
from enms_local.evaluate.data import clock_text
from enms_local.evaluate.stamps import Stamps, read_stamps
from enms_local.evaluate.table import Table, read_table

_DAY_SECONDS = 86_400
_LEAST_TRAINING_SECONDS = 2 * _DAY_SECONDS
_LEAST_TRAINING_INTERVALS = 48
_MOST_INTERVALS = 5_000_000


@dataclass(frozen=True)
class AnomalyFile:
    """The intervals of a file, from its first row to its last without a gap, and its rows in order of time.

    Attributes:
        step_seconds: Length of an interval.
        starts_at: Start of each, seconds since 1970; as if in UTC where the file tells no offset.
        clock: What the clock on the wall shows then.
        has_offset: Whether the file tells offsets from UTC.
        values: Mean of the quantity; NaN where unknown.
        drivers: Mean of each driver, by name; of texts the share of each level.
        training: How many intervals lie wholly before the end of training.
        stamps: The rows' stamps as they stand.
        places: In which interval each row lies.
        later: The rows after the end of training.
        labels: Whether something was wrong, by row; None without a label column.
    """

    step_seconds: int
    starts_at: Positions
    clock: Positions
    has_offset: bool
    values: Values
    drivers: dict[str, Values]
    training: int
    stamps: tuple[str, ...]
    places: Positions
    later: Flags
    labels: Flags | None

    @property
    def minute_of_day(self) -> Positions:
        """Of each interval, by the clock on the wall."""
        minutes: Positions = self.clock % _DAY_SECONDS // 60
        return minutes

    @cached_property
    def training_days(self) -> float:
        """How much of training is known."""
        known = np.isfinite(self.values[: self.training]).sum()
        return float(known * self.step_seconds / _DAY_SECONDS)


def read_file(question: AnomalyQuestion) -> AnomalyFile:
    """Reads a file.

    Raises:
        InvalidInputError: It can't be read, or can't be judged; says why.
    """
    table = read_table(question.path, question.delimiter, question.encoding)
    for name in question.columns:
        table.cells(name)
    if question.target in (question.time_column, *question.drivers):
        raise InvalidInputError(f"{question.target} can't be the target and something else besides.")
    stamps = read_stamps(table.cells(question.time_column), table.lines, question.time_format)
    until = question.until(has_offset=stamps.has_offset)
    found = _on_grid(question, table, stamps, until)
    _require_training(question, found)
    return found


def _on_grid(question: AnomalyQuestion, table: Table, stamps: Stamps, until: int) -> AnomalyFile:
    order = np.argsort(stamps.instants, kind="stable")
    rows, instants, offsets = stamps.rows[order], stamps.instants[order], stamps.offsets[order]
    rows_seconds = usual_step(instants)
    if rows_seconds is None:
        raise InvalidInputError("The file has rows of one instant only: at least two are needed.")
    if rows_seconds > _DAY_SECONDS:
        raise InvalidInputError(f"The rows are {duration(rows_seconds)} apart: at most a day can be judged.")
    step = question.interval_seconds(rows_seconds)
    # Intervals begin as the first day's hours do, whatever its offset from UTC.
    shift = int(offsets[0]) % step
    keys = (instants + shift) // step
    places = keys - keys[0]
    count = int(places[-1]) + 1
    if count > _MOST_INTERVALS:
        raise InvalidInputError(
            f"From the first row to the last there are {count:,} intervals of {duration(step)}; at most "
            f"{_MOST_INTERVALS:,} can be judged: give a longer --interval, or mend the stamps."
        )
    starts_at = np.arange(keys[0], keys[0] + count) * step - shift
    latest_row = np.maximum(np.searchsorted(places, np.arange(count), side="right") - 1, 0)
    later = instants >= until
    first, last = (clock_text(int(instants[i] + offsets[i])) for i in (0, -1))
    if not later.any():
        raise InvalidInputError(
            f"No row comes after --train-until {question.train_until}, so there is nothing to judge; the "
            f"file goes from {first} to {last}."
        )
    if later.all():
        raise InvalidInputError(
            f"No row comes before --train-until {question.train_until}, so there is nothing to learn from; "
            f"the file goes from {first} to {last}."
        )
    cells = table.cells(question.time_column)
    return AnomalyFile(
        step_seconds=step,
        starts_at=starts_at,
        clock=starts_at + offsets[latest_row],
        has_offset=stamps.has_offset,
        values=_means(table.numbers(question.target)[rows], places, count),
        drivers=_drivers(question, table, rows, places, count),
        training=int(((starts_at + step) <= until).sum()),
        stamps=tuple(cells[row] for row in rows),
        places=places,
        later=later,
        labels=_labels(question.label_column, table, rows),
    )


def _require_training(question: AnomalyQuestion, file: AnomalyFile) -> None:
    known = file.values[: file.training]
    known = known[np.isfinite(known)]
    least = max(_LEAST_TRAINING_SECONDS, _LEAST_TRAINING_INTERVALS * file.step_seconds)
    if len(known) * file.step_seconds < least:
        raise InvalidInputError(
            f"Before --train-until {question.train_until} {question.target} is known for "
            f"{duration(len(known) * file.step_seconds)}; at least {duration(least)} are needed to tell what "
            "is usual: give a later instant."
        )
    if np.ptp(known) == 0:
        raise InvalidInputError(
            f"{question.target} is {known[0]:g} in every interval before --train-until "
            f"{question.train_until}: how far it usually varies can't be told."
        )


def _means(values: Values, places: Positions, count: int) -> Values:
    known = np.isfinite(values)
    sums = np.bincount(places[known], weights=values[known], minlength=count)
    counts = np.bincount(places[known], minlength=count)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _drivers(
    question: AnomalyQuestion, table: Table, rows: Positions, places: Positions, count: int
) -> dict[str, Values]:
    found = {}
    for name in question.drivers:
        column = table.column(name)
        if not isinstance(column, Category):
            found[name] = _means(column[rows], places, count)
            continue
        for code, level in enumerate(column.levels[1:], start=1):
            is_level = np.where(column.codes < 0, np.nan, column.codes == code)
            found[f"{name}={level}"] = _means(is_level[rows], places, count)
    return found


def _labels(name: str | None, table: Table, rows: Positions) -> Flags | None:
    if name is None:
        return None
    values = table.numbers(name)[rows]
    strange = values[np.isfinite(values) & ~np.isin(values, (0, 1))]
    if len(strange):
        raise InvalidInputError(
            f"{name} is {strange[0]:g} in one row: 1 where something was wrong, 0 or blank elsewhere."
        )
    flags: Flags = values == 1
    return flags
