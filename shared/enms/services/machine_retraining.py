"""One machine's part of the retraining."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from enms.artifacts import DamagedArtifactError, ModelStore
from enms.database import baselines, jobs
from enms.database.connection import Database
from enms.database.drivers import machine_context
from enms.errors import InvalidInputError
from enms.observability import logger
from enms.services import models
from enms.services.baseline_requests import TrainingRequest
from enms.services.baseline_settings import limits_of
from enms.services.models import Answer
from enms.services.training import Trained, fit, keep
from enms.settings import TrainingSettings

_LONGEST_WINDOW = timedelta(days=399)
# Too little to learn from, which another week may mend: no failure.
_TOO_LITTLE = ("no-readings", "no-samples", "too-many-drivers")


def retrain(
    database: Database,
    store: ModelStore,
    settings: TrainingSettings,
    machine_id: UUID,
    energy_type: str = "electrical",
    actor: str = "local",
    run_id: UUID | None = None,
) -> Answer:
    """Trains with the active model's drivers, and with drivers chosen anew; the better one challenges it.

    The window ends with the hour in which the run was noted, so that a step that is repeated finds the model
    that it made before.

    Returns:
        `state` (succeeded or skipped) and what became of it.

    Raises:
        InvalidInputError: No baseline can be fitted to the machine's data.
        NotFoundError: There is no such machine.
    """
    requests = _requests(database, store, settings, machine_id, energy_type, run_id)
    fitted: list[tuple[TrainingRequest, Trained]] = []
    problems: list[InvalidInputError] = []
    for request in requests:
        try:
            fitted.append((request, fit(database, settings, request)))
        except InvalidInputError as error:
            problems.append(error)
    if not fitted:
        if problems[0].details.get("code") in _TOO_LITTLE:
            return {"state": "skipped", "reason": problems[0].message}
        raise problems[0]
    request, best = min(fitted, key=lambda pair: pair[1].built.tested.goodness.cv_rmse_percent)
    samples, least = len(best.built.data), limits_of(settings).samples(request.interval)[1]
    if samples < least:
        reason = f"{samples} {request.interval}s can be used and {least:g} are needed."
        return {"state": "skipped", "reason": reason}
    answer = keep(database, store, best, request, actor, run_id)
    return {
        "state": "succeeded",
        "model_id": answer["model_id"],
        "model_version": answer["model_version"],
        "verdict": answer["verdict"]["status"],
        "r_squared": answer["r_squared"],
        "activated": answer["activated"],
        "created": answer["created"],
        "reason": answer["activation"],
        "problems": [error.message for error in problems],
    }


def _requests(
    database: Database,
    store: ModelStore,
    settings: TrainingSettings,
    machine_id: UUID,
    energy_type: str,
    run_id: UUID | None,
) -> list[TrainingRequest]:
    end = _noted_at(database, run_id).replace(minute=0, second=0, microsecond=0)
    zone = ZoneInfo(machine_context(database, machine_id, end, end).timezone)
    # Whole days of the factory: a daily model needs each of them.
    today = end.astimezone(zone).date()
    start = today - timedelta(days=settings.baseline_training_days)
    chosen = TrainingRequest(machine_id, start, end, None, "auto", energy_type=energy_type)
    active = baselines.active(database, machine_id, energy_type)
    if active is None:
        return [chosen]
    try:
        content = models.document(store, active)
    except DamagedArtifactError:
        logger.exception("active baseline can't be read", extra={"machine_id": str(machine_id)})
        return [chosen]
    if content["interval"] == "day":
        # As many days as the active model had: a shorter window could never be valid beside it.
        length = active["training_end_date"] - active["training_start_date"]
        start = min(start, today - min(length, _LONGEST_WINDOW))
    chosen = replace(chosen, start=start, interval=content["interval"])
    drivers = tuple(content["settings"]["drivers_used"])
    # Of equals the first is kept: so a step that is repeated doesn't take its own former answer's drivers.
    return [chosen, replace(chosen, drivers=drivers, model=content["kind"])]


def _noted_at(database: Database, run_id: UUID | None) -> datetime:
    run = jobs.run(database, run_id) if run_id else None
    at: datetime = run["created_at"] if run else datetime.now(UTC)
    return at
