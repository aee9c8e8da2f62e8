"""The retraining's last steps: what forecasts a machine is chosen anew, and what forecasts a factory.

They come after the account of baselines and detectors, which stays as it is whatever becomes of forecasts. A
call takes one horizon of one subject, the first that has no answer in the run, and tells how many are left:
the state machine calls `train_next` for a machine until none is, and `train_next_factory` for the run's
factories one after the other. What a call that failed or was killed had under way is noted by
`record_failure` or `record_factory_failure`, which tell what is left as well; the former model serves on.
Last, `summarise_forecasts` adds the counts. `run_here` does all of it in this process.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypedDict
from uuid import UUID

from enms.artifacts import ModelStore
from enms.database import forecast_retraining
from enms.database.connection import Database
from enms.database.forecast_retraining import ForecastState
from enms.errors import EnmsError, NotFoundError, UnavailableError
from enms.observability import identify, logger
from enms.services.forecast_subjects import ENERGY_TYPE, find_subject
from enms.services.retraining import SERVICE, Machine, reason_of
from enms.settings import TrainingSettings

# All plans, in the order in which they are trained.
HORIZONS = ("24h", "1h", "7d", "7d-hourly")
# Too little to learn from, which another week may mend: no failure.
_TOO_LITTLE = ("little-history", "no-readings")


class Left(TypedDict):
    """How many trainings of a machine, or of the run's factories, have no answer yet."""

    remaining: int


def train_next(
    database: Database, store: ModelStore, settings: TrainingSettings, run_id: UUID, machine: Machine
) -> Left:
    """Chooses the forecast of a machine's next horizon, and notes what became of it.

    Raises:
        UnavailableError: A connection was lost; asking again is right.
        Exception: What was not foreseen; the caller has it recorded.
    """
    return _train_next(database, store, settings, run_id, UUID(machine["machine_id"]))


def record_failure(database: Database, run_id: UUID, machine: Machine, error: str, cause: str) -> Left:
    """Notes that a machine's next horizon could not be trained.

    Args:
        database: The database.
        run_id: The run.
        machine: The machine.
        error: Class of the error, as the state machine names it.
        cause: What the error said; JSON with `errorMessage` when it comes from a function.
    """
    return _record_failure(database, run_id, UUID(machine["machine_id"]), error, cause)


def train_next_factory(
    database: Database, store: ModelStore, settings: TrainingSettings, run_id: UUID
) -> Left:
    """Chooses the next forecast of the run's factories; as `train_next`."""
    return _train_next(database, store, settings, run_id, None)


def record_factory_failure(database: Database, run_id: UUID, error: str, cause: str) -> Left:
    """Notes that the next forecast of the run's factories could not be trained; as `record_failure`."""
    return _record_failure(database, run_id, None, error, cause)


def summarise_forecasts(database: Database, run_id: UUID) -> dict[str, Any]:
    """Adds what became of forecasts to a run's counts; its state stays as it is. Twice is as once.

    Returns:
        run_id, state and counts.

    Raises:
        NotFoundError: There is no such run.
    """
    identify(run_id=str(run_id))
    run = forecast_retraining.summarise(database, run_id)
    if run is None:
        raise NotFoundError(f"There is no run {run_id}.", parameter="run_id", given=str(run_id))
    logger.info("forecasts chosen", extra={"counts": run["counts"]})
    return {"run_id": str(run_id), **run}


def run_here(
    database: Database,
    store: ModelStore,
    settings: TrainingSettings,
    run_id: UUID,
    machines: Sequence[Machine],
) -> None:
    """Does all of it in this process, one after the other.

    Raises:
        UnavailableError: The database was lost.
    """
    for machine_id in (*(UUID(machine["machine_id"]) for machine in machines), None):
        remaining = forecast_retraining.left(database, run_id, machine_id, HORIZONS).count
        while remaining:
            try:
                remaining = _train_next(database, store, settings, run_id, machine_id)["remaining"]
            except Exception as error:
                logger.exception("forecast failed")
                failed = _record_failure(database, run_id, machine_id, type(error).__name__, str(error))
                remaining = failed["remaining"]
    summarise_forecasts(database, run_id)


def _train_next(
    database: Database, store: ModelStore, settings: TrainingSettings, run_id: UUID, machine_id: UUID | None
) -> Left:
    # Imported here: what only notes needs no numpy.
    from enms.science.forecasting.horizons import HORIZONS as PLANS
    from enms.services import forecast_training

    def train(subject_id: UUID, horizon: str) -> tuple[ForecastState, dict[str, Any]]:
        try:
            subject = find_subject(database, machine_id, None if machine_id else subject_id)
            trained = forecast_training.train(
                database, store, settings, subject, [PLANS[horizon]], ENERGY_TYPE, SERVICE, run_id
            )
        except UnavailableError:
            raise
        except EnmsError as error:
            if error.details.get("code") in _TOO_LITTLE:
                return "skipped", {"reason": error.message}
            logger.exception("forecast failed", extra={"subject_id": str(subject_id), "horizon": horizon})
            return "failed", {"reason": error.message}
        model = trained["model"]
        return "succeeded", {
            "model_id": str(model["id"]),
            "version": model["version"],
            "chosen": model["chosen"],
            "created": trained["created"],
        }

    return _answer_next(database, run_id, machine_id, train)


def _record_failure(
    database: Database, run_id: UUID, machine_id: UUID | None, error: str, cause: str
) -> Left:
    def fail(subject_id: UUID, horizon: str) -> tuple[ForecastState, dict[str, Any]]:
        told = {"subject_id": str(subject_id), "horizon": horizon, "error": error, "cause": cause}
        logger.error("forecast failed", extra=told)
        return "failed", {"reason": reason_of(error, cause, run_id)}

    return _answer_next(database, run_id, machine_id, fail)


def _answer_next(
    database: Database,
    run_id: UUID,
    machine_id: UUID | None,
    outcome: Callable[[UUID, str], tuple[ForecastState, dict[str, Any]]],
) -> Left:
    """Notes the outcome of the first training that has none, if there is one."""
    identify(run_id=str(run_id))
    left = forecast_retraining.left(database, run_id, machine_id, HORIZONS)
    if left.subject_id is None or left.horizon is None:
        return Left(remaining=0)
    state, detail = outcome(left.subject_id, left.horizon)
    forecast_retraining.answer(database, run_id, left.subject_id, left.horizon, state, detail)
    return Left(remaining=left.count - 1)
