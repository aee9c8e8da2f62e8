"""Commands `enms train`, `enms baselines …` and `enms evaluate …`: baselines from the shell."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import typer

from enms.science.baseline.names import Interval
from enms_local.cli.output import JsonOption, print_json, print_table

if TYPE_CHECKING:
    from enms.database.connection import Database
    from enms.services.periods import Moment

baselines = typer.Typer(help="The trained baselines of machines.", no_args_is_help=True)
evaluation = typer.Typer(
    help="Try the science on a file, without a stack and without a database.", no_args_is_help=True
)

_INTERVALS: dict[str, Interval] = {"1h": "hour", "1d": "day"}
_DAYS = 90
_LISTED = 1000

Model = Literal["linear", "change_point", "time_of_week_temperature", "auto"]
FactoryOption = Annotated[
    str | None, typer.Option("--factory", help="Its factory, where several have a machine of that name.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(train)
    app.add_typer(baselines, name="baselines")
    app.add_typer(evaluation, name="evaluate")


def train(
    machine: Annotated[str, typer.Option(help="Name of the machine.")],
    drivers: Annotated[str, typer.Option(help="Names, separated by commas; or auto.")] = "auto",
    factory: FactoryOption = None,
    start: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day of the training period.")
    ] = None,
    end: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Its last day, included.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, help=f"Or that many days up to now; {_DAYS} if nothing is said.")
    ] = None,
    model: Annotated[
        Model, typer.Option(help="The form; auto takes what errs least out of time.")
    ] = "linear",
    interval: Annotated[Literal["hour", "day"], typer.Option(help="What the baseline predicts.")] = "hour",
    energy_type: Annotated[str, typer.Option(help="The carrier.")] = "electrical",
    reason: Annotated[str | None, typer.Option(help="Why it is forced; kept with the model.")] = None,
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Make it the active one whatever the verdict says.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Trains a machine's baseline and keeps it; it takes over where verdict and error allow.

    A rejected model is an answer too: it is kept for the record.
    """
    from enms.database.connection import Database
    from enms.services import registry, training
    from enms.services.baseline_requests import TrainingRequest
    from enms_local.cli.database import database_url
    from enms_local.cli.models import models

    first, last = _period(start, end, days)
    settings, store = models()
    database = Database(database_url, statement_timeout_seconds=600)
    request = TrainingRequest(
        machine_id=registry.find_machine(database, machine, factory)["id"],
        start=first,
        end=last,
        drivers=_names(drivers),
        model=model,
        interval=interval,
        energy_type=energy_type,
        force=force,
        reason=reason,
    )
    answer = training.train(database, store, settings, request, actor="command")
    if as_json:
        print_json(answer)
    else:
        _print_trained(machine, answer)


@baselines.command("list")
def list_baselines(
    machine: Annotated[str | None, typer.Option(help="Name of a machine; else all.")] = None,
    factory: FactoryOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Lists the baselines, the newest version of each machine and carrier first."""
    from enms.database import baselines as stored
    from enms.services import models, registry

    database = _database()
    machine_id = registry.find_machine(database, machine, factory)["id"] if machine else None
    found = [models.summary(row) for row in stored.models(database, machine_id, None, None, _LISTED, 0)[1]]
    if as_json:
        print_json(found)
        return
    columns = ("model_id", "machine_name", "energy_type", "model_version", "model", "verdict", "is_active",
               "r_squared", "training_samples", "trained_at")  # fmt: skip
    print_table(columns, [[each[name] for name in columns] for each in found])


@baselines.command()
def activate(
    model_id: Annotated[UUID, typer.Argument(metavar="ID", help="See `enms baselines list`.")],
    reason: Annotated[str | None, typer.Option(help="Why; needed for a rejected model.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Makes a version the active one, forward or back."""
    from enms.services import activation

    answer = activation.activate(_database(), model_id, "command", reason)
    if as_json:
        print_json(answer)
        return
    former = answer["former_version"]
    instead = f" in place of version {former}" if former not in (None, answer["model_version"]) else ""
    typer.echo(f"Version {answer['model_version']} is active{instead}.")


@evaluation.command("baseline")
def evaluate_baseline(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header, gzip'd or not.")],
    target: Annotated[str, typer.Option(help="Column of energy, or of power by its unit (…_kw, …_mw).")],
    time_column: Annotated[
        str | None, typer.Option(help="Column of the time stamps; without it rows are taken as they stand.")
    ] = None,
    driver: Annotated[
        list[str] | None,
        typer.Option(help="Column, or weekday, working_day, hour_of_week; again for more."),
    ] = None,
    candidate: Annotated[
        list[str] | None, typer.Option(help="What --auto chooses from; again for more. Else every column.")
    ] = None,
    model: Annotated[
        Model | None, typer.Option(help="The form; else linear, with --auto auto.", show_default=False)
    ] = None,
    interval: Annotated[
        Literal["1h", "1d"] | None,
        typer.Option(help="What is predicted; finer rows are joined. Else what their distance suggests."),
    ] = None,
    temperature_column: Annotated[
        str | None, typer.Option(help="What degrees and change points are made of.")
    ] = None,
    temperature_unit: Annotated[
        Literal["C", "F"] | None, typer.Option(help="Its unit, which coefficients keep.")
    ] = None,
    train: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="START END", help="Training period: days, the last included, or instants."),
    ] = None,
    test: Annotated[
        tuple[str, str] | None, typer.Option(metavar="START END", help="Period to try the model on.")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(help="Without periods: parts that are held out in turn; else 10.")
    ] = None,
    target_kind: Annotated[
        Literal["energy", "power"] | None, typer.Option(help="Energy is summed, power averaged.")
    ] = None,
    stamp: Annotated[
        Literal["start", "end"] | None,
        typer.Option(help="What stamps tell of a row; else end if they run from 00:15 to 00:00 or alike."),
    ] = None,
    time_format: Annotated[
        str | None, typer.Option(help="Such as '%d.%m.%Y %H:%M'; else ISO 8601 or what fits all stamps.")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="Else what the header has most of.")] = None,
    encoding: Annotated[str, typer.Option(help="Of the text.")] = "utf-8",
    *,
    auto: Annotated[bool, typer.Option("--auto", help="Choose the drivers and the form.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Fits a baseline to a file and tries it on what it hasn't seen: later time, or rows held out in turn."""
    from enms_local.evaluate.evaluation import evaluate
    from enms_local.evaluate.question import Question
    from enms_local.evaluate.report import as_data, print_evaluation

    question = Question(
        path=file,
        target=target,
        time_column=time_column,
        drivers=tuple(driver or ()),
        is_auto=auto,
        candidates=tuple(candidate or ()),
        model=model,
        interval=_INTERVALS[interval] if interval else None,
        temperature_column=temperature_column,
        temperature_unit=temperature_unit,
        train=train,
        test=test,
        folds=folds,
        target_kind=target_kind,
        stamp=stamp,
        time_format=time_format,
        delimiter=delimiter,
        encoding=encoding,
    )
    found = evaluate(question)
    for warning in found.warnings:
        typer.echo(f"Mind: {warning}", err=True)
    if as_json:
        print_json(as_data(found))
    else:
        print_evaluation(found)


@evaluation.command("anomalies")
def evaluate_anomalies(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header, gzip'd or not.")],
    time_column: Annotated[str, typer.Option(help="Column of the time stamps.")],
    target: Annotated[str, typer.Option(help="Column of the quantity that is watched.")],
    train_until: Annotated[
        str, typer.Option(metavar="ISO", help="Up to here it counts as usual; what comes after is judged.")
    ],
    driver: Annotated[
        list[str] | None, typer.Option(help="Column that explains the target; again for more.")
    ] = None,
    interval: Annotated[
        str | None,
        typer.Option(help="What is judged, such as 15min: finer rows are joined. Else the rows' distance."),
    ] = None,
    label_column: Annotated[
        str | None, typer.Option(help="Column that is 1 where something was wrong, else 0.")
    ] = None,
    scores: Annotated[
        Path | None, typer.Option(metavar="OUT.csv", help="Write time, score and flag of each point here.")
    ] = None,
    time_format: Annotated[
        str | None, typer.Option(help="Such as '%d.%m.%Y %H:%M'; else ISO 8601 or what fits all stamps.")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="Else what the header has most of.")] = None,
    encoding: Annotated[str, typer.Option(help="Of the text.")] = "utf-8",
    *,
    as_json: JsonOption = False,
) -> None:
    """Looks for anomalies in a file: the later part judged by the earlier, each point by those before it."""
    from enms_local.evaluate import anomaly_report
    from enms_local.evaluate.anomalies import evaluate_anomalies as evaluate
    from enms_local.evaluate.anomaly_question import AnomalyQuestion

    found = evaluate(
        AnomalyQuestion(
            path=file,
            time_column=time_column,
            target=target,
            train_until=train_until,
            drivers=tuple(dict.fromkeys(driver or ())),
            interval=interval,
            label_column=label_column,
            time_format=time_format,
            delimiter=delimiter,
            encoding=encoding,
        )
    )
    for warning in found.warnings:
        typer.echo(f"Mind: {warning}", err=True)
    if scores is not None:
        anomaly_report.write_scores(found, scores)
    if as_json:
        print_json(anomaly_report.as_data(found))
    else:
        anomaly_report.print_anomalies(found)


def _database() -> "Database":
    from enms.database.connection import Database
    from enms_local.cli.database import database_url

    return Database(database_url)


def _names(drivers: str) -> tuple[str, ...] | None:
    """The drivers that were named; None where they are to be chosen."""
    if drivers.strip() == "auto":
        return None
    return tuple(dict.fromkeys(name.strip() for name in drivers.split(",") if name.strip()))


def _period(start: datetime | None, end: datetime | None, days: int | None) -> "tuple[Moment, Moment]":
    """The days that were named, else the last so many."""
    from enms.errors import InvalidInputError

    if start and end and days is None:
        return start.date(), end.date()
    if start or end:
        raise InvalidInputError("The training period is --start and --end, or --days: give one of the two.")
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return now - timedelta(days=days or _DAYS), now


def _print_trained(machine: str, answer: dict[str, Any]) -> None:
    typer.echo(
        f"{machine}: version {answer['model_version']}, {answer['model'].replace('_', ' ')}, "
        f"{answer['training_samples']} {answer['interval']}s, R² {answer['r_squared']:.4f}, "
        f"CV(RMSE) {_figure(answer['cv_rmse_percent'], '.1f')} %.\n"
    )
    intercept = {
        "name": "intercept",
        "value": answer["intercept"],
        "std_error": answer["intercept_std_error"],
    }
    rows = [
        (each["name"], _figure(each["value"], ".6g"), _figure(each["std_error"], ".3g"),
         _figure(each.get("p_value"), ".2g"), _figure(each.get("vif"), ".1f"))
        for each in (intercept, *answer["coefficient_details"])
    ]  # fmt: skip
    print_table(("term", "kWh per unit", "std. error", "p", "VIF"), rows)
    verdict = answer["verdict"]
    typer.echo(f"\nVerdict: {verdict['status']}")
    for reason in verdict["reasons"]:
        typer.echo(f"  {reason['severity']}: {reason['text']}")
    state = "It is the active one" if answer["activated"] else "It isn't active"
    typer.echo(f"{state}: {answer['activation']}")


def _figure(value: float | None, form: str) -> str | None:
    """A figure; None where it couldn't be told."""
    return None if value is None else format(value, form)
