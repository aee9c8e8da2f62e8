"""Importing regressors of forecasts from files: a production schedule, a weather forecast, planned stops.

Columns, stamps and zones are read as those of readings are (`import_files`, `import_stamps`). A file is taken
wholly or not at all: a bad row would leave a hole in what is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from enms.database.connection import Database
from enms.errors import InvalidInputError
from enms.services import forecast_regressors
from enms.services.forecast_subjects import Subject, find_subject
from enms.services.import_columns import numbers, parse_interval
from enms.services.import_files import Chunk, open_delimited
from enms.services.import_stamps import (
    DAY,
    EPOCH,
    NO_INSTANT,
    SECOND,
    Clock,
    Microseconds,
    Reasons,
    StampParser,
    usual_step,
)
from enms.services.registry import find_factory, find_machine, known_timezone
from enms.services.regressor_checks import NewRegressor, NewValue

NAMED_BAD_ROWS = 5

type Period = tuple[datetime, datetime]


@dataclass(frozen=True, kw_only=True)
class RegressorFile:
    """What to import, and how its rows are to be read.

    Attributes:
        path: The file.
        machine: The machine's name; None: it holds for the whole factory.
        factory: The factory's name; with a machine the one that has it.
        name: Of the regressor.
        kind: One of `regressor_checks.KINDS`.
        time_column: The column of time stamps.
        value_column: The column of values.
        end_column: The column of the periods' ends; None: all last as long as the interval.
        interval: Such as "1h"; None takes the most frequent distance of the stamps.
        stamp: Whether stamps tell the `start` or the `end` of a period.
        timezone: Of stamps that tell no offset; None: the factory's.
        time_format: See StampParser.
        delimiter: See open_delimited.
        encoding: See open_delimited.
        decimal_comma: Whether numbers are written 1,5.
        is_history: Whether all of it may lie in the past.
    """

    path: Path
    machine: str | None = None
    factory: str | None = None
    name: str
    kind: str
    time_column: str
    value_column: str
    end_column: str | None = None
    interval: str | None = None
    stamp: str = "start"
    timezone: str | None = None
    time_format: str | None = None
    delimiter: str | None = None
    encoding: str = "utf-8"
    decimal_comma: bool = False
    is_history: bool = False


@dataclass
class _Table:
    """The file's rows, and why some of them can't be taken, by their place."""

    lines: list[int] = field(default_factory=list)
    stamps: list[str] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    reasons: Reasons = field(default_factory=dict)

    def add(self, chunk: Chunk, width: int, columns: Sequence[int]) -> None:
        """Takes some rows.

        Args:
            chunk: The rows.
            width: How many fields a row has.
            columns: Which of them are stamps, ends and values.
        """
        for line, fields in zip(chunk.lines, chunk.rows, strict=True):
            row = fields
            if len(fields) != width:
                self.reasons[len(self.lines)] = f"{len(fields)} fields where the header has {width}"
                row = [""] * width
            self.lines.append(line)
            for texts, column in zip((self.stamps, self.ends, self.values), columns, strict=True):
                texts.append(row[column])

    def raise_if_bad(self, path: Path) -> None:
        """Ends the import where a row can't be taken."""
        if self.reasons:
            named = sorted(self.reasons.items())[:NAMED_BAD_ROWS]
            more = len(self.reasons) - len(named)
            raise InvalidInputError(
                f"The file '{path}' has bad rows, so nothing was imported: "
                + "; ".join(f"line {self.lines[row]}: {reason}" for row, reason in named)
                + (f"; and {more} more." if more else "."),
                bad_rows=len(self.reasons),
            )


def import_regressor(database: Database, request: RegressorFile) -> dict[str, Any]:
    """Imports a file in the place of what was known of its period; twice is as once.

    Returns:
        As `forecast_regressors.receive`, with the machine's or factory's name, `rows_read`, and
        `missing_hour_rows`: those in an hour that the local clock left out, which are left out as well.

    Raises:
        InvalidInputError: The request, the file or a row of it is impossible; nothing was imported.
        NotFoundError: There is no such machine or factory.
    """
    if request.stamp not in ("start", "end"):
        raise InvalidInputError(f"A stamp tells the start or the end of its period, not '{request.stamp}'.")
    if request.stamp == "end" and request.end_column is not None:
        raise InvalidInputError("With a column of ends the stamps tell starts: leave --stamp out.")
    subject = _subject(database, request)
    zone = known_timezone(request.timezone or subject.timezone)
    table = _read(request)
    values = numbers(
        table.values,
        request.value_column,
        table.reasons,
        decimal_comma=request.decimal_comma,
        limit=float("inf"),
    )
    periods = _periods(table, request, zone)
    table.raise_if_bad(request.path)
    known = [
        NewValue(*period, value)
        for period, value in zip(periods, values.tolist(), strict=True)
        if period is not None
    ]
    told = NewRegressor(
        machine_id=subject.id if subject.kind == "machine" else None,
        factory_id=subject.id if subject.kind == "factory" else None,
        name=request.name,
        kind=request.kind,
        values=known,
        source=request.path.name,
        is_history=request.is_history,
    )
    received = forecast_regressors.receive(database, told, at_most=None)
    return {
        subject.kind: subject.name,
        "rows_read": len(periods),
        "missing_hour_rows": len(periods) - len(known),
        **received,
    }


def _subject(database: Database, request: RegressorFile) -> Subject:
    if request.machine is not None:
        return find_subject(database, find_machine(database, request.machine, request.factory)["id"], None)
    if request.factory is None:
        raise InvalidInputError("Say what it holds for: --machine, or --factory for the whole of it.")
    return find_subject(database, None, find_factory(database, request.factory))


def _read(request: RegressorFile) -> _Table:
    table = _Table()
    with open_delimited(request.path, request.delimiter, request.encoding) as file:
        names = (request.time_column, request.end_column or request.time_column, request.value_column)
        columns = [file.column(name) for name in names]
        for chunk in file.chunks():
            table.add(chunk, len(file.header), columns)
    if not table.lines:
        raise InvalidInputError(f"The file '{request.path}' has a header but no rows.")
    table.raise_if_bad(request.path)
    return table


def _periods(table: _Table, request: RegressorFile, zone: ZoneInfo) -> list[Period | None]:
    """When each row holds; None in an hour that the local clock left out, and of bad rows."""
    parser = StampParser(request.time_format)
    stamps = parser.parse(table.stamps, table.reasons)
    if request.end_column is not None:
        end_parser = StampParser(request.time_format)
        starts = _instants(stamps, parser, Clock(zone, 0, is_end=False))
        ends = _instants(
            end_parser.parse(table.ends, table.reasons), end_parser, Clock(zone, 0, is_end=False)
        )
    else:
        interval = _interval(stamps, table, request)
        known = stamps[stamps != NO_INSTANT]
        forward = 1 if len(known) == 0 or known[-1] >= known[0] else -1
        clock = Clock(zone, interval, is_end=request.stamp == "end", direction=forward)
        starts = _instants(stamps, parser, clock)
        ends = np.where(starts == NO_INSTANT, NO_INSTANT, starts + interval)
        if not parser.has_offset:
            _end_by_the_clock(stamps, starts, ends, clock)
    return [
        None if NO_INSTANT in (start, end) else (_datetime(start), _datetime(end))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]


def _interval(stamps: Microseconds, table: _Table, request: RegressorFile) -> int:
    if request.interval is not None:
        return round(parse_interval(request.interval) * SECOND)
    table.raise_if_bad(request.path)
    step = usual_step(stamps)
    if step is None or not SECOND <= step <= DAY:
        raise InvalidInputError(
            "How long a period is can't be told from the file: give --interval, e.g. 1h, or --end-column."
        )
    return step


def _instants(stamps: Microseconds, parser: StampParser, clock: Clock) -> Microseconds:
    return clock.starts_of_instants(stamps) if parser.has_offset else clock.starts_of_wall_clock(stamps)


def _end_by_the_clock(stamps: Microseconds, starts: Microseconds, ends: Microseconds, clock: Clock) -> None:
    """Ends periods when the local clock shows it, where it changes meanwhile: a day may have 23 or 25 hours.

    A row that stands alone for the doubled hour of autumn holds in both of its passes.
    """
    in_order = np.sort(starts[starts != NO_INSTANT])
    for row in np.flatnonzero(starts != NO_INSTANT).tolist():
        start = int(starts[row])
        shown = EPOCH + timedelta(microseconds=int(stamps[row]) + (0 if clock.is_end else clock.interval))
        both = (_microseconds(shown.replace(tzinfo=clock.zone, fold=fold)) for fold in (0, 1))
        end = min((at for at in both if at > start), default=int(ends[row]))
        if end != ends[row]:
            place = int(np.searchsorted(in_order, start, side="right"))
            ends[row] = min(end, int(in_order[place])) if place < len(in_order) else end


def _microseconds(at: datetime) -> int:
    return round(at.timestamp() * SECOND)


def _datetime(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / SECOND, UTC)
