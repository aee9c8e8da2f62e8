"""The steps of the retraining, one event each, and trainings that outlast their request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from enms import observability
from enms.artifacts import ModelStore
from enms.database.connection import Database
from enms.services import detector_retraining, retraining
from enms.services.connect import connect, model_store
from enms.settings import RetrainBaselinesSettings

type Event = dict[str, Any]


@dataclass(frozen=True)
class _Means:
    settings: RetrainBaselinesSettings
    database: Database
    store: ModelStore


@cache
def _means() -> _Means:
    settings = RetrainBaselinesSettings.from_environment()
    observability.configure(settings)
    return _Means(settings, connect(settings), model_store(settings))


def handler(event: Event, context: Any) -> Event:
    """Does the step that the event names."""
    means = _means()
    observability.identify(request_id=context.aws_request_id)
    return _STEPS[event["step"]](means, event)


def _plan(means: _Means, event: Event) -> Event:
    """Of a run that was asked for, when the execution's input names one, else of a firing of the rule."""
    given = event["input"]
    if "run_id" in given:
        plan = retraining.plan_request(means.database, means.store, event["execution"], UUID(given["run_id"]))
    else:
        fired_at = datetime.fromisoformat(given["time"])
        plan = retraining.plan_firing(means.database, means.store, event["execution"], fired_at)
    return {**plan, "concurrency": means.settings.retrain_concurrency}


def _train(means: _Means, event: Event) -> Event:
    state = retraining.train_machine(
        means.database, means.store, means.settings, UUID(event["run_id"]), event["machine"]
    )
    return {"state": state}


def _record_failure(means: _Means, event: Event) -> Event:
    failure = event["failure"]
    state = retraining.record_failure(
        means.database, UUID(event["run_id"]), event["machine"], failure["Error"], failure.get("Cause", "")
    )
    return {"state": state}


def _train_detector(means: _Means, event: Event) -> Event:
    state = detector_retraining.train_detector(
        means.database, means.store, means.settings, UUID(event["run_id"]), event["machine"]
    )
    return {"state": state}


def _record_detector_failure(means: _Means, event: Event) -> Event:
    failure = event["failure"]
    state = detector_retraining.record_detector_failure(
        means.database, UUID(event["run_id"]), event["machine"], failure["Error"], failure.get("Cause", "")
    )
    return {"state": state}


def _summarise(means: _Means, event: Event) -> Event:
    problem = None
    if "failure" in event:
        problem = f"The machines could not be gone through ({event['failure']['Error']})."
    return retraining.summarise(means.database, means.store, UUID(event["run_id"]), problem)


def _train_as_requested(means: _Means, event: Event) -> Event:
    retraining.train_as_requested(means.database, means.store, means.settings, UUID(event["run_id"]))
    return {"run_id": event["run_id"]}


_STEPS: Mapping[str, Callable[[_Means, Event], Event]] = {
    "plan": _plan,
    "train": _train,
    "record-failure": _record_failure,
    "train-detector": _train_detector,
    "record-detector-failure": _record_detector_failure,
    "summarise": _summarise,
    "train-request": _train_as_requested,
}
