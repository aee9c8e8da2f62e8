"""Endpoint group `baseline`: energy baselines, what deviates from them, and what was saved.

Services are imported where a route needs them: the lists and a model's page answer without numpy.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Header, Query, Request, Response
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from enms.database.adjustments import NewAdjustment
from enms.database.catalog import MachineFilter
from enms.errors import InvalidInputError
from enms.services import jobs as job_service
from enms.services.baseline_requests import Question, TrainingRequest
from enms.services.periods import Moment
from enms.settings import BaselineSettings
from enms.web.access import Caller, engineer, viewer
from enms.web.app import DatabaseDependency, ModelStoreDependency, function_handler
from enms.web.parameters import PRINTABLE, EnergyType, PeriodQuery, documented, moment, query
from enms.web.responses import JsonResponse, answers

router = APIRouter(prefix="/api/v1/baseline", tags=["baseline"])

Interval = Literal["hour", "day"]
_PAGE_LIMIT = Field(50, ge=1, le=500)
_PAGE_OFFSET = Field(0, ge=0, le=1_000_000)
DriverName = Annotated[str, Field(min_length=1, max_length=120, pattern=PRINTABLE)]
DriverNames = Annotated[list[DriverName], Field(min_length=1, max_length=60)]

# PostgreSQL's texts hold no NUL.
Sentence = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")]
_REASON = Field(None, description="kept with the model")


def _text(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {"schema": {"type": "string"}}}}}


def _drivers(given: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """One complaint of a wrong list, in place of one for each kind of value that it might have been."""
    try:
        return check(given)
    except ValidationError:
        allowed = "`auto`, or a list of 1 to 60 names of drivers"
        raise InvalidInputError(
            f"drivers: give {allowed}.", parameter="drivers", given=given, allowed=allowed
        ) from None


class TrainingBody(BaseModel):
    """What is to be trained, or analysed."""

    model_config = ConfigDict(extra="forbid")

    machine_id: UUID
    start_date: Annotated[Moment, *moment("start_date")] = Field(
        description="start of the training period", examples=["2026-01-01"]
    )
    end_date: Annotated[Moment, *moment("end_date")] = Field(
        description="its end, itself outside; a day counts wholly", examples=["2026-03-31"]
    )
    drivers: Annotated[Literal["auto"] | DriverNames, WrapValidator(_drivers)] = Field(
        "auto", description="names of drivers, or `auto` to have them chosen"
    )
    model: Literal["linear", "change_point", "time_of_week_temperature", "auto"] = "linear"
    interval: Interval = "hour"
    energy_type: EnergyType = "electrical"

    def request(self, **more: Any) -> TrainingRequest:
        """As the service takes it."""
        drivers = None if self.drivers == "auto" else tuple(dict.fromkeys(self.drivers))
        return TrainingRequest(
            self.machine_id, self.start_date, self.end_date, drivers, self.model, self.interval,
            self.energy_type, **more,
        )  # fmt: skip


class TrainBody(TrainingBody):
    """What is to be trained and kept."""

    force: bool = Field(
        False, description="train anew what is there, and make it active whatever the verdict"
    )
    reason: Sentence | None = _REASON


class PeriodOfMachine(PeriodQuery):
    """A machine's period beside its baseline."""

    machine_id: UUID
    energy_type: EnergyType = "electrical"
    model_id: UUID | None = Field(None, description="a certain version; the active one by default")

    def question(self) -> Question:
        """As the services take it."""
        return Question(self.machine_id, self.start, self.end, self.energy_type, self.model_id)


class DeviationQuery(PeriodOfMachine):
    """What is listed beside the total."""

    interval: Interval | None = Field(None, description="hours or days; the model's own by default")


class DriversQuery(PeriodQuery):
    """A machine's period whose drivers are asked for."""

    machine_id: UUID
    interval: Interval = "hour"
    energy_type: EnergyType = "electrical"


class ModelsQuery(BaseModel):
    """Which models."""

    model_config = ConfigDict(extra="forbid")

    machine_id: UUID | None = None
    energy_type: EnergyType | None = None
    active: bool | None = None
    limit: int = _PAGE_LIMIT
    offset: int = _PAGE_OFFSET


class HealthQuery(BaseModel):
    """Whose baselines."""

    model_config = ConfigDict(extra="forbid")

    machine_id: UUID | None = None
    factory_id: UUID | None = None
    energy_type: EnergyType = "electrical"
    limit: int = Field(50, ge=1, le=100)
    offset: int = _PAGE_OFFSET


class AdjustmentsQuery(BaseModel):
    """Which adjustments."""

    model_config = ConfigDict(extra="forbid")

    machine_id: UUID
    energy_type: EnergyType = "electrical"
    start: datetime | None = None
    end: datetime | None = None
    withdrawn: bool = Field(False, description="whether those that were withdrawn are listed too")


class AdjustmentBody(BaseModel):
    """What a person says of an event that no driver explains."""

    model_config = ConfigDict(extra="forbid")

    machine_id: UUID
    start: datetime = Field(description="since when, with offset from UTC")
    end: datetime | None = Field(None, description="first instant without it; none while it lasts")
    kwh_per_hour: float = Field(
        allow_inf_nan=False, description="how much more the machine uses because of it; negative: less"
    )
    reason: Annotated[Sentence, Field(min_length=3)]
    decision: Literal["accepted", "refused"] = Field(
        "accepted", description="`refused` adjusts nothing and keeps the event from being proposed again"
    )
    energy_type: EnergyType = "electrical"


class ActivationBody(BaseModel):
    """Why a version is made the active one."""

    model_config = ConfigDict(extra="forbid")

    reason: Sentence | None = _REASON


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
    location = f"{settings.public_prefix}/api/v1/jobs/runs/{run_id}"
    return JsonResponse(
        {"run_id": run_id, "job": retraining.TRAINING_JOB, "state": "queued", "location": location},
        status_code=202,
        headers={"location": location},
        background=background,
    )


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
    at: Annotated[datetime | None, Query(description="for calendar terms, with offset from UTC")] = None,
) -> JsonResponse:
    """Expected energy of one interval at given drivers, with its 95 % interval."""
    from enms.services import predictions

    own = ("machine_id", "energy_type", "at")
    values = {name: value for name, value in request.query_params.items() if name not in own}
    moment_at = _with_offset("at", at)
    return JsonResponse(predictions.predict(database, store, machine_id, energy_type, values, moment_at))


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

    start, end = _with_offset("start", asked.start), _with_offset("end", asked.end)
    return JsonResponse(
        service.listed(
            database, asked.machine_id, asked.energy_type, start, end, with_withdrawn=asked.withdrawn
        )
    )


@router.post("/adjustments", status_code=201, responses=answers("Adjustment", 201))
def adjust(
    body: AdjustmentBody, database: DatabaseDependency, caller: Annotated[Caller, engineer]
) -> JsonResponse:
    """Accepts or refuses an event that no driver explains."""
    from enms.services import baseline_adjustments as service

    start = _with_offset("start", body.start)
    assert start is not None
    new = NewAdjustment(
        machine_id=body.machine_id,
        energy_type=body.energy_type,
        start_at=start,
        end_at=_with_offset("end", body.end),
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


def _with_offset(parameter: str, at: datetime | None) -> datetime | None:
    if at is not None and at.utcoffset() is None:
        raise InvalidInputError(
            f"{parameter}: {at.isoformat()} has no offset from UTC.",
            parameter=parameter,
            given=at.isoformat(),
            allowed="an instant with offset (2026-03-27T08:00:00Z)",
        )
    return at


def _csv(text: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="text/csv", headers=headers)


handler = function_handler(router, BaselineSettings)
