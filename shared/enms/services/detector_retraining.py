"""The retraining's step after a machine's baseline: its detector of anomalies, noted in the machine's item.

A detector that can't be trained says so there, and leaves what became of the baseline as it is.
"""

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from enms.artifacts import ModelStore
from enms.database import jobs
from enms.database.connection import Database
from enms.errors import EnmsError, UnavailableError
from enms.observability import identify, logger
from enms.services.retraining import SERVICE, Machine, reason_of
from enms.settings import TrainingSettings

type DetectorState = Literal["succeeded", "skipped", "failed"]

# Too little to learn from, which another week may mend: no failure.
_TOO_LITTLE = ("little-history", "no-readings")


def train_detector(
    database: Database, store: ModelStore, settings: TrainingSettings, run_id: UUID, machine: Machine
) -> DetectorState:
    """Trains one machine's detector, unless the run did it before, and notes what became of it.

    Raises:
        UnavailableError: A connection was lost; asking again is right.
        Exception: What was not foreseen; the caller has it recorded.
    """
    # Imported here: the other steps need no scikit-learn.
    from enms.services import detectors

    identify(run_id=str(run_id))
    before = jobs.item_detail(database, run_id, machine["machine_id"]).get("detector", {}).get("state")
    if before in ("succeeded", "skipped"):
        state: DetectorState = before
        return state
    try:
        trained = detectors.train_detector(
            database, store, settings, UUID(machine["machine_id"]), actor=SERVICE, run_id=run_id
        )
    except UnavailableError:
        raise
    except EnmsError as error:
        if error.details.get("code") in _TOO_LITTLE:
            return _note(database, run_id, machine, "skipped", {"reason": error.message})
        logger.exception("detector failed", extra={"machine": machine})
        return _note(database, run_id, machine, "failed", {"reason": error.message})
    detail = {"detector_id": str(trained["detector_id"]), "version": trained["version"]}
    return _note(database, run_id, machine, "succeeded", detail)


def record_detector_failure(
    database: Database, run_id: UUID, machine: Machine, error: str, cause: str
) -> DetectorState:
    """Notes a detector that could not be trained; `error` and `cause` as for `retraining.record_failure`."""
    identify(run_id=str(run_id))
    logger.error("detector failed", extra={"machine": machine, "error": error, "cause": cause})
    return _note(database, run_id, machine, "failed", {"reason": reason_of(error, cause, run_id)})


def _note(
    database: Database, run_id: UUID, machine: Machine, state: DetectorState, detail: Mapping[str, Any]
) -> DetectorState:
    with database.connection() as connection:
        jobs.add_detail(connection, run_id, machine["machine_id"], {"detector": {"state": state, **detail}})
    return state
