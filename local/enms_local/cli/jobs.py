"""Commands `enms jobs …`: running by hand what rules run by themselves."""

from datetime import datetime
from typing import Annotated

import typer

from enms_local.cli.output import JsonOption, print_json, print_table

jobs = typer.Typer(help="Run by hand what rules run by themselves.", no_args_is_help=True)
run = typer.Typer(help="Run a job now.", no_args_is_help=True)
jobs.add_typer(run, name="run")


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(jobs, name="jobs")


@run.command("daily-kpis")
def daily_kpis(
    day: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="Local day; else the latest closed one."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Writes the key figures of a local day of every factory and its machines into analytics.kpi_daily."""
    from enms.database.connection import Database
    from enms.observability import log_to_stderr
    from enms.services import daily_kpis as job
    from enms.services import jobs as services
    from enms_local.cli.database import database_url

    log_to_stderr()
    database = Database(database_url, statement_timeout_seconds=600)
    run_id = services.request_daily_kpis(database, "command", "local", day.date() if day else None)
    job.run(database, run_id)
    account = services.run(database, run_id)
    if as_json:
        print_json(account)
        return
    rows = [
        (item["detail"]["factory_name"], item["detail"]["date"], item["state"], item["detail"].get("rows"),
         item["detail"].get("reason"))
        for item in account["items"]
    ]  # fmt: skip
    print_table(("factory", "day", "state", "rows", "reason"), rows)
    typer.echo(f"Run {run_id} {account['state']}.")
    if account["state"] != "succeeded":
        raise typer.Exit(1)
