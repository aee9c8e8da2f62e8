"""Command `enms evaluate forecast`: forecasts of a file's past."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from enms_local.cli.baselines import evaluation
from enms_local.cli.output import JsonOption, print_json


def register(app: typer.Typer) -> None:
    """Adds the command to those of `enms evaluate`, which is there already."""
    evaluation.command("forecast")(evaluate_forecast)


def evaluate_forecast(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header, gzip'd or not.")],
    time_column: Annotated[str, typer.Option(help="Column of the time stamps.")],
    value_column: Annotated[str, typer.Option(help="Column of the load.")],
    unit: Annotated[str, typer.Option(help="kW, kWh (in each row) or MW.")],
    interval: Annotated[
        str, typer.Option(metavar="LENGTH", help="What a row stands for: 10min, 15min, 30min, 1h, 1d.")
    ],
    horizon: Annotated[str, typer.Option(help="1h, 24h or 7d.")],
    origins: Annotated[int, typer.Option(help="How many forecasts.")],
    step: Annotated[
        str | None, typer.Option(metavar="LENGTH", help="15min, 1h or 1d; else 15min for 1h, 1h for 24h, 1d.")
    ] = None,
    origin_every: Annotated[
        str | None,
        typer.Option(metavar="LENGTH", help="From origin to origin; else 435min for 1h, 24h, 7d."),
    ] = None,
    last_origin: Annotated[
        str | None,
        typer.Option(metavar="ISO", help="Where the last begins; else as late as the file has its truth."),
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="IANA zone of the stamps; else the file's clock as it stands.")
    ] = None,
    stamp: Annotated[
        Literal["start", "end"] | None,
        typer.Option(help="What a stamp tells of its row's interval; else by the first and the last."),
    ] = None,
    regressor: Annotated[
        list[str] | None,
        typer.Option(help="Column that is known ahead, such as a schedule; again for more."),
    ] = None,
    country: Annotated[
        str | None, typer.Option(help="Whose holidays hold: DE, US …, or none; else the zone's.")
    ] = None,
    training_days: Annotated[
        int | None, typer.Option(help="Days before an origin that are learned from; else as what serves.")
    ] = None,
    time_format: Annotated[
        str | None, typer.Option(help="Such as '%d.%m.%Y %H:%M'; else ISO 8601 or what fits all stamps.")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="Else what the header has most of.")] = None,
    encoding: Annotated[str, typer.Option(help="Of the text.")] = "utf-8",
    *,
    as_json: JsonOption = False,
) -> None:
    """Forecasts a file's past from several origins: every model, and what would have been chosen."""
    from enms_local.evaluate import forecast_report
    from enms_local.evaluate.forecast_question import ForecastQuestion
    from enms_local.evaluate.forecasts import evaluate_forecasts

    found = evaluate_forecasts(
        ForecastQuestion(
            path=file,
            time_column=time_column,
            value_column=value_column,
            unit=unit,
            interval=interval,
            horizon_name=horizon,
            origins_wanted=origins,
            step=step,
            origin_every=origin_every,
            last_origin=last_origin,
            zone=timezone,
            stamp=stamp,
            regressors=tuple(dict.fromkeys(regressor or ())),
            country=country,
            training_days=training_days,
            time_format=time_format,
            delimiter=delimiter,
            encoding=encoding,
        )
    )
    for warning in found.warnings:
        typer.echo(f"Mind: {warning}", err=True)
    if as_json:
        print_json(forecast_report.as_data(found))
    else:
        forecast_report.print_forecasts(found)
