"""Importing readings from files: what a row means, which rows can't be readings, and the account of it.

One transaction per file: it is imported wholly or not at all, and importing it again replaces its rows.
"""

import csv
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

import numpy as np

from enms.database.connection import Connection, Database, Row
from enms.database.imports import Increments, Merged, Staging, Stretch, Target, judgements, set_interval
from enms.errors import InvalidInputError
from enms.services.import_columns import (
    VALUE_COLUMN,
    Column,
    Fact,
    Value,
    numbers,
    optional_values,
    our_column,
    parse_interval,
    parse_unit,
)
from enms.services.import_files import Chunk, DelimitedFile, open_delimited
from enms.services.import_stamps import (
    NO_INSTANT,
    SECOND,
    Clock,
    Microseconds,
    Reasons,
    StampParser,
    usual_step,
)
from enms.services.registry import find_machine, known_timezone

# Of bad rows: how many are named; and after how many the rest of the file isn't read any more.
NAMED_BAD_ROWS = 5
MOST_BAD_ROWS = 1000
# power_kw numeric(12, 4) and energy_kwh numeric(15, 6).
MOST_KW = 1e8
MOST_KWH = 1e9
_ENERGY_TYPE = re.compile(r"[a-z][a-z0-9_]{0,49}")

type Progress = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
    """What to import, and how its rows are to be read.

    Attributes:
        fact: energy, production or environment.
        path: The file.
        machine: The machine's name.
        factory: Its factory's name, where several have such a machine.
        time_column: The column of time stamps.
        value_column: Of energy: the readings. Else: the fact's main column, see VALUE_COLUMN.
        columns: Further columns: our name → theirs.
        unit: Of the readings.
        interval: Such as "15min"; None takes the most frequent distance of the file's first rows.
        stamp: Whether stamps tell the start or the end of an interval; None: the end of a counter, else the
        start.
        timezone: Of stamps that tell no offset; None: the factory's.
        time_format: See StampParser.
        is_counter: Whether readings are a cumulative count.
        energy_type: The carrier.
        skip_bad: Whether to import the rest where rows are bad.
        delimiter: See open_delimited.
        encoding: See open_delimited.
        decimal_comma: Whether numbers are written 1,5.
    """

    fact: Fact
    path: Path
    machine: str
    factory: str | None = None
    time_column: str
    value_column: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    unit: str = "kWh"
    interval: str | None = None
    stamp: str | None = None
    timezone: str | None = None
    time_format: str | None = None
    is_counter: bool = False
    energy_type: str = "electrical"
    skip_bad: bool = False
    delimiter: str | None = None
    encoding: str = "utf-8"
    decimal_comma: bool = False


@dataclass
class ImportSummary:
    """The account of an import; instants in UTC.

    Attributes:
        machine: The machine's name.
        factory: Its factory's.
        rows_read: Rows of the file.
        new: Rows that were not there before.
        replaced: Rows that took the place of former ones.
        refused: Rows that can't be readings; nothing of them is imported.
        duplicates: Rows whose instant a later row of the file has as well.
        first_at: Start of the first interval.
        end_at: End of the last one.
        interval_seconds: Length of an interval.
        gaps: How often rows are missing inside the period.
        gap_seconds: How much time in all.
        longest_gap_at: Where the longest begins.
        longest_gap_seconds: How long it is.
        clock_changes: Days of the file on which the local clock changed.
        doubled_hour_rows: Rows placed in the second pass of a doubled hour.
        missing_hour_rows: Rows in an hour that the local clock left out; they are left out as well.
        negative: Increments below zero: stored, and refused by the aggregates.
        refused_by_aggregates: Readings of the period that count nothing: negative or repeated.
        spread_by_aggregates: Readings of the period whose energy is spread over the gap before them.
        counter: What differencing a counter met.
        drivers: Columns that went to `metadata`.
        refused_file: Where the refused rows lie.
    """

    machine: str
    factory: str
    rows_read: int = 0
    new: int = 0
    replaced: int = 0
    refused: int = 0
    duplicates: int = 0
    first_at: datetime | None = None
    end_at: datetime | None = None
    interval_seconds: float | None = None
    gaps: int = 0
    gap_seconds: float = 0
    longest_gap_at: datetime | None = None
    longest_gap_seconds: float = 0
    clock_changes: int = 0
    doubled_hour_rows: int = 0
    missing_hour_rows: int = 0
    negative: int = 0
    refused_by_aggregates: int = 0
    spread_by_aggregates: int = 0
    counter: Increments | None = None
    drivers: list[str] = field(default_factory=list)
    refused_file: Path | None = None


def import_file(
    database: Database, request: ImportRequest, progress: Progress = lambda _stage, _share: None
) -> ImportSummary:
    """Imports a file, wholly or not at all.

    Args:
        database: Where to; its statements may take long.
        request: What to import.
        progress: Is told the stage and its share that is done, 0 to 1.

    Raises:
        InvalidInputError: The request, the file or a row of it is impossible; nothing was imported.
        NotFoundError: There is no such machine or factory.
        ConflictError: Another import for the machine is under way.
    """
    _check(request)
    machine = find_machine(database, request.machine, request.factory)
    zone = known_timezone(request.timezone or machine["timezone"] or "UTC")
    with ExitStack() as stack:
        file = stack.enter_context(open_delimited(request.path, request.delimiter, request.encoding))
        layout = _Layout.of(request, file)
        refusals = stack.enter_context(_Refusals(request, file))
        reader = _RowReader(request, layout, file.header, Clock(zone, 0, _is_end(request)), refusals)
        connection = stack.enter_context(database.transaction())
        staging = Staging(connection, layout.target(request, machine))
        summary = ImportSummary(machine["name"], machine["factory_name"], drivers=layout.drivers)
        for chunk in file.chunks():
            staging.copy(reader.copy_text(chunk))
            progress("reading", file.position / max(file.size, 1))
        refusals.raise_if_unwanted()
        if not reader.rows_read:
            raise InvalidInputError(f"The file '{request.path}' has a header but no rows.")
        _settle(staging, reader, summary, float(machine["rated_power_kw"]), is_counter=request.is_counter)
        stretch = staging.stretch(reader.clock.interval or None)
        _account(summary, stretch, reader, refusals)
        if stretch.rows:
            _write(connection, staging, stretch, request, machine, summary, progress)
        summary.refused_file = refusals.keep()
    return summary


def _check(request: ImportRequest) -> None:
    if request.stamp not in (None, "start", "end"):
        raise InvalidInputError(f"A stamp tells the start or the end of its interval, not '{request.stamp}'.")
    if request.delimiter is not None and len(request.delimiter) != 1:
        raise InvalidInputError(f"The delimiter is one character, not '{request.delimiter}'.")
    if request.interval is not None:
        parse_interval(request.interval)
    if request.fact == "energy":
        if request.value_column is None:
            raise InvalidInputError("Energy needs the column of its readings: --value-column.")
        if not _ENERGY_TYPE.fullmatch(request.energy_type):
            raise InvalidInputError(
                f"The energy type is a name such as electrical or natural_gas, not '{request.energy_type}'."
            )
        kind, _ = parse_unit(request.unit)
        if request.is_counter and kind != "energy":
            raise InvalidInputError(f"A counter counts energy (Wh, kWh or MWh), not {request.unit}.")
        if request.is_counter and request.columns:
            raise InvalidInputError("A counter's file gives nothing but its count: leave --column out.")
    elif request.value_column is None and not request.columns:
        raise InvalidInputError(
            "Nothing to import is named: give --value-column or --column our_name=their_name."
        )


def _is_end(request: ImportRequest) -> bool:
    return request.stamp == "end" or (request.stamp is None and request.is_counter)


@dataclass(frozen=True)
class _Layout:
    """Which of the file's fields are what.

    Attributes:
        time: Index of the stamps.
        reading: Index of the energy readings.
        others: Our further columns with the index of theirs.
    """

    time: int
    reading: int | None
    others: Sequence[tuple[Column, int]]

    @classmethod
    def of(cls, request: ImportRequest, file: DelimitedFile) -> "_Layout":
        wanted = dict(request.columns)
        is_energy = request.fact == "energy"
        if not is_energy and request.value_column is not None:
            name = VALUE_COLUMN[request.fact]
            if name in wanted:
                raise InvalidInputError(f"--value-column is {name}, which --column names as well.")
            wanted[name] = request.value_column
        return cls(
            file.column(request.time_column),
            file.column(request.value_column) if is_energy and request.value_column is not None else None,
            [(our_column(request.fact, ours), file.column(theirs)) for ours, theirs in wanted.items()],
        )

    @property
    def drivers(self) -> list[str]:
        """Names of the columns that go to `metadata`."""
        return [column.name for column, _ in self.others if column.is_driver]

    def target(self, request: ImportRequest, machine: Row) -> Target:
        """Where the rows go."""
        columns = [column.name for column, _ in self.others if not column.is_driver]
        if self.reading is not None:
            columns = [*(["counter_kwh"] if request.is_counter else ["power_kw", "energy_kwh"]), *columns]
        return Target(request.fact, machine["id"], columns, request.energy_type, bool(self.drivers))


class _Refusals:
    """The bad rows: kept beside the file where the rest is to be imported, else named in the error."""

    def __init__(self, request: ImportRequest, file: DelimitedFile) -> None:
        self.count = 0
        self._first: list[tuple[int, str]] = []
        self._skip = request.skip_bad
        self._file = file
        self._path = request.path.with_name(f"{request.path.name}.refused.csv")
        self._part = self._path.with_name(f"{self._path.name}.part")
        self._out: IO[str] | None = None
        self._writer: Any = None

    def __enter__(self) -> "_Refusals":
        return self

    def __exit__(self, *_: object) -> None:
        if self._out:
            self._out.close()
            self._part.unlink(missing_ok=True)

    def add(self, line: int, row: Sequence[str], reason: str) -> None:
        """Takes a bad row."""
        self.count += 1
        if len(self._first) < NAMED_BAD_ROWS:
            self._first.append((line, reason))
        if self._skip:
            if self._out is None:
                self._open()
            self._writer.writerow([*row, str(line), reason])
        elif self.count >= MOST_BAD_ROWS:
            self.raise_if_unwanted()

    def raise_if_unwanted(self) -> None:
        """Ends the import where bad rows are not to be skipped."""
        if self._skip or not self.count:
            return
        more = self.count - len(self._first)
        rest = f"; and {more} more" if more else ""
        raise InvalidInputError(
            f"The file '{self._file.path}' has bad rows, so nothing was imported "
            "(--skip-bad imports the others): "
            + "; ".join(f"line {line}: {reason}" for line, reason in sorted(self._first))
            + rest
            + ".",
            bad_rows=self.count,
        )

    def keep(self) -> Path | None:
        """Puts the refused rows beside the file, in place of those of a former import."""
        if self._out is None:
            return None
        self._out.close()
        self._part.replace(self._path)
        return self._path

    def _open(self) -> None:
        try:
            self._out = self._part.open("w", newline="", encoding="utf-8")
        except OSError as error:
            raise InvalidInputError(
                f"The refused rows can't be written to '{self._path}': {error.strerror}."
            ) from error
        self._writer = csv.writer(self._out, delimiter=self._file.delimiter)
        self._writer.writerow([*self._file.header, "refused_line", "refused_because"])


class _RowReader:
    """Turns chunks of the file into rows for the staging table.

    Attributes:
        rows_read: Rows so far.
        negative: Increments below zero.
        is_ascending: Whether each start so far lay after the one before.
        clock: Places stamps.
    """

    def __init__(
        self,
        request: ImportRequest,
        layout: _Layout,
        header: Sequence[str],
        clock: Clock,
        refusals: _Refusals,
    ) -> None:
        self.rows_read = 0
        self.negative = 0
        self.is_ascending = True
        self.clock = clock
        self._request = request
        self._layout = layout
        self._header = header
        self._refusals = refusals
        self._stamps = StampParser(request.time_format)
        self._kind, self._factor = parse_unit(request.unit)
        self._last: int | None = None

    def copy_text(self, chunk: Chunk) -> str:
        """The good rows of a chunk, in COPY's text format."""
        self.rows_read += len(chunk.rows)
        chunk = self._whole_rows(chunk)
        if not chunk.rows:
            return ""
        fields: list[tuple[str, ...]] = list(zip(*chunk.rows, strict=True))
        reasons: Reasons = {}
        stamps = self._stamps.parse(fields[self._layout.time], reasons)
        self._know_interval(stamps)
        columns = self._readings(fields, reasons) + self._others(fields, reasons)
        if self._stamps.has_offset:
            starts = self.clock.starts_of_instants(stamps)
        else:
            starts = self.clock.starts_of_wall_clock(stamps)
        is_good = starts != NO_INSTANT
        for row, reason in sorted(reasons.items()):
            is_good[row] = False
            self._refusals.add(chunk.lines[row], chunk.rows[row], reason)
        self._watch_order(starts[is_good])
        texts = zip(map(str, starts.tolist()), *columns, strict=True)
        if is_good.all():
            return "\n".join(map("\t".join, texts)) + "\n"
        return "".join(
            "\t".join(text) + "\n" for text, good in zip(texts, is_good.tolist(), strict=True) if good
        )

    def _whole_rows(self, chunk: Chunk) -> Chunk:
        """The rows that have a field for each column."""
        width = len(self._header)
        if all(len(row) == width for row in chunk.rows):
            return chunk
        whole = Chunk([], [])
        for line, row in zip(chunk.lines, chunk.rows, strict=True):
            if len(row) == width:
                whole.lines.append(line)
                whole.rows.append(row)
            else:
                self._refusals.add(line, row, f"{len(row)} fields where the header has {width}")
        return whole

    def _know_interval(self, stamps: Microseconds) -> None:
        if self.clock.interval:
            return
        known = stamps[stamps != NO_INSTANT]
        if len(known) and known[-1] < known[0]:
            self.clock.direction = -1
        if self._request.interval is not None:
            self.clock.interval = round(parse_interval(self._request.interval) * SECOND)
            return
        step = usual_step(stamps)
        if step is None or not SECOND <= step <= 86_400 * SECOND:
            # Without it, production and environment at their own time can do.
            if self._request.fact == "energy" or self.clock.is_end:
                raise InvalidInputError(
                    "How long an interval is can't be told from the file: give --interval, e.g. 15min."
                )
            return
        self.clock.interval = step

    def _readings(self, fields: Sequence[tuple[str, ...]], reasons: Reasons) -> list[list[str]]:
        index, request = self._layout.reading, self._request
        if index is None:
            return []
        hours = self.clock.interval / (3600 * SECOND)
        values = self._factor * numbers(
            fields[index],
            request.value_column or "",
            reasons,
            decimal_comma=request.decimal_comma,
            limit=np.inf,
        )
        if request.is_counter:
            return [list(map(repr, values.tolist()))]
        power_kw = values if self._kind == "power" else values / hours
        energy_kwh = values * hours if self._kind == "power" else values
        for row in np.flatnonzero((np.abs(power_kw) >= MOST_KW) | (np.abs(energy_kwh) >= MOST_KWH)).tolist():
            reasons.setdefault(row, f"{request.value_column} '{fields[index][row]}' is too large")
        self.negative += int(np.count_nonzero(energy_kwh < 0))
        return [
            list(map(repr, np.round(power_kw, 4).tolist())),
            list(map(repr, np.round(energy_kwh, 6).tolist())),
        ]

    def _others(self, fields: Sequence[tuple[str, ...]], reasons: Reasons) -> list[list[str]]:
        columns: list[list[str]] = []
        drivers: dict[str, list[Value]] = {}
        for column, index in self._layout.others:
            values = optional_values(
                column, fields[index], self._header[index], reasons, decimal_comma=self._request.decimal_comma
            )
            if column.is_driver:
                drivers[column.name] = values
            else:
                columns.append([_copy_field(value) for value in values])
        if drivers:
            columns.append(
                [
                    _copy_field(
                        json.dumps(
                            {
                                name: value
                                for name, value in zip(drivers, row, strict=True)
                                if value is not None
                            }
                        )
                    )
                    for row in zip(*drivers.values(), strict=True)
                ]
            )
        return columns

    def _watch_order(self, starts: Microseconds) -> None:
        if len(starts):
            before = self._last if self._last is not None else starts[0] - 1
            self.is_ascending = (
                self.is_ascending and bool(starts[0] > before) and bool((np.diff(starts) > 0).all())
            )
            self._last = int(starts[-1])


def _copy_field(value: Value) -> str:
    if value is None:
        return r"\N"
    text = str(value)
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _settle(
    staging: Staging, reader: _RowReader, summary: ImportSummary, rated_power_kw: float, *, is_counter: bool
) -> None:
    """Brings the staged rows into order, and a counter's counts into increments."""
    if not reader.is_ascending:
        summary.duplicates = staging.put_in_order()
    if is_counter:
        summary.counter = staging.difference_counter(rated_power_kw)


def _account(summary: ImportSummary, stretch: Stretch, reader: _RowReader, refusals: _Refusals) -> None:
    clock = reader.clock
    summary.rows_read = reader.rows_read
    summary.refused = refusals.count
    summary.negative = reader.negative
    summary.first_at = stretch.first_at
    summary.end_at = stretch.last_at and stretch.last_at + timedelta(microseconds=clock.interval)
    summary.interval_seconds = clock.interval / SECOND if clock.interval else None
    summary.gaps = stretch.gaps
    summary.gap_seconds = stretch.gap_seconds
    summary.longest_gap_at = stretch.longest_gap_at
    summary.longest_gap_seconds = stretch.longest_gap_seconds
    summary.clock_changes = len(clock.change_days)
    summary.doubled_hour_rows = clock.doubled
    summary.missing_hour_rows = clock.missing


def _write(
    connection: Connection,
    staging: Staging,
    stretch: Stretch,
    request: ImportRequest,
    machine: Row,
    summary: ImportSummary,
    progress: Progress,
) -> None:
    is_energy = request.fact == "energy"
    if is_energy and machine["interval_is_open"] and summary.interval_seconds:
        set_interval(connection, machine["id"], round(summary.interval_seconds))
    for merged in staging.merge(stretch):
        _add(summary, merged)
        progress("writing", (summary.new + summary.replaced) / stretch.rows)
    if is_energy and stretch.first_at and stretch.last_at:
        found = judgements(connection, machine["id"], request.energy_type, stretch.first_at, stretch.last_at)
        summary.refused_by_aggregates, summary.spread_by_aggregates = found["refused"], found["spread"]


def _add(summary: ImportSummary, merged: Merged) -> None:
    summary.new += merged.new
    summary.replaced += merged.replaced
