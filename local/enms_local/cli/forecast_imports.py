"""Commands `enms import schedule|weather`: what is known of times to come, from files."""

from typing import Annotated, Any

import typer

from enms_local.cli.imports import (
    DecimalCommaOption,
    DelimiterOption,
    EncodingOption,
    FileArgument,
    IntervalOption,
    StampOption,
    TimeColumnOption,
    TimeFormatOption,
    TimezoneOption,
    imports,
)
from enms_local.cli.output import JsonOption, print_json

MachineOption = Annotated[
    str | None, typer.Option("--machine", help="The machine that it holds for; else the whole factory.")
]
FactoryOption = Annotated[
    str | None, typer.Option("--factory", help="The factory; with --machine the one that has it.")
]
EndColumnOption = Annotated[
    str | None,
    typer.Option("--end-column", help="Column of the periods' ends; else all last as long as --interval."),
]
HistoryOption = Annotated[
    bool, typer.Option("--history", help="All of it lies in the past, and is only to be learned from.")
]


def register(app: typer.Typer) -> None:
    """Leaves the app as it is: the commands belong to `enms import`, which is part of it already."""


@imports.command()
def schedule(
    file: FileArgument,
    time_column: TimeColumnOption,
    value_column: Annotated[
        str, typer.Option(help="Column of what is planned; of stops the share of the load, 0 to 1.")
    ],
    machine: MachineOption = None,
    factory: FactoryOption = None,
    name: Annotated[str, typer.Option(help="What answers call it.")] = "production_schedule",
    kind: Annotated[str, typer.Option(help="schedule, planned_stop or other.")] = "schedule",
    end_column: EndColumnOption = None,
    interval: IntervalOption = None,
    stamp: StampOption = None,
    timezone: TimezoneOption = None,
    time_format: TimeFormatOption = None,
    delimiter: DelimiterOption = None,
    encoding: EncodingOption = "utf-8",
    *,
    decimal_comma: DecimalCommaOption = False,
    history: HistoryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Imports a production schedule, or planned stops, which forecasts then take into account.

    What was known of the file's period before is replaced. Holes are refused, except between planned stops.
    """
    _import(
        as_json=as_json,
        path=file,
        machine=machine,
        factory=factory,
        name=name,
        kind=kind,
        time_column=time_column,
        value_column=value_column,
        end_column=end_column,
        interval=interval,
        stamp=stamp or "start",
        timezone=timezone,
        time_format=time_format,
        delimiter=delimiter,
        encoding=encoding,
        decimal_comma=decimal_comma,
        is_history=history,
    )


@imports.command()
def weather(
    file: FileArgument,
    time_column: TimeColumnOption,
    value_column: Annotated[str, typer.Option(help="Column of the outdoor temperature.")],
    machine: MachineOption = None,
    factory: FactoryOption = None,
    name: Annotated[str, typer.Option(help="What answers call it.")] = "outdoor_temp_c",
    end_column: EndColumnOption = None,
    interval: IntervalOption = None,
    stamp: StampOption = None,
    timezone: TimezoneOption = None,
    time_format: TimeFormatOption = None,
    delimiter: DelimiterOption = None,
    encoding: EncodingOption = "utf-8",
    *,
    decimal_comma: DecimalCommaOption = False,
    history: HistoryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Imports a forecast of the outdoor temperature; its past is needed only where no machine measures it.

    What was known of the file's period before is replaced. Holes are refused.
    """
    _import(
        as_json=as_json,
        path=file,
        machine=machine,
        factory=factory,
        name=name,
        kind="temperature",
        time_column=time_column,
        value_column=value_column,
        end_column=end_column,
        interval=interval,
        stamp=stamp or "start",
        timezone=timezone,
        time_format=time_format,
        delimiter=delimiter,
        encoding=encoding,
        decimal_comma=decimal_comma,
        is_history=history,
    )


def _import(*, as_json: bool, **request: Any) -> None:
    from enms.database.connection import Database
    from enms.services.forecast_imports import RegressorFile, import_regressor
    from enms_local.cli.database import database_url

    summary = import_regressor(Database(database_url, statement_timeout_seconds=0), RegressorFile(**request))
    if as_json:
        print_json(summary)
        return
    subject = summary.get("machine") or summary["factory"]
    typer.echo(
        f"{subject}: {summary['name']} ({summary['kind']}), {summary['rows_read']} rows read, "
        f"{summary['stored']} values from {summary['from']:%Y-%m-%dT%H:%M:%SZ} until "
        f"{summary['until']:%Y-%m-%dT%H:%M:%SZ}, {summary['replaced']} former ones replaced."
    )
    if summary["missing_hour_rows"]:
        typer.echo(
            f"{summary['missing_hour_rows']} rows left out: their local time doesn't exist, the clock had "
            "gone forward."
        )
