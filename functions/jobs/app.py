"""Endpoint group `jobs`: what runs by itself, when, and how it went."""

import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from enms.artifacts import ModelStore
from enms.database.connection import Database
from enms.services import daily_kpis, hourly_detection, retraining
from enms.services import jobs as job_service
from enms.services.connect import model_store
from enms.settings import JobsSettings
from enms.web.access import engineer, viewer
from enms.web.app import DatabaseDependency, function_handler
from enms.web.responses import JsonResponse, accepted, answers

router = APIRouter(tags=["jobs"])


class RunsQuery(BaseModel):
    """Which runs."""

    model_config = ConfigDict(extra="forbid")

    job: (
        Literal[
            "daily-kpis",
            "retrain",
            "train-baseline",
            "detect-anomalies",
            "forecast-1h",
            "forecast-24h",
            "forecast-7d",
            "train-forecasts",
        ]
        | None
    ) = None
    state: Literal["queued", "running", "succeeded", "partial", "failed"] | None = None
    limit: int = Field(50, ge=1, le=500)
    offset: int = Field(0, ge=0, le=1_000_000)


class DailyKpisRequest(BaseModel):
    """Which day."""

    model_config = ConfigDict(extra="forbid")

    date: datetime.date | None = Field(
        None, description="local day; each factory's latest closed one where none is given"
    )


class RetrainRequest(BaseModel):
    """Which machines."""

    model_config = ConfigDict(extra="forbid")

    machine_ids: list[UUID] | None = Field(
        None, description="all active machines where none are named", max_length=10_000
    )


@router.get("/scheduler/status", responses=answers("SchedulerStatus"), dependencies=[viewer])
@router.get("/api/v1/scheduler/status", responses=answers("SchedulerStatus"), dependencies=[viewer])
def scheduler_status(request: Request, database: DatabaseDependency) -> JsonResponse:
    """Each job's rule, its next run, and its last run's outcome."""
    return JsonResponse(job_service.scheduler_status(database, request.app.state.settings))


@router.post(
    "/api/v1/jobs/daily-kpis/run",
    status_code=202,
    responses=answers("Accepted", 202),
    dependencies=[engineer],
)
def run_daily_kpis(
    request: Request,
    background: BackgroundTasks,
    database: DatabaseDependency,
    asked: DailyKpisRequest | None = None,
) -> JsonResponse:
    """Asks for the daily KPIs now; `Location` tells where to see how it goes."""
    settings: JobsSettings = request.app.state.settings
    caller = request.state.caller
    run_id = job_service.request_daily_kpis(database, "request", caller.actor, asked.date if asked else None)
    if settings.daily_kpis_function:
        job_service.launch(database, settings.daily_kpis_function, run_id)
    else:
        background.add_task(daily_kpis.run, database, run_id)
    return accepted(settings.public_prefix, daily_kpis.JOB, run_id, background)


@router.post(
    "/api/v1/jobs/retrain/run",
    status_code=202,
    responses=answers("Accepted", 202),
    dependencies=[engineer],
)
def run_retraining(
    request: Request,
    background: BackgroundTasks,
    database: DatabaseDependency,
    asked: RetrainRequest | None = None,
) -> JsonResponse:
    """Asks for the retraining now; `Location` tells where to see how it goes."""
    settings: JobsSettings = request.app.state.settings
    store = None if settings.retrain_state_machine else model_store(settings)
    machine_ids = asked.machine_ids if asked else None
    run_id = job_service.request_retraining(database, "request", request.state.caller.actor, machine_ids)
    if settings.retrain_state_machine:
        job_service.start(database, settings.retrain_state_machine, run_id)
    elif store:
        background.add_task(retraining.run_here, database, store, settings, run_id)
    return accepted(settings.public_prefix, retraining.JOB, run_id, background)


@router.post(
    "/api/v1/jobs/detect-anomalies/run",
    status_code=202,
    responses=answers("Accepted", 202),
    dependencies=[engineer],
)
def run_detection(
    request: Request, background: BackgroundTasks, database: DatabaseDependency
) -> JsonResponse:
    """Asks for the detection of anomalies now; `Location` tells where to see how it goes."""
    settings: JobsSettings = request.app.state.settings
    store = None if settings.detect_function else model_store(settings)
    run_id = job_service.request_detection(database, "request", request.state.caller.actor)
    if settings.detect_function:
        job_service.launch(database, settings.detect_function, run_id)
    elif store:
        background.add_task(hourly_detection.run, database, store, settings, run_id)
    return accepted(settings.public_prefix, hourly_detection.JOB, run_id, background)


@router.post(
    "/api/v1/jobs/forecast-1h/run",
    status_code=202,
    responses=answers("Accepted", 202),
    dependencies=[engineer],
)
def run_forecast_1h(
    request: Request, background: BackgroundTasks, database: DatabaseDependency
) -> JsonResponse:
    """Asks for the next hour's forecasts now; `Location` tells where to see how it goes."""
    return _run_forecasts("forecast-1h", request, background, database)


@router.post(
    "/api/v1/jobs/forecast-24h/run",
    status_code=202,
    responses=answers("Accepted", 202),
    dependencies=[engineer],
)
def run_forecast_24h(
    request: Request, background: BackgroundTasks, database: DatabaseDependency
) -> JsonResponse:
    """Asks for the next day's forecasts now; `Location` tells where to see how it goes."""
    return _run_forecasts("forecast-24h", request, background, database)


@router.post(
    "/api/v1/jobs/forecast-7d/run",
    status_code=202,
    responses=answers("Accepted", 202),
    dependencies=[engineer],
)
def run_forecast_7d(
    request: Request, background: BackgroundTasks, database: DatabaseDependency
) -> JsonResponse:
    """Asks for the next week's forecasts now; `Location` tells where to see how it goes."""
    return _run_forecasts("forecast-7d", request, background, database)


def _run_forecasts(
    job: str, request: Request, background: BackgroundTasks, database: Database
) -> JsonResponse:
    settings: JobsSettings = request.app.state.settings
    store = None if settings.make_forecasts_function else model_store(settings)
    run_id = job_service.request_forecasts(database, job, "request", request.state.caller.actor)
    if settings.make_forecasts_function:
        job_service.launch(database, settings.make_forecasts_function, run_id, job)
    elif store:
        background.add_task(_make_forecasts_here, database, store, settings, job, run_id)
    return accepted(settings.public_prefix, job, run_id, background)


def _make_forecasts_here(
    database: Database, store: ModelStore, settings: JobsSettings, job: str, run_id: UUID
) -> None:
    # Imported here: it loads numpy.
    from enms.services import forecast_making, forecast_requests

    wanted = forecast_making.run(database, store, settings, job, run_id)
    for training in forecast_requests.request_wanted(database, wanted):
        forecast_requests.run(database, store, settings, training)


@router.get("/api/v1/jobs/runs", responses=answers("JobRuns"), dependencies=[viewer])
def runs(asked: Annotated[RunsQuery, Query()], database: DatabaseDependency) -> JsonResponse:
    """Runs, newest first; a page at a time."""
    return JsonResponse(job_service.runs(database, asked.job, asked.state, asked.limit, asked.offset))


@router.get("/api/v1/jobs/runs/{run_id}", responses=answers("JobRunDetails"), dependencies=[viewer])
def run(run_id: UUID, database: DatabaseDependency) -> JsonResponse:
    """One run: its state, counts, and what it dealt with."""
    return JsonResponse(job_service.run(database, run_id))


handler = function_handler(router, JobsSettings)
