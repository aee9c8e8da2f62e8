"""Commands `enms import energy|production|environment`: readings from files."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from enms_local.cli.output import JsonOption, print_json

if TYPE_CHECKING:
    from enms.services.imports import ImportSummary

imports = typer.Typer(
    help="Import readings from delimited text files, gzip'd or not; each file wholly or not at all.",
    no_args_is_help=True,
)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header, gzip'd or not.")]
MachineOption = Annotated[str, typer.Option("--machine", help="Name of the machine.")]
FactoryOption = Annotated[
    str | None, typer.Option("--factory", help="Its factory, where several have a machine of that name.")
]
TimeColumnOption = Annotated[str, typer.Option("--time-column", help="Column of the time stamps.")]
ColumnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="OUR_NAME=THEIR_NAME",
        help="A further column, once for each; a name that isn't a column of ours is kept as a driver.",
    ),
]
IntervalOption = Annotated[
    str | None,
    typer.Option("--interval", help="Of the readings, e.g. 15min; else the commonest in the first rows."),
]
StampOption = Annotated[
    str | None,
    typer.Option(
        "--stamp", help="Whether stamps tell the start or the end of an interval.", metavar="start|end"
    ),
]
TimezoneOption = Annotated[
    str | None, typer.Option("--timezone", help="Of stamps without an offset; else the factory's.")
]
TimeFormatOption = Annotated[
    str | None,
    typer.Option("--time-format", help="Such as '%d.%m.%Y %H:%M', or epoch or epoch-ms; else ISO 8601."),
]
SkipBadOption = Annotated[
    bool, typer.Option("--skip-bad", help="Import the other rows; the bad ones are written beside the file.")
]
DelimiterOption = Annotated[str | None, typer.Option("--delimiter", help="Else what the header has most of.")]
EncodingOption = Annotated[str, typer.Option("--encoding", help="Of the text.")]
DecimalCommaOption = Annotated[bool, typer.Option("--decimal-comma", help="Numbers are written 1,5.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(imports, name="import")


@imports.command()
def energy(
    file: FileArgument,
    machine: MachineOption,
    time_column: TimeColumnOption,
    value_column: Annotated[str, typer.Option(help="Column of the readings.")],
    unit: Annotated[str, typer.Option(help="W, kW, MW, Wh, kWh or MWh.")] = "kWh",
    factory: FactoryOption = None,
    interval: IntervalOption = None,
    stamp: StampOption = None,
    timezone: TimezoneOption = None,
    time_format: TimeFormatOption = None,
    counter: Annotated[
        bool,
        typer.Option("--counter", help="Readings are a cumulative count, taken at the end of an interval."),
    ] = False,
    energy_type: Annotated[str, typer.Option(help="The carrier, e.g. natural_gas.")] = "electrical",
    column: ColumnOption = None,
    delimiter: DelimiterOption = None,
    encoding: EncodingOption = "utf-8",
    *,
    decimal_comma: DecimalCommaOption = False,
    skip_bad: SkipBadOption = False,
    as_json: JsonOption = False,
) -> None:
    """Imports power or energy; both are stored, each reading at the start of its interval.

    Further columns: voltage_v, current_a, power_factor, frequency_hz, quality_score.
    """
    _import(
        "energy",
        as_json=as_json,
        path=file,
        machine=machine,
        factory=factory,
        time_column=time_column,
        value_column=value_column,
        columns=_columns(column),
        unit=unit,
        interval=interval,
        stamp=stamp,
        timezone=timezone,
        time_format=time_format,
        is_counter=counter,
        energy_type=energy_type,
        skip_bad=skip_bad,
        delimiter=delimiter,
        encoding=encoding,
        decimal_comma=decimal_comma,
    )


@imports.command()
def production(
    file: FileArgument,
    machine: MachineOption,
    time_column: TimeColumnOption,
    value_column: Annotated[str | None, typer.Option(help="Column of production_count.")] = None,
    column: ColumnOption = None,
    factory: FactoryOption = None,
    interval: IntervalOption = None,
    stamp: StampOption = None,
    timezone: TimezoneOption = None,
    time_format: TimeFormatOption = None,
    delimiter: DelimiterOption = None,
    encoding: EncodingOption = "utf-8",
    *,
    decimal_comma: DecimalCommaOption = False,
    skip_bad: SkipBadOption = False,
    as_json: JsonOption = False,
) -> None:
    """Imports production; columns that rows have already and the file doesn't name stay as they are.

    Columns: production_count, production_count_good, production_count_bad, throughput_units_per_hour,
    operating_mode, speed_percent, downtime_seconds, product_id, batch_id, shift, and drivers of your own.
    """
    _import(
        "production",
        as_json=as_json,
        path=file,
        machine=machine,
        factory=factory,
        time_column=time_column,
        value_column=value_column,
        columns=_columns(column),
        interval=interval,
        stamp=stamp,
        timezone=timezone,
        time_format=time_format,
        skip_bad=skip_bad,
        delimiter=delimiter,
        encoding=encoding,
        decimal_comma=decimal_comma,
    )


@imports.command()
def environment(
    file: FileArgument,
    machine: MachineOption,
    time_column: TimeColumnOption,
    value_column: Annotated[str | None, typer.Option(help="Column of outdoor_temp_c.")] = None,
    column: ColumnOption = None,
    factory: FactoryOption = None,
    interval: IntervalOption = None,
    stamp: StampOption = None,
    timezone: TimezoneOption = None,
    time_format: TimeFormatOption = None,
    delimiter: DelimiterOption = None,
    encoding: EncodingOption = "utf-8",
    *,
    decimal_comma: DecimalCommaOption = False,
    skip_bad: SkipBadOption = False,
    as_json: JsonOption = False,
) -> None:
    """Imports conditions; columns that rows have already and the file doesn't name stay as they are.

    Columns: outdoor_temp_c, indoor_temp_c, machine_temp_c, outdoor_humidity_percent, indoor_humidity_percent,
    pressure_bar, pressure_setpoint_bar, flow_rate_m3h, supply_air_temp_c, return_air_temp_c, cop,
    vibration_mm_s,
    and drivers of your own.
    """
    _import(
        "environment",
        as_json=as_json,
        path=file,
        machine=machine,
        factory=factory,
        time_column=time_column,
        value_column=value_column,
        columns=_columns(column),
        interval=interval,
        stamp=stamp,
        timezone=timezone,
        time_format=time_format,
        skip_bad=skip_bad,
        delimiter=delimiter,
        encoding=encoding,
        decimal_comma=decimal_comma,
    )


def _columns(pairs: list[str] | None) -> dict[str, str]:
    from enms.errors import InvalidInputError

    columns: dict[str, str] = {}
    for pair in pairs or []:
        ours, equals, theirs = (part.strip() for part in pair.partition("="))
        if not (ours and equals and theirs):
            raise InvalidInputError(f"A further column is our_name=their_name, not '{pair}'.")
        if ours in columns:
            raise InvalidInputError(f"The column {ours} is named twice.")
        columns[ours] = theirs
    return columns


def _import(fact: Any, *, as_json: bool, **request: Any) -> None:
    from enms.database.connection import Database
    from enms.services.imports import ImportRequest, import_file
    from enms_local.cli.database import database_url

    database = Database(database_url, statement_timeout_seconds=0)
    with _progress_bar() as progress:
        summary = import_file(database, ImportRequest(fact=fact, **request), progress)
    if as_json:
        print_json(asdict(summary) | {"counter": summary.counter and summary.counter._asdict()})
    else:
        _print_summary(summary)


@contextmanager
def _progress_bar() -> Iterator[Callable[[str, float], None]]:
    """A bar on a terminal; elsewhere nothing is shown."""
    import sys

    if not sys.stderr.isatty():
        yield lambda _stage, _share: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        tasks = {stage: bar.add_task(stage, total=1.0) for stage in ("reading", "writing")}
        yield lambda stage, share: bar.update(tasks[stage], completed=share)


def _print_summary(summary: "ImportSummary") -> None:
    typer.echo(
        f"{summary.machine} ({summary.factory}): {summary.rows_read} rows read, {summary.new} new, "
        f"{summary.replaced} replaced, {summary.refused} refused."
    )
    if summary.first_at and summary.end_at:
        every = f", one each {_duration(summary.interval_seconds)}" if summary.interval_seconds else ""
        typer.echo(
            f"Period {summary.first_at:%Y-%m-%dT%H:%M:%SZ} to {summary.end_at:%Y-%m-%dT%H:%M:%SZ}{every}."
        )
    if summary.gaps and summary.longest_gap_at:
        typer.echo(
            f"{summary.gaps} gaps, {_duration(summary.gap_seconds)} in all; the longest from "
            f"{summary.longest_gap_at:%Y-%m-%dT%H:%M:%SZ}, {_duration(summary.longest_gap_seconds)}."
        )
    else:
        typer.echo("No gaps.")
    for count, what in _remarks(summary):
        if count:
            typer.echo(f"{count} {what}.")
    if summary.drivers:
        typer.echo(f"Kept as drivers in metadata: {', '.join(summary.drivers)}.")
    if summary.refused_file:
        typer.echo(f"Refused rows, with their lines and reasons: {summary.refused_file}")


def _remarks(summary: "ImportSummary") -> list[tuple[int, str]]:
    counter = summary.counter
    return [
        (summary.duplicates, "rows have the time of a later row of the file, which counts"),
        (summary.clock_changes, "days with a change of the clock"),
        (summary.doubled_hour_rows, "rows placed in the second pass of a doubled hour"),
        (
            summary.missing_hour_rows,
            "rows left out: their local time doesn't exist, the clock had gone forward",
        ),
        (counter.resets if counter else 0, "restarts of the counter; what it counted since then is taken"),
        (counter.jumps_back if counter else 0, "jumps back of the counter; nothing is counted there"),
        (counter.outliers if counter else 0, "single counts out of line, interpolated"),
        (summary.negative, "increments below zero: stored, but they count nothing"),
        (summary.refused_by_aggregates, "readings of the period are negative or repeated and count nothing"),
        (summary.spread_by_aggregates, "readings after a gap are spread over it as an estimate"),
    ]


def _duration(seconds: float | None) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds and seconds >= size:
            return f"{seconds / size:g} {unit}" if seconds % size == 0 else f"{seconds / size:.1f} {unit}"
    return f"{seconds:g} s"
