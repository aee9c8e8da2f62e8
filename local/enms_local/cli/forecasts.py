"""Command `enms forecast`: the coming load from the shell."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from enms_local.cli.output import JsonOption, print_json, print_table


class Horizon(StrEnum):
    """How far to look."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(forecast)


def forecast(
    horizon: Annotated[Horizon, typer.Option(help="In quarter hours, hours or local days.")] = Horizon.DAY,
    machine: Annotated[str | None, typer.Option(help="Name of the machine.")] = None,
    factory: Annotated[
        str | None,
        typer.Option(help="The factory as a whole; with --machine the one that has it."),
    ] = None,
    model: Annotated[
        str, typer.Option(help="selected, or what is kept beside it: arima (1h), prophet (24h, 7d).")
    ] = "selected",
    energy_type: Annotated[str, typer.Option(help="The carrier.")] = "electrical",
    *,
    train: Annotated[bool, typer.Option("--train", help="Let models compete anew before.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Shows the coming load of a machine or a factory with its bands and its peak."""
    from enms.database.connection import Database
    from enms.services import forecasting
    from enms_local.cli.database import database_url
    from enms_local.cli.models import models

    settings, store = models()
    database = Database(database_url, statement_timeout_seconds=600)
    machine_id, factory_id = _subject(database, machine, factory)
    if train:
        _train(database, store, settings, machine_id, factory_id, horizon, energy_type)
    question = forecasting.ForecastQuestion(machine_id, factory_id, energy_type, horizon.value, model)
    answer = forecasting.demand(database, store, question)
    if as_json:
        print_json(answer)
    else:
        _print_forecast(machine or factory or "", answer)


def _subject(database: Any, machine: str | None, factory: str | None) -> tuple[Any, Any]:
    """The ids of the machine or the factory that is meant.

    Raises:
        InvalidInputError: Neither is named.
        NotFoundError: There is none of that name.
    """
    from enms.errors import InvalidInputError
    from enms.services import registry

    if machine:
        return registry.find_machine(database, machine, factory)["id"], None
    if factory:
        return None, registry.find_factory(database, factory)
    raise InvalidInputError("Say whose load: --machine NAME or --factory NAME.", parameter="--machine")


def _train(
    database: Any,
    store: Any,
    settings: Any,
    machine_id: Any,
    factory_id: Any,
    horizon: Horizon,
    energy_type: str,
) -> None:
    from enms.science.forecasting.horizons import HORIZONS
    from enms.services import forecast_training
    from enms.services.forecast_requests import PLANS
    from enms.services.forecast_subjects import find_subject

    subject = find_subject(database, machine_id, factory_id)
    plans = [HORIZONS[name] for name in PLANS[horizon.value]]
    trained = forecast_training.train(database, store, settings, subject, plans, energy_type, "command")
    typer.echo(f"{subject.name}: {trained['reason']}", err=True)


def _print_forecast(name: str, answer: dict[str, Any]) -> None:
    for note in answer["notes"]:
        typer.echo(f"Mind: {note}", err=True)
    rows = [
        (
            _local(each["timestamp"]),
            f"{each['predicted_power_kw']:.1f}",
            f"{each['lower_80_kw']:.1f} to {each['upper_80_kw']:.1f}",
            f"{each['confidence_interval_lower']:.1f} to {each['confidence_interval_upper']:.1f}",
            f"{each['energy_kwh']:.1f}",
        )
        for each in answer["predictions"]
    ]
    print_table(("begins", "kW", "80 %", "95 %", "kWh"), rows)
    peak, model = answer["peak_demand_predicted"], answer["model"]
    typer.echo(
        f"{name}: peak {peak['power_kw']:.1f} kW at {_local(peak['timestamp'])} ({answer['timezone']}), made "
        f"{answer['age_minutes']:.0f} min ago."
    )
    if model:
        typer.echo(f"By {' + '.join(model['members'])}, version {model['version']}: {model['reason']}")


def _local(at: datetime | str) -> str:
    return f"{datetime.fromisoformat(str(at)):%a %Y-%m-%d %H:%M}"
