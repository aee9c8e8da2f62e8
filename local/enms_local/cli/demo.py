"""Commands `enms demo …`: a factory whose true behaviour is known."""

from datetime import UTC, datetime
from typing import Annotated

import typer

demo = typer.Typer(help="The demo factory, on the local cloud's own database only.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(demo, name="demo")


@demo.command()
def load(
    days: Annotated[int, typer.Option(help="Length of the history before today.")] = 120,
    seed: Annotated[int | None, typer.Option(help="Chooses weather, orders and noise.")] = None,
) -> None:
    """Writes the demo factory and its history up to now, once."""
    from enms_local.demo.load import load_once
    from enms_local.demo.plant import DEFAULT_SEED

    if load_once(_own_database_url(), days, DEFAULT_SEED if seed is None else seed):
        typer.echo(f"The demo factory is loaded with {days} days of history.")
    else:
        typer.echo("The demo factory is loaded already: nothing was changed.")


@demo.command()
def inject(
    fault: Annotated[str, typer.Argument(help="See `enms demo faults`.")],
    machine: Annotated[str, typer.Option(help="Name of the machine.")],
    start: Annotated[str, typer.Option(help="ISO 8601; without an offset in the factory's time.")],
    hours: Annotated[float, typer.Option(help="How long it lasts.")],
    size: Annotated[float, typer.Option(help="Share of the machine's usual load.")] = 0.2,
) -> None:
    """Lets a fault have happened, and keeps it as truth in analytics.demo_truth."""
    from enms_local.demo.load import inject as inject_fault

    if inject_fault(_own_database_url(), machine, fault, _instant(start), hours, size):
        typer.echo(f"{machine} has had the fault '{fault}' from {start} for {hours:g} h.")
    else:
        typer.echo(f"{machine} has this fault already: nothing was changed.")


@demo.command()
def faults() -> None:
    """Lists the faults that can be injected, and what each should be recognised as."""
    from enms_local.cli.output import print_table
    from enms_local.demo.faults import KINDS

    print_table(("fault", "anomaly type", "what it does"), [(name, *rest) for name, rest in KINDS.items()])


def _own_database_url() -> str:
    """The local cloud's own database.

    Raises:
        ConflictError: The settings name another one.
    """
    from enms.errors import ConflictError
    from enms_local.cli.database import database_url, is_own_database

    if not is_own_database():
        raise ConflictError(
            "ENMS_DATABASE_URL names a database, and the demo only ever touches the local cloud's own:"
            " unset it to use the demo."
        )
    return database_url()


def _instant(text: str) -> datetime:
    from zoneinfo import ZoneInfo

    from enms.errors import InvalidInputError
    from enms_local.demo.plant import TIMEZONE

    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError(f"'{text}' is no instant: write it like 2026-03-01T22:00.") from error
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(TIMEZONE))).astimezone(UTC)
