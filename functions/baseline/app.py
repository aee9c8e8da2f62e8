"""Endpoint group `baseline`: energy baselines, what deviates from them, and what was saved.

Services are imported where a route needs them: the lists and a model's page answer without numpy.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Header, Query, Request, Response
from pydantic import AwareDatetime

from enms.database.adjustments import NewAdjustment
from enms.database.catalog import MachineFilter
from enms.services import jobs as job_service
from enms.services.baseline_requests import TrainingRequest
from enms.settings import BaselineSettings
from enms.web.access import Caller, engineer, viewer
from enms.web.app import DatabaseDependency, ModelStoreDependency, function_handler
from enms.web.baseline_questions import (
    ActivationBody,
    AdjustmentBody,
    AdjustmentsQuery,
    DeviationQuery,
    DriversQuery,
    HealthQuery,
    ModelsQuery,
    OverviewQuery,
    PeriodOfMachine,
    TrainBody,
    TrainingBody,
)
from enms.web.parameters import EnergyType, documented, query
from enms.web.responses import JsonResponse, accepted, answers

router = APIRouter(prefix="/api/v1/baseline", tags=["baseline"])


def _text(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {"schema": {"type": "string"}}}}}


@router.post(
    "/train",
    status_code=201,
    responses=answers("TrainedBaseline", 201, "A new version was made")
    | answers("TrainedBaseline", 200, "The same data and settings gave this model before")
    | answers("Accepted", 202, "It takes longer than a request may: `Location` tells where it goes on"),
)
def train(
    body: TrainBody,
    request: Request,
    background: BackgroundTasks,
    database: DatabaseDependency,
    store: ModelStoreDependency,
    caller: Annotated[Caller, engineer],
    prefer: Annotated[str, Header(description="`respond-async` doesn't wait for the training")] = "",
) -> JsonResponse:
    """Trains a baseline and keeps it; a rejected one is an answer too."""
    from enms.services import later_training, training

    settings: BaselineSettings = request.app.state.settings
    asked = body.request(force=body.force, reason=body.reason)
    training.check(asked)
    if "respond-async" in prefer or later_training.is_long(asked):
        later_training.check_machine(database, asked)
        return _later(asked, settings, background, database, store, caller.actor)
    answer = training.train(database, store, settings, asked, caller.actor)
    location = f"{settings.public_prefix}/api/v1/baseline/model/{answer['model_id']}"
    return JsonResponse(answer, status_code=201 if answer["created"] else 200, headers={"location": location})


def _later(
    asked: TrainingRequest,
    settings: BaselineSettings,
    background: BackgroundTasks,
    database: DatabaseDependency,
    store: ModelStoreDependency,
    actor: str,
) -> JsonResponse:
    from enms.services import later_training, retraining

    run_id = job_service.request_training(database, actor, later_training.as_parameters(asked, actor))
    if settings.retrain_function:
        job_service.launch(database, settings.retrain_function, run_id, "train-request")
    else:
        background.add_task(retraining.train_as_requested, database, store, settings, run_id)
    return accepted(settings.public_prefix, retraining.TRAINING_JOB, run_id, background)


@router.post("/analyze", responses=answers("AnalyzedBaseline"), dependencies=[viewer])
def analyze(body: TrainingBody, request: Request, database: DatabaseDependency) -> JsonResponse:
    """The same as training, with nothing kept: what drivers would give."""
    from enms.services import training

    return JsonResponse(training.analyze(database, request.app.state.settings, body.request()))


@router.get(
    "/drivers",
    responses=answers("BaselineDrivers"),
    openapi_extra=documented(DriversQuery),
    dependencies=[viewer],
)
def drivers(
    asked: Annotated[DriversQuery, query(DriversQuery)], database: DatabaseDependency
) -> JsonResponse:
    """Every driver there is: coverage, range, correlation with energy, and why it can't be used."""
    from enms.services import driver_choice

    wanted = TrainingRequest(
        asked.machine_id, asked.start, asked.end, None, "auto", asked.interval, asked.energy_type
    )
    return JsonResponse(driver_choice.drivers(database, wanted))


@router.get(
    "/deviation",
    responses=answers("Deviation"),
    openapi_extra=documented(DeviationQuery),
    dependencies=[viewer],
)
def deviation(
    asked: Annotated[DeviationQuery, query(DeviationQuery)],
    database: DatabaseDependency,
    store: ModelStoreDependency,
) -> JsonResponse:
    """What a machine used beside what its baseline expects, in total and by hour or day."""
    from enms.services import deviations

    return JsonResponse(deviations.deviation(database, store, asked.question(), asked.interval))


@router.get(
    "/savings",
    responses=answers("Savings"),
    openapi_extra=documented(PeriodOfMachine),
    dependencies=[viewer],
)
def savings(
    asked: Annotated[PeriodOfMachine, query(PeriodOfMachine)],
    database: DatabaseDependency,
    store: ModelStoreDependency,
) -> JsonResponse:
    """Energy, cost and emissions avoided over a reporting period, with their uncertainty."""
    from enms.services import savings as service

    return JsonResponse(service.savings(database, store, asked.question()))


@router.get(
    "/overview",
    responses=answers("BaselineOverview"),
    openapi_extra=documented(OverviewQuery),
    dependencies=[viewer],
)
def overview(
    asked: Annotated[OverviewQuery, query(OverviewQuery)],
    database: DatabaseDependency,
    store: ModelStoreDependency,
) -> JsonResponse:
    """Every active machine of a factory beside its baseline, and the factory's total."""
    from enms.services import baseline_overview as service

    return JsonResponse(service.overview(database, store, asked.question()))


@router.get(
    "/predict",
    responses=answers("Prediction"),
    openapi_extra={
        "parameters": [
            {
                "name": "drivers",
                "in": "query",
                "required": False,
                "description": "a parameter for each driver of the baseline, such as `production_count=120`",
                "schema": {"type": "object", "additionalProperties": {"type": "string"}},
            }
        ]
    },
    dependencies=[viewer],
)
def predict(
    request: Request,
    database: DatabaseDependency,
    store: ModelStoreDependency,
    machine_id: UUID,
    energy_type: EnergyType = "electrical",
    at: Annotated[AwareDatetime | None, Query(description="for calendar terms, with offset from UTC")] = None,
) -> JsonResponse:
    """Expected energy of one interval at given drivers, with its 95 % interval."""
    from enms.services import predictions

    own = ("machine_id", "energy_type", "at")
    values = {name: value for name, value in request.query_params.items() if name not in own}
    return JsonResponse(predictions.predict(database, store, machine_id, energy_type, values, at))


@router.get("/models", responses=answers("Baselines"), dependencies=[viewer])
def models(asked: Annotated[ModelsQuery, Query()], database: DatabaseDependency) -> JsonResponse:
    """Versions of baselines, the newest of each machine first."""
    from enms.services import models as service

    return JsonResponse(
        service.listed(database, asked.machine_id, asked.energy_type, asked.active, asked.limit, asked.offset)
    )


@router.get("/model/{model_id}", responses=answers("BaselineDetails"), dependencies=[viewer])
def model(model_id: UUID, database: DatabaseDependency, store: ModelStoreDependency) -> JsonResponse:
    """One version in full."""
    from enms.services import models as service

    return JsonResponse(service.details(database, store, model_id))


@router.get("/model/{model_id}/charts", responses=answers("BaselineCharts"), dependencies=[viewer])
def charts(model_id: UUID, database: DatabaseDependency, store: ModelStoreDependency) -> JsonResponse:
    """What charts of a version are drawn of, thinned."""
    from enms.services import baseline_charts

    return JsonResponse(baseline_charts.charts_of(database, store, model_id))


@router.get("/model/{model_id}/report", responses=_text("text/html"), dependencies=[viewer])
def report(model_id: UUID, database: DatabaseDependency, store: ModelStoreDependency) -> Response:
    """The auditor's dossier: one page that prints and needs no network."""
    from enms.services import dossier

    return Response(dossier.report_of(database, store, model_id), media_type="text/html")


@router.get("/model/{model_id}/coefficients.csv", responses=_text("text/csv"), dependencies=[viewer])
def coefficients(model_id: UUID, database: DatabaseDependency, store: ModelStoreDependency) -> Response:
    """A version's coefficients with all their figures."""
    from enms.services import exports

    return _csv(exports.coefficients_of(database, store, model_id), f"coefficients-{model_id}.csv")


@router.get("/model/{model_id}/residuals.csv", responses=_text("text/csv"), dependencies=[viewer])
def residuals(model_id: UUID, database: DatabaseDependency, store: ModelStoreDependency) -> Response:
    """Actual and predicted energy of each interval that a version was trained on."""
    from enms.services import exports

    return _csv(exports.residuals_of(database, store, model_id), f"residuals-{model_id}.csv")


@router.post("/model/{model_id}/activate", responses=answers("Activation"))
def activate(
    model_id: UUID,
    database: DatabaseDependency,
    caller: Annotated[Caller, engineer],
    body: ActivationBody | None = None,
) -> JsonResponse:
    """Makes a version the active one, forward or back."""
    from enms.services import activation

    return JsonResponse(activation.activate(database, model_id, caller.actor, body.reason if body else None))


@router.get("/health", responses=answers("BaselinesHealth"), dependencies=[viewer])
def health(
    asked: Annotated[HealthQuery, Query()], database: DatabaseDependency, store: ModelStoreDependency
) -> JsonResponse:
    """Whether each machine's baseline still describes it, and whether to train anew."""
    from enms.services import baseline_health as service

    if asked.machine_id:
        return JsonResponse(service.health_of(database, store, asked.machine_id, asked.energy_type))
    wanted = MachineFilter(factory_id=asked.factory_id, active=True)
    return JsonResponse(service.health(database, store, wanted, asked.energy_type, asked.limit, asked.offset))


@router.get("/adjustments", responses=answers("Adjustments"), dependencies=[viewer])
def adjustments(asked: Annotated[AdjustmentsQuery, Query()], database: DatabaseDependency) -> JsonResponse:
    """A machine's non-routine adjustments."""
    from enms.services import baseline_adjustments as service

    return JsonResponse(
        service.listed(
            database,
            asked.machine_id,
            asked.energy_type,
            asked.start,
            asked.end,
            with_withdrawn=asked.withdrawn,
        )
    )


@router.post("/adjustments", status_code=201, responses=answers("Adjustment", 201))
def adjust(
    body: AdjustmentBody, database: DatabaseDependency, caller: Annotated[Caller, engineer]
) -> JsonResponse:
    """Accepts or refuses an event that no driver explains."""
    from enms.services import baseline_adjustments as service

    new = NewAdjustment(
        machine_id=body.machine_id,
        energy_type=body.energy_type,
        start_at=body.start,
        end_at=body.end,
        kwh_per_hour=body.kwh_per_hour,
        reason=body.reason,
        decision=body.decision,
        actor=caller.actor,
    )
    return JsonResponse(service.add(database, new), status_code=201)


@router.delete("/adjustments/{adjustment_id}", responses=answers("Adjustment"))
def withdraw(
    adjustment_id: UUID, database: DatabaseDependency, caller: Annotated[Caller, engineer]
) -> JsonResponse:
    """Takes an adjustment back; it stays on record."""
    from enms.services import baseline_adjustments as service

    return JsonResponse(service.withdraw(database, adjustment_id, caller.actor))


def _csv(text: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="text/csv", headers=headers)


handler = function_handler(router, BaselineSettings)
