"""Trainings of forecasts: those that were asked for, and the steps of the weekly choice, one event each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from enms import observability
from enms.artifacts import ModelStore
from enms.database.connection import Database
from enms.services import forecast_requests, forecast_retraining
from enms.services.connect import connect, model_store
from enms.settings import TrainForecastsSettings

type Event = dict[str, Any]


@dataclass(frozen=True)
class _Means:
    settings: TrainForecastsSettings
    database: Database
    store: ModelStore


@cache
def _means() -> _Means:
    settings = TrainForecastsSettings.from_environment()
    observability.configure(settings)
    return _Means(settings, connect(settings), model_store(settings))


def handler(event: Event, context: Any) -> Event:
    """Does the step that the event names."""
    means = _means()
    observability.identify(request_id=context.aws_request_id)
    return _STEPS[event["step"]](means, event)


def _train_as_requested(means: _Means, event: Event) -> Event:
    forecast_requests.run(means.database, means.store, means.settings, UUID(event["run_id"]))
    return {"run_id": event["run_id"]}


def _train_next(means: _Means, event: Event) -> Event:
    """One horizon of a machine: a fit is what one call has time for."""
    return {
        **forecast_retraining.train_next(
            means.database, means.store, means.settings, UUID(event["run_id"]), event["machine"]
        )
    }


def _record_failure(means: _Means, event: Event) -> Event:
    failure = event["failure"]
    return {
        **forecast_retraining.record_failure(
            means.database,
            UUID(event["run_id"]),
            event["machine"],
            failure["Error"],
            failure.get("Cause", ""),
        )
    }


def _train_next_factory(means: _Means, event: Event) -> Event:
    run_id = UUID(event["run_id"])
    return {**forecast_retraining.train_next_factory(means.database, means.store, means.settings, run_id)}


def _record_factory_failure(means: _Means, event: Event) -> Event:
    failure = event["failure"]
    return {
        **forecast_retraining.record_factory_failure(
            means.database, UUID(event["run_id"]), failure["Error"], failure.get("Cause", "")
        )
    }


def _summarise(means: _Means, event: Event) -> Event:
    return forecast_retraining.summarise_forecasts(means.database, UUID(event["run_id"]))


_STEPS: Mapping[str, Callable[[_Means, Event], Event]] = {
    forecast_requests.STEP: _train_as_requested,
    "train-next": _train_next,
    "record-failure": _record_failure,
    "train-next-factory": _train_next_factory,
    "record-factory-failure": _record_factory_failure,
    "summarise": _summarise,
}
