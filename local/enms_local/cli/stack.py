"""Commands of the local cloud itself: up, down, status, logs, migrate, dev, reset."""

from dataclasses import asdict
from typing import Annotated

import typer

from enms.errors import InvalidInputError
from enms_local.cli.output import JsonOption, print_json, print_table


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (up, down, status, logs, migrate, dev, reset):
        app.command()(command)


def up() -> None:
    """Bring the local cloud up, or what of it doesn't run; ends with addresses and a call to copy."""
    from enms_local.stack.settings import StackSettings
    from enms_local.stack.up import bring_up

    bring_up(StackSettings.load())


def down() -> None:
    """Stop all parts; the database's content stays."""
    from enms_local.stack.settings import StackSettings
    from enms_local.stack.up import bring_down

    bring_down(StackSettings.load())


def status(*, as_json: JsonOption = False) -> None:
    """Show what runs, where, since when, and its memory (proportional set size)."""
    from enms_local.stack.settings import StackSettings
    from enms_local.stack.status import parts

    found = parts(StackSettings.load())
    if as_json:
        print_json([asdict(part) for part in found])
        return
    print_table(
        ["part", "state", "address", "process", "age", "memory"],
        [
            (
                part.name,
                part.state,
                part.address,
                part.pid,
                None if part.age_seconds is None else _age(part.age_seconds),
                None if part.memory_mb is None else f"{part.memory_mb:.0f} MB",
            )
            for part in found
        ],
    )


def logs(
    name: Annotated[
        str,
        typer.Argument(help="postgres, localstack, feed, functions (all), or one function."),
    ],
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with each new line.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")] = 100,
) -> None:
    """Show the log of a part."""
    from enms_local.stack import logs as log_files
    from enms_local.stack.settings import StackSettings

    logs_dir = StackSettings.load().logs_dir
    read = log_files.follow if follow else log_files.show
    for line in read(logs_dir, name, lines):
        typer.echo(line)


def migrate(
    *,
    plan: Annotated[bool, typer.Option("--plan", help="Only print it (the default).")] = False,
    apply: Annotated[bool, typer.Option("--apply", "--yes", "-y", help="Do it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print what the database lacks (objects added, functions replaced); with --apply, add it."""
    from enms.database import migrate as migrations
    from enms_local.cli.database import database_url
    from enms_local.stack.database import connected

    if plan and apply:
        raise InvalidInputError("Say --plan or --apply, not both.")
    with connected(database_url()) as database:
        result = migrations.apply(database) if apply else migrations.plan(database)
    if as_json:
        print_json(
            {
                "applied": apply,
                "migrations": [f"{m.number:04}_{m.name}" for m in result.pending],
                "added": result.added,
                "replaced": result.replaced,
            }
        )
        return
    if not result.pending:
        typer.echo("The database is up to date.")
        return
    for title, entries in (
        ("Migrations", [f"{m.number:04}_{m.name}" for m in result.pending]),
        ("Added", result.added),
        ("Replaced", result.replaced),
    ):
        typer.echo(f"{title}: {len(entries)}")
        for entry in entries:
            typer.echo(f"  {entry}")
    typer.echo("Applied." if apply else "Nothing was changed. `enms migrate --apply` does it.")


def dev() -> None:
    """Serve the same routes from uvicorn, with reload; starts PostgreSQL if it doesn't run."""
    from enms_local.stack.development_server import serve
    from enms_local.stack.settings import StackSettings

    serve(StackSettings.load())


def reset(
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Stop all parts and delete all state, the database included; the installed environments stay."""
    from enms_local.stack.settings import StackSettings
    from enms_local.stack.up import empty_state

    settings = StackSettings.load()
    if not yes:
        typer.confirm(f"Delete everything in {settings.state_dir}, the database included?", abort=True)
    empty_state(settings)


def _age(seconds: int) -> str:
    """A duration for people, in its two largest units."""
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [
        f"{value} {unit}"
        for value, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s"))
        if value
    ]
    return " ".join(parts[:2]) or "0 s"
