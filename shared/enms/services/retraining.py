"""Job `retrain`: a new baseline for every machine, week by week, as steps that may each be repeated.

A state machine calls the steps: `plan_firing` or `plan_request` notes the run and lists its machines,
`train_machine` trains one of them, `record_failure` notes one that could not be trained, `summarise` writes
the account. After each machine its detector of anomalies is trained (`detector_retraining`), after the
account forecasts are chosen (`forecast_retraining`). `run_here` does them all in this process.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID, uuid4

from enms import artifacts
from enms.artifacts import DamagedArtifactError, ModelStore
from enms.database import jobs, retraining
from enms.database.connection import Connection, Database, Row
from enms.errors import EnmsError, NotFoundError, UnavailableError
from enms.observability import identify, logger
from enms.settings import TrainingSettings

JOB = "retrain"
TRAINING_JOB = "train-baseline"
SERVICE = "service:retrain-baselines"
ENERGY_TYPE = "electrical"
# Several times what one training may take with all its repetitions.
SILENT_FOR = timedelta(hours=1)
_MANIFEST = "manifest"

# What the state machine calls a failure that isn't ours, in words.
_FAILURES = {
    "Sandbox.Timedout": "The training took longer than it may.",
    "States.Timeout": "The training took longer than it may.",
    "Runtime.ExitError": "The training's process ended: most likely it needed more memory than it has.",
    "Runtime.OutOfMemory": "The training needed more memory than it has.",
    "Lambda.TooManyRequestsException": "The service was too busy, also when it was asked again.",
}
_LONGEST_REASON = 500


class Machine(TypedDict):
    """A machine of a run's list."""

    machine_id: str
    machine_name: str
    factory_name: str


class Plan(TypedDict):
    """Where a run's list of machines lies, and how many it has; none when there is nothing to do."""

    run_id: str | None
    bucket: str
    key: str | None
    machines: int


def plan_firing(database: Database, store: ModelStore, execution: str, fired_at: datetime) -> Plan:
    """Decides what a firing of the rule has to do, and notes it: the same each time it is asked.

    A run that was cut off goes first: its list is gone through again, and machines that have an answer are
    passed over. Else the factories are taken whose Sunday 02:00 has come. When there is nothing to do,
    nothing is noted.

    Args:
        database: The database.
        store: Where the list goes.
        execution: Who does the run; another one that finds it under way leaves it alone.
        fired_at: The instant of the firing.

    Raises:
        UnavailableError: The database or the bucket doesn't answer; nothing is noted.
    """
    with database.transaction() as connection:
        jobs.only_planner(connection, JOB)
        found = jobs.scheduled_run(connection, JOB, fired_at)
        if found:
            return _go_on(connection, store, found["id"], execution)
        cut_off = jobs.claim_cut_off(connection, JOB, execution, SILENT_FOR)
        if cut_off:
            logger.warning("run taken up again", extra={"run_id": str(cut_off["id"])})
            return _planned(store, cut_off)
        due = retraining.due_machines(connection, JOB, fired_at)
        if not due:
            return _nothing(store)
        run_id = jobs.add_scheduled_run(connection, JOB, SERVICE, fired_at)
        jobs.claim(connection, run_id, execution)
        return _begin(connection, store, run_id, due)


def plan_request(database: Database, store: ModelStore, execution: str, run_id: UUID) -> Plan:
    """Decides what a run that was asked for has to do, and notes it: the same each time it is asked.

    Raises:
        NotFoundError: There is no such run.
        UnavailableError: The database or the bucket doesn't answer; nothing is noted.
    """
    with database.transaction() as connection:
        return _go_on(connection, store, run_id, execution)


def train_machine(
    database: Database, store: ModelStore, settings: TrainingSettings, run_id: UUID, machine: Machine
) -> jobs.ItemState:
    """Trains one machine of a run, unless it has an answer already, and notes what became of it.

    Raises:
        UnavailableError: A connection was lost; asking again is right.
        Exception: What was not foreseen; the caller has it recorded.
    """
    # Imported here: the other steps need no numpy.
    from enms.services.machine_retraining import retrain

    machine_id = UUID(machine["machine_id"])
    identify(run_id=str(run_id))
    before = jobs.item_state(database, run_id, machine["machine_id"])
    if before in ("succeeded", "skipped"):
        return before
    try:
        outcome = retrain(
            database, store, settings, machine_id, energy_type=ENERGY_TYPE, actor=SERVICE, run_id=run_id
        )
    except UnavailableError:
        raise
    except EnmsError as error:
        logger.exception("machine failed", extra={"machine": machine})
        stage = error.details.get("stage", "train")
        return _note(database, run_id, machine, "failed", {"stage": stage, "reason": error.message})
    return _note(database, run_id, machine, outcome["state"], _detail(outcome))


def record_failure(
    database: Database, run_id: UUID, machine: Machine, error: str, cause: str, stage: str = "train"
) -> jobs.ItemState:
    """Notes a machine that could not be trained.

    Args:
        database: The database.
        run_id: The run.
        machine: The machine.
        error: Class of the error, as the state machine names it.
        cause: What the error said; JSON with `errorMessage` when it comes from a function.
        stage: Where it happened.
    """
    identify(run_id=str(run_id))
    logger.error("machine failed", extra={"machine": machine, "error": error, "cause": cause})
    reason = reason_of(error, cause, run_id)
    return _note(database, run_id, machine, "failed", {"stage": stage, "reason": reason, "error": error})


def summarise(
    database: Database, store: ModelStore, run_id: UUID, problem: str | None = None
) -> dict[str, Any]:
    """Writes a run's account: all planned machines, those without an answer as failed; once.

    Args:
        database: The database.
        store: Where the run's list lies.
        run_id: The run.
        problem: Why its machines could not be gone through, if so.

    Returns:
        run_id, state and counts.

    Raises:
        NotFoundError: There is no such run.
        UnavailableError: The database or the bucket doesn't answer.
    """
    identify(run_id=str(run_id))
    run = _existing(database, run_id)
    if run["ended_at"] is None:
        planned, lost = _machines_or_why_not(store, run)
        problem = problem or lost
        with database.transaction() as connection:
            _note_unanswered(connection, run_id, planned, problem)
            counts = _counts(jobs.items_of(connection, run_id), run["parameters"].get("machines", 0))
            jobs.end(connection, run_id, _state(counts), counts, problem or _complaint(counts))
        run = _existing(database, run_id)
        logger.info("run ended", extra={"job": JOB, "state": run["state"], "counts": run["counts"]})
    return {"run_id": str(run_id), "state": run["state"], "counts": run["counts"]}


def run_here(database: Database, store: ModelStore, settings: TrainingSettings, run_id: UUID) -> None:
    """Does all of a run in this process, one machine after the other.

    Raises:
        UnavailableError: The database or the bucket was lost before the run began, or when it had ended.
    """
    # Imported here: they build on this module.
    from enms.services import detector_retraining, forecast_retraining

    identify(run_id=str(run_id))
    try:
        plan = plan_request(database, store, f"in process {uuid4()}", run_id)
    except EnmsError as error:
        _end_failed(database, run_id, error.message)
        raise
    if not plan["machines"]:
        return
    for machine in _machines(store, _existing(database, run_id)):
        try:
            train_machine(database, store, settings, run_id, machine)
        except Exception as error:
            logger.exception("machine failed", extra={"machine": machine})
            record_failure(database, run_id, machine, type(error).__name__, str(error))
        try:
            detector_retraining.train_detector(database, store, settings, run_id, machine)
        except Exception as error:
            detector_retraining.record_detector_failure(
                database, run_id, machine, type(error).__name__, str(error)
            )
    summarise(database, store, run_id)
    machines = _machines(store, _existing(database, run_id))
    forecast_retraining.run_here(database, store, settings, run_id, machines)


def train_as_requested(
    database: Database, store: ModelStore, settings: TrainingSettings, run_id: UUID
) -> None:
    """Does a training that outlasts its request, and notes how it went; nothing when it is over already.

    Raises:
        NotFoundError: There is no such run.
        UnavailableError: A connection was lost; the run can be done again.
        Exception: What was not foreseen; the run is noted as failed.
    """
    from enms.services import later_training

    identify(run_id=str(run_id))
    _existing(database, run_id)
    with database.connection() as connection:
        begun = jobs.begin(connection, run_id)
    if begun is None:
        return
    try:
        outcome = later_training.run_requested(database, store, settings, run_id)
    except UnavailableError as error:
        _end_failed(database, run_id, error.message)
        raise
    except EnmsError as error:
        # The answer to the request: it is in the run, and doing it again would change nothing.
        _end_failed(database, run_id, error.message)
        return
    except Exception:
        logger.exception("training failed")
        _end_failed(database, run_id, f"Unexpected; see the log under run_id {run_id}.")
        raise
    with database.transaction() as connection:
        item = str(outcome.get("machine_id", begun["parameters"].get("machine_id", run_id)))
        jobs.note_item(connection, run_id, item, "succeeded", _detail(outcome))
        jobs.end(connection, run_id, "succeeded", {"models": 1}, None)


def _go_on(connection: Connection, store: ModelStore, run_id: UUID, execution: str) -> Plan:
    """The plan of a noted run: made now, or made before; nothing when the run is another's, or over."""
    identify(run_id=str(run_id))
    run = jobs.claim(connection, run_id, execution)
    if run is None:
        if not jobs.is_noted(connection, run_id):
            raise _no_such_run(run_id)
        return _nothing(store)
    if _MANIFEST in run["parameters"]:
        return _planned(store, run)
    wanted = run["parameters"].get("machine_ids")
    machines = retraining.machines(connection, wanted and [UUID(each) for each in wanted])
    return _begin(connection, store, run_id, machines)


def _begin(connection: Connection, store: ModelStore, run_id: UUID, machines: Sequence[Row]) -> Plan:
    """Lists the machines of a claimed run."""
    if not machines:
        jobs.end(connection, run_id, "succeeded", _counts([], 0), None)
        return _nothing(store)
    listed = [
        Machine(
            machine_id=str(each["machine_id"]),
            machine_name=each["machine_name"],
            factory_name=each["factory_name"],
        )
        for each in machines
    ]
    content = json.dumps(listed, ensure_ascii=False, separators=(",", ":")).encode()
    # Put before it is noted: what the run's row names is there.
    sha256 = store.put(artifacts.manifest_key(run_id, artifacts.sha256_of(content)), content)
    factories = sorted({str(each["factory_id"]) for each in machines})
    run = jobs.set_parameters(
        connection, run_id, {"factory_ids": factories, _MANIFEST: sha256, "machines": len(listed)}
    )
    return _planned(store, run)


def _planned(store: ModelStore, run: Row) -> Plan:
    key = artifacts.manifest_key(run["id"], run["parameters"][_MANIFEST])
    return Plan(run_id=str(run["id"]), bucket=store.bucket, key=key, machines=run["parameters"]["machines"])


def _nothing(store: ModelStore) -> Plan:
    return Plan(run_id=None, bucket=store.bucket, key=None, machines=0)


def _machines(store: ModelStore, run: Row) -> list[Machine]:
    """A run's list; empty when it was never made."""
    sha256 = run["parameters"].get(_MANIFEST)
    if sha256 is None:
        return []
    listed: list[Machine] = json.loads(store.get(artifacts.manifest_key(run["id"], sha256), sha256))
    return listed


def _machines_or_why_not(store: ModelStore, run: Row) -> tuple[list[Machine], str | None]:
    try:
        return _machines(store, run), None
    except (NotFoundError, DamagedArtifactError) as error:
        return [], error.message


def _existing(database: Database, run_id: UUID) -> Row:
    run = jobs.run(database, run_id)
    if run is None:
        raise _no_such_run(run_id)
    return run


def _no_such_run(run_id: UUID) -> NotFoundError:
    return NotFoundError(f"There is no run {run_id}.", parameter="run_id", given=str(run_id))


def _note(
    database: Database, run_id: UUID, machine: Machine, state: jobs.ItemState, detail: Mapping[str, Any]
) -> jobs.ItemState:
    with database.connection() as connection:
        jobs.note_item(connection, run_id, machine["machine_id"], state, {**_named(machine), **detail})
    return state


def _named(machine: Machine) -> dict[str, Any]:
    return {"machine_name": machine["machine_name"], "factory_name": machine["factory_name"]}


def _detail(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """An outcome as JSON has it: ids and instants as text."""
    told = {name: value for name, value in outcome.items() if name != "state"}
    detail: dict[str, Any] = json.loads(json.dumps(told, default=str))
    return detail


def _note_unanswered(
    connection: Connection, run_id: UUID, planned: Sequence[Machine], problem: str | None
) -> None:
    answered = {item["item"] for item in jobs.items_of(connection, run_id)}
    for machine in planned:
        if machine["machine_id"] not in answered:
            detail = {"stage": "answer", "reason": problem or "No answer came."}
            jobs.note_item(connection, run_id, machine["machine_id"], "failed", _named(machine) | detail)


def _counts(items: Sequence[Row], machines: int) -> dict[str, int]:
    states = Counter(item["state"] for item in items)
    return {
        "machines": machines,
        "succeeded": states["succeeded"],
        "skipped": states["skipped"],
        "failed": machines - states["succeeded"] - states["skipped"],
        "activated": sum(bool(item["detail"].get("activated")) for item in items),
        "detectors": sum(item["detail"].get("detector", {}).get("state") == "succeeded" for item in items),
    }


def _state(counts: Mapping[str, int]) -> jobs.RunState:
    if not counts["failed"]:
        return "succeeded"
    return "failed" if counts["failed"] == counts["machines"] else "partial"


def _complaint(counts: Mapping[str, int]) -> str | None:
    if not counts["failed"]:
        return None
    return f"{counts['failed']} of {counts['machines']} machines failed; see the items."


def _end_failed(database: Database, run_id: UUID, reason: str) -> None:
    with database.connection() as connection:
        jobs.end(connection, run_id, "failed", {}, reason)


def reason_of(error: str, cause: str, run_id: UUID) -> str:
    """A failure in words; what an exception that nobody foresaw says is in the log only."""
    if error in _FAILURES:
        return _FAILURES[error]
    if error in (UnavailableError.__name__, NotFoundError.__name__):
        return _message(cause)[:_LONGEST_REASON]
    return f"Unexpected ({error}); see the log under run_id {run_id}."


def _message(cause: str) -> str:
    """What an error said: a function's is JSON with its message, ours is the message."""
    try:
        told = json.loads(cause)
    except ValueError:
        return cause
    return str(told["errorMessage"]) if isinstance(told, dict) and "errorMessage" in told else cause
