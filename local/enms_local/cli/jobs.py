"""Commands `enms jobs …`: running by hand what rules run by themselves."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from enms_local.cli.output import JsonOption, print_json, print_table

if TYPE_CHECKING:
    from uuid import UUID

jobs = typer.Typer(help="Run by hand what rules run by themselves.", no_args_is_help=True)
run = typer.Typer(help="Run a job now.", no_args_is_help=True)
jobs.add_typer(run, name="run")


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(jobs, name="jobs")


MachineOption = Annotated[
    list[str] | None,
    typer.Option("--machine", help="Name of a machine; again for more. Else all."),
]
FactoryOption = Annotated[str | None, typer.Option("--factory", help="Factory of the machines named.")]


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
    _tell(run_id, account)


@run.command("retrain")
def retrain(
    machine: MachineOption = None, factory: FactoryOption = None, *, as_json: JsonOption = False
) -> None:
    """Trains baselines anew; a new one takes over only if it is no worse than the active one."""
    from enms.database.connection import Database
    from enms.observability import log_to_stderr
    from enms.services import jobs as services
    from enms.services import registry, retraining
    from enms_local.cli.database import database_url
    from enms_local.cli.models import models

    log_to_stderr()
    settings, store = models()
    database = Database(database_url, statement_timeout_seconds=600)
    machine_ids = [registry.find_machine(database, name, factory)["id"] for name in machine or ()] or None
    run_id = services.request_retraining(database, "command", "local", machine_ids)
    retraining.run_here(database, store, settings, run_id)
    account = services.run(database, run_id)
    if as_json:
        print_json(account)
        return
    _print_machines(account, {"version": "model_version", "verdict": "verdict", "active": "activated"})
    _tell(run_id, account)


@run.command("detect")
def detect(*, as_json: JsonOption = False) -> None:
    """Looks for anomalies in each active machine's closed hours that were not looked at yet."""
    from enms.database.connection import Database
    from enms.observability import log_to_stderr
    from enms.services import hourly_detection
    from enms.services import jobs as services
    from enms_local.cli.database import database_url
    from enms_local.cli.models import models_for_detection

    log_to_stderr()
    settings, store = models_for_detection()
    database = Database(database_url, statement_timeout_seconds=600)
    run_id = services.request_detection(database, "command", "local")
    hourly_detection.run(database, store, settings, run_id)
    account = services.run(database, run_id)
    if as_json:
        print_json(account)
        return
    _print_machines(account, {"from": "from", "until": "until", "anomalies": "anomalies"})
    _tell(run_id, account)


@run.command("forecast-1h")
def forecast_1h(*, as_json: JsonOption = False) -> None:
    """Scores past forecasts of the next hour, and makes the next ones."""
    _make_forecasts("forecast-1h", as_json=as_json)


@run.command("forecast-24h")
def forecast_24h(*, as_json: JsonOption = False) -> None:
    """Scores past forecasts of the next day and of the next week in hours, and makes the next ones."""
    _make_forecasts("forecast-24h", as_json=as_json)


@run.command("forecast-7d")
def forecast_7d(*, as_json: JsonOption = False) -> None:
    """Scores past forecasts of the next week, and makes the next ones."""
    _make_forecasts("forecast-7d", as_json=as_json)


def _make_forecasts(job: str, *, as_json: bool) -> None:
    from enms.database.connection import Database
    from enms.observability import log_to_stderr
    from enms.services import forecast_making, forecast_requests
    from enms.services import jobs as services
    from enms_local.cli.database import database_url
    from enms_local.cli.models import models

    log_to_stderr()
    settings, store = models()
    database = Database(database_url, statement_timeout_seconds=600)
    run_id = services.request_forecasts(database, job, "command", "local")
    wanted = forecast_making.run(database, store, settings, job, run_id)
    # Nobody else would: trained here and now, for the next run of the job.
    for training in forecast_requests.request_wanted(database, wanted):
        forecast_requests.run(database, store, settings, training)
    account = services.run(database, run_id)
    if as_json:
        print_json(account)
        return
    _print_machines(account, {"forecasts": "forecasts", "scored": "scored"})
    _tell(run_id, account)


def _print_machines(account: dict[str, Any], columns: dict[str, str]) -> None:
    """What became of each machine; `columns` tells which of its details is shown under which name."""
    rows = [
        (
            item["detail"].get("factory_name"),
            # What belongs to a factory as a whole names no machine.
            item["detail"].get("machine_name"),
            item["state"],
            *(item["detail"].get(name) for name in (*columns.values(), "reason")),
        )
        for item in account["items"]
    ]
    rows.sort(key=lambda row: [str(name or "") for name in row[:2]])
    print_table(("factory", "machine", "state", *columns, "reason"), rows)


def _tell(run_id: "UUID", account: dict[str, Any]) -> None:
    typer.echo(f"Run {run_id} {account['state']}.")
    if account["state"] != "succeeded":
        raise typer.Exit(1)
