"""Endpoint group `forecast`: the coming load and its peak, how good forecasts are, and what they are told.

Services are imported where a route needs them: what is stored is answered without numpy. Trainings are done
by the function `train-forecasts`.
"""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Request

from enms.settings import ForecastSettings
from enms.web.access import Caller, engineer, viewer
from enms.web.app import DatabaseDependency, ModelStoreDependency, function_handler
from enms.web.forecast_questions import (
    AccuracyQuery,
    DemandQuery,
    ForecastModelsQuery,
    ForecastTrainBody,
    HistoryQuery,
    PeakQuery,
    RegressorsBody,
    RegressorsQuery,
)
from enms.web.parameters import documented, query
from enms.web.responses import JsonResponse, accepted, answers

router = APIRouter(prefix="/api/v1/forecast", tags=["forecast"])

# Less than the 29 s that a gateway waits.
_WAIT_SECONDS = 25.0


@router.get(
    "/demand", responses=answers("Forecast"), openapi_extra=documented(DemandQuery), dependencies=[viewer]
)
def demand(
    asked: Annotated[DemandQuery, query(DemandQuery)],
    database: DatabaseDependency,
    store: ModelStoreDependency,
) -> JsonResponse:
    """The coming load with its 80 % and 95 % bands, as it was forecast last."""
    from enms.services import forecasting

    question = forecasting.ForecastQuestion(
        asked.machine_id, asked.factory_id, asked.energy_type, asked.horizon, asked.model
    )
    return JsonResponse(forecasting.demand(database, store, question))


@router.get(
    "/peak", responses=answers("ForecastPeak"), openapi_extra=documented(PeakQuery), dependencies=[viewer]
)
def peak(
    asked: Annotated[PeakQuery, query(PeakQuery)],
    database: DatabaseDependency,
    store: ModelStoreDependency,
) -> JsonResponse:
    """The highest quarter hour to come, when, and how likely it is to pass a limit."""
    from enms.services import forecasting

    question = forecasting.ForecastQuestion(
        asked.machine_id, asked.factory_id, asked.energy_type, asked.horizon, "selected"
    )
    return JsonResponse(forecasting.peak(database, store, question, asked.limit_kw))


@router.get(
    "/history",
    responses=answers("ForecastHistory"),
    openapi_extra=documented(HistoryQuery),
    dependencies=[viewer],
)
def history(
    asked: Annotated[HistoryQuery, query(HistoryQuery)], database: DatabaseDependency
) -> JsonResponse:
    """What was measured before the forecast, in its steps."""
    from enms.services import forecast_history
    from enms.services.forecast_subjects import find_subject

    subject = find_subject(database, asked.machine_id, asked.factory_id)
    return JsonResponse(forecast_history.history(database, subject, asked.horizon, asked.energy_type))


@router.get(
    "/models",
    responses=answers("ForecastModels"),
    openapi_extra=documented(ForecastModelsQuery),
    dependencies=[viewer],
)
def models(
    asked: Annotated[ForecastModelsQuery, query(ForecastModelsQuery)], database: DatabaseDependency
) -> JsonResponse:
    """Models with the tables of their backtests: the active ones, or all versions."""
    from enms.services import forecasting

    return JsonResponse(
        forecasting.forecast_models(
            database,
            asked.machine_id,
            asked.factory_id,
            energy_type=asked.energy_type,
            horizon=asked.horizon,
            history=asked.history,
        )
    )


@router.post(
    "/train",
    status_code=201,
    responses=answers("TrainedForecast", 201, "A new version was made")
    | answers("TrainedForecast", 200, "The same data gave this model before")
    | answers("Accepted", 202, "It takes longer than a request may: `Location` tells where it goes on"),
)
def train(
    body: ForecastTrainBody,
    request: Request,
    background: BackgroundTasks,
    database: DatabaseDependency,
    store: ModelStoreDependency,
    caller: Annotated[Caller, engineer],
) -> JsonResponse:
    """Lets models compete on the past, and keeps the best; until then the former one serves."""
    from enms.services import forecast_requests
    from enms.services import jobs as job_service
    from enms.services.forecast_subjects import find_subject

    settings: ForecastSettings = request.app.state.settings
    subject = find_subject(database, body.machine_id, body.factory_id)
    run_id = forecast_requests.request(
        database, subject, forecast_requests.PLANS[body.horizon], body.energy_type, caller.actor
    )
    if settings.train_forecasts_function:
        job_service.launch(database, settings.train_forecasts_function, run_id, forecast_requests.STEP)
    elif body.wait:
        forecast_requests.run(database, store, settings, run_id)
    else:
        background.add_task(forecast_requests.run, database, store, settings, run_id)
    answer = forecast_requests.wait(database, run_id, _WAIT_SECONDS) if body.wait else None
    if answer is None:
        return accepted(settings.public_prefix, forecast_requests.JOB, run_id, background)
    return JsonResponse(answer, status_code=201 if answer["created"] else 200)


@router.get(
    "/accuracy",
    responses=answers("ForecastAccuracy"),
    openapi_extra=documented(AccuracyQuery),
    dependencies=[viewer],
)
def accuracy(
    asked: Annotated[AccuracyQuery, query(AccuracyQuery)], database: DatabaseDependency
) -> JsonResponse:
    """How forecasts compare with what came: by lead time and by week."""
    from enms.services import forecast_accuracy
    from enms.services.forecast_subjects import find_subject

    subject = find_subject(database, asked.machine_id, asked.factory_id)
    return JsonResponse(
        forecast_accuracy.accuracy(
            database, subject, asked.horizon, asked.start, asked.end, asked.choice, asked.energy_type
        )
    )


@router.get(
    "/regressors",
    responses=answers("Regressors"),
    openapi_extra=documented(RegressorsQuery),
    dependencies=[viewer],
)
def regressors(
    asked: Annotated[RegressorsQuery, query(RegressorsQuery)], database: DatabaseDependency
) -> JsonResponse:
    """Production schedules, temperatures and planned stops that are known."""
    from enms.services import forecast_regressors

    return JsonResponse(
        forecast_regressors.listed(
            database, asked.machine_id, asked.factory_id, asked.start, asked.end, asked.name
        )
    )


@router.post(
    "/regressors", status_code=201, responses=answers("ReceivedRegressor", 201), dependencies=[engineer]
)
def receive(body: RegressorsBody, database: DatabaseDependency) -> JsonResponse:
    """Takes what is known of the time to come, in the place of what was known of it before."""
    from enms.services import forecast_regressors

    return JsonResponse(forecast_regressors.receive(database, body.request()), status_code=201)


handler = function_handler(router, ForecastSettings)
