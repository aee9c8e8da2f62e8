"""Command `enms detect`: anomalies from the shell."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from enms_local.cli.output import JsonOption, print_json, print_table

if TYPE_CHECKING:
    from datetime import datetime

    from enms.services.periods import Moment


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(detect)


def detect(
    machine: Annotated[str, typer.Option(help="Name of the machine.")],
    start: Annotated[
        str,
        typer.Option(metavar="TIME", help="A day of the factory, or an instant such as 2026-03-27T08:00Z."),
    ],
    end: Annotated[str, typer.Option(metavar="TIME", help="Likewise; a day counts wholly.")],
    factory: Annotated[
        str | None, typer.Option(help="Its factory, where several have a machine of that name.")
    ] = None,
    contamination: Annotated[
        float, typer.Option(help="Share of intervals that the forest may take for odd: above 0, up to 0.5.")
    ] = 0.1,
    energy_type: Annotated[str, typer.Option(help="The carrier.")] = "electrical",
    *,
    store: Annotated[bool, typer.Option("--store/--no-store", help="Keep what is found.")] = True,
    budget: Annotated[
        bool,
        typer.Option("--budget/--no-budget", help="Without it every candidate of 2 σ and 3 σ is told."),
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Looks for anomalies in a period of a machine, and keeps each once, however often it is found."""
    from enms.database.connection import Database
    from enms.services import detection, registry
    from enms.services.anomaly_requests import DetectionRequest
    from enms_local.cli.database import database_url
    from enms_local.cli.models import models_for_detection

    settings, store_of_models = models_for_detection()
    database = Database(database_url, statement_timeout_seconds=600)
    asked = DetectionRequest(
        machine_id=registry.find_machine(database, machine, factory)["id"],
        start=_moment("--start", start),
        end=_moment("--end", end),
        contamination=contamination,
        energy_type=energy_type,
        with_budget=budget,
        is_stored=store,
    )
    answer = detection.detect(database, store_of_models, settings, asked, "command")
    if as_json:
        print_json(answer)
    else:
        _print_found(machine, answer)


def _moment(option: str, text: str) -> "Moment":
    from enms.web.parameters import parse_moment

    return parse_moment(option, text)


def _print_found(machine: str, answer: dict[str, Any]) -> None:
    if answer["note"]:
        typer.echo(f"Mind: {answer['note']}", err=True)
    found = answer["anomalies"]
    if found:
        columns = ("begins", "ends", "kind", "severity", "state", "kWh", "cost", "confidence", "what")
        print_table(columns, [_row(each) for each in found])
    for each in answer["held_back"]:
        typer.echo(f"Held back: {each['anomaly_type']} of {_instant(each['detected_at'])}. {each['reason']}")
    counted = "1 anomaly" if len(found) == 1 else f"{len(found)} anomalies"
    typer.echo(f"{machine}: {counted}.")


def _row(found: dict[str, Any]) -> tuple[object, ...]:
    cost = None if found["cost"] is None else f"{found['cost']:.2f} {found['currency']}"
    energy = None if found["energy_kwh"] is None else f"{found['energy_kwh']:.1f}"
    ends = "goes on" if found["ended_at"] is None else _instant(found["ended_at"])
    return (
        _instant(found["detected_at"]), ends, found["anomaly_type"], found["severity"], found["state"],
        energy, cost, f"{found['confidence_score']:.2f}", found["summary"],
    )  # fmt: skip


def _instant(at: "datetime") -> str:
    return f"{at:%Y-%m-%d %H:%M}Z"
