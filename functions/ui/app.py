"""Endpoint group `ui`: the console in the browser. Its pages ask the API for every figure they show."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from enms.settings import UiSettings
from enms.web.access import viewer
from enms.web.app import DatabaseDependency, function_handler
from enms.web.console import Console

router = APIRouter(prefix="/ui", tags=["ui"], dependencies=[viewer], include_in_schema=False)
FOLDER = Path(__file__).parent


async def _console(request: Request) -> Console:
    # One for all requests: it keeps assets and compiled templates.
    state = request.app.state
    if not hasattr(state, "console"):
        state.console = Console(FOLDER, state.settings)
    console: Console = state.console
    return console


ConsoleDependency = Annotated[Console, Depends(_console)]


@router.get("")
@router.get("/")
def overview(request: Request, console: ConsoleDependency, database: DatabaseDependency) -> Response:
    """The factory today: against its baselines, cost, emissions, peak, health."""
    return console.page(request, database, "overview")


@router.get("/baseline")
def baseline(request: Request, console: ConsoleDependency, database: DatabaseDependency) -> Response:
    """Regression by ticking drivers."""
    return console.page(request, database, "baseline")


@router.get("/kpi")
def kpi(request: Request, console: ConsoleDependency, database: DatabaseDependency) -> Response:
    """Key figures over a period, beside the period before."""
    return console.page(request, database, "kpi")


@router.get("/anomaly")
def anomaly(request: Request, console: ConsoleDependency, database: DatabaseDependency) -> Response:
    """Open anomalies by cost, one opened beside them, and what people made of them."""
    return console.page(request, database, "anomaly")


@router.get("/forecast")
def forecast(request: Request, console: ConsoleDependency, database: DatabaseDependency) -> Response:
    """The coming load with its bands and peak, and when to run jobs so that they cost less."""
    return console.page(request, database, "forecast")


@router.get("/machine/{machine_id}")
def machine(
    machine_id: str, request: Request, console: ConsoleDependency, database: DatabaseDependency
) -> Response:
    """One machine: its load, its baseline, its key figures."""
    return console.page(request, database, "machine", machine_id=machine_id)


@router.get("/assets/{version}/{asset}")
def asset(version: str, asset: str, console: ConsoleDependency) -> Response:
    """What the pages are made of."""
    return console.asset(version, asset)


handler = function_handler(router, UiSettings)
