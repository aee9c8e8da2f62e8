"""Trainings that outlast their request: noted as a run, done by another function."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from enms.artifacts import ModelStore
from enms.database import jobs
from enms.database.connection import Database
from enms.services.baseline_requests import TrainingRequest
from enms.services.models import Answer
from enms.services.periods import BODY, Moment, day_of
from enms.services.training import train, training_context
from enms.settings import TrainingSettings

# Beyond this, with all forms tried, a training is handed to a function that may take minutes.
_LONG_DAYS = 300


def check_machine(database: Database, request: TrainingRequest) -> None:
    """Refuses what is going to be done later and can't be: what no run need be noted for.

    Raises:
        InvalidInputError: The period means nothing.
        NotFoundError: There is no such machine.
    """
    training_context(database, request, BODY)


def is_long(request: TrainingRequest) -> bool:
    """Whether a training may take longer than a gateway waits: much time, all drivers and all forms."""
    days = (day_of(request.end) - day_of(request.start)).days
    return request.interval == "hour" and request.model != "linear" and days > _LONG_DAYS


def as_parameters(request: TrainingRequest, actor: str) -> dict[str, Any]:
    """A request as the account of a run keeps it."""
    return {
        **asdict(request),
        "machine_id": str(request.machine_id),
        "start": request.start.isoformat(),
        "end": request.end.isoformat(),
        "drivers": list(request.drivers) if request.drivers is not None else None,
        "actor": actor,
    }


def run_requested(database: Database, store: ModelStore, settings: TrainingSettings, run_id: UUID) -> Answer:
    """Does a training that was noted to be done later.

    Raises:
        EnmsError: As for `train`.
    """
    run = jobs.run(database, run_id)
    assert run is not None
    given = dict(run["parameters"])
    actor = given.pop("actor")
    drivers = given.pop("drivers")
    request = TrainingRequest(
        machine_id=UUID(given.pop("machine_id")),
        start=_moment(given.pop("start")),
        end=_moment(given.pop("end")),
        drivers=tuple(drivers) if drivers is not None else None,
        **{name: given[name] for name in ("model", "interval", "energy_type", "force", "reason")},
    )
    answer = train(database, store, settings, request, actor, run_id)
    return {
        name: answer[name]
        for name in ("machine_id", "model_id", "model_version", "created", "activated", "activation")
    } | {"verdict": answer["verdict"]["status"]}


def _moment(text: str) -> Moment:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
