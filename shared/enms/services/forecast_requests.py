"""Trainings of forecasts: asked for, done by another function or here, and waited for.

A training is a run of job `train-forecasts` with one item, whose detail is the answer. Who waits for it looks
at the run, so that neither an end of the request nor of the fit leaves anything half done.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from enms import errors
from enms.artifacts import ModelStore
from enms.database import forecast_runs, jobs
from enms.database.connection import Database, Row
from enms.database.jobs import Trigger
from enms.errors import EnmsError, NotFoundError, UnavailableError
from enms.observability import identify, logger
from enms.services.forecast_subjects import ENERGY_TYPE, Subject, find_subject
from enms.settings import TrainingSettings

type Answer = dict[str, Any]

JOB = "train-forecasts"
STEP = "train-request"
SERVICE = "service:make-forecasts"
# The horizons of the API, and what each of them takes: the week's peak and plans stand on its hours.
PLANS = {"1h": ("1h",), "24h": ("24h",), "7d": ("7d", "7d-hourly")}
_ALL = tuple(name for names in PLANS.values() for name in names)
# A training that failed, or brought nothing better, is not asked for again before; where none serves, sooner.
_PAUSE, _URGENT_PAUSE = timedelta(hours=6), timedelta(hours=1)
_POLL_SECONDS = 0.1
_OVER = ("succeeded", "failed")


@dataclass(frozen=True)
class Wanted:
    """A model that is missing, or has become bad.

    Attributes:
        subject: Whose.
        horizon: Of which horizon, such as `7d-hourly`.
        is_urgent: Whether none serves meanwhile.
    """

    subject: Subject
    horizon: str
    is_urgent: bool = False


def request(
    database: Database,
    subject: Subject,
    horizons: Sequence[str],
    energy_type: str,
    actor: str,
    trigger: Trigger = "request",
) -> UUID:
    """Notes that a training is wanted.

    Returns:
        The run's id.
    """
    parameters = {
        f"{subject.kind}_id": str(subject.id),
        "name": subject.name,
        "horizons": list(horizons),
        "energy_type": energy_type,
        "actor": actor,
    }
    return jobs.add_run(database, JOB, trigger, actor, parameters)


def request_wanted(database: Database, wanted: Iterable[Wanted]) -> list[UUID]:
    """Notes a training for each subject whose models are missing or bad, unless one was asked for lately.

    What else the subject has no model of is trained with it: a new plant has its week's forecast at once, not
    when the job of weeks comes by.

    Returns:
        The runs' ids.
    """
    now = datetime.now(UTC)
    lately = forecast_runs.asked_since(database, JOB, now - _PAUSE)
    subjects: dict[UUID, Subject] = {}
    pauses: dict[UUID, dict[str, timedelta]] = defaultdict(dict)
    for each in wanted:
        subjects[each.subject.id] = each.subject
        pauses[each.subject.id][each.horizon] = _URGENT_PAUSE if each.is_urgent else _PAUSE
    for subject_id, horizon in forecast_runs.without_model(database, list(subjects), _ALL, ENERGY_TYPE):
        pauses[subject_id][horizon] = _URGENT_PAUSE

    def is_due(subject_id: UUID, horizon: str) -> bool:
        asked_at = lately.get((str(subject_id), horizon))
        pause = pauses[subject_id].get(horizon)
        return pause is not None and (asked_at is None or now - asked_at > pause)

    due = {subject_id: [name for name in _ALL if is_due(subject_id, name)] for subject_id in subjects}
    return [
        request(database, subjects[subject_id], names, ENERGY_TYPE, SERVICE)
        for subject_id, names in due.items()
        if names
    ]


def run(database: Database, store: ModelStore, settings: TrainingSettings, run_id: UUID) -> None:
    """Does a training that was noted before, and notes how it went; nothing when it is over already.

    Raises:
        NotFoundError: There is no such run.
        UnavailableError: A connection was lost; the run can be done again.
        Exception: What was not foreseen; the run is noted as failed.
    """
    identify(run_id=str(run_id))
    asked = _existing(database, run_id)
    with database.connection() as connection:
        if jobs.begin(connection, run_id) is None:
            return
    try:
        answer = _train(database, store, settings, run_id, asked["parameters"])
    except UnavailableError as error:
        _end(database, asked, "failed", _problem(error), error.message)
        raise
    except EnmsError as error:
        # The answer to the request: doing it again would change nothing.
        logger.info("training refused", extra={"reason": error.message})
        _end(database, asked, "failed", _problem(error), error.message)
    except Exception:
        logger.exception("training failed")
        reason = f"Unexpected; see the log under run_id {run_id}."
        _end(database, asked, "failed", {"reason": reason}, reason)
        raise
    else:
        _end(database, asked, "succeeded", answer, None)


def wait(database: Database, run_id: UUID, seconds: float) -> Answer | None:
    """Waits for a training.

    Returns:
        Its answer; None when it goes on after that time.

    Raises:
        EnmsError: What the training was refused for.
    """
    deadline = time.monotonic() + seconds
    while (found := _existing(database, run_id))["state"] not in _OVER:
        if time.monotonic() > deadline:
            return None
        time.sleep(_POLL_SECONDS)
    detail = jobs.item_detail(database, run_id, _item(found["parameters"]))
    if found["state"] == "succeeded":
        return detail
    kind = getattr(errors, detail.get("problem", ""), UnavailableError)
    raise kind(found["error"], **detail.get("details", {}))


def _train(
    database: Database, store: ModelStore, settings: TrainingSettings, run_id: UUID, asked: Row
) -> Answer:
    # Imported here: noting and waiting need no numpy.
    from enms.science.forecasting.horizons import HORIZONS
    from enms.services import forecast_training

    machine_id, factory_id = (_uuid(asked.get(name)) for name in ("machine_id", "factory_id"))
    trained: Answer = forecast_training.train(
        database,
        store,
        settings,
        find_subject(database, machine_id, factory_id),
        [HORIZONS[name] for name in asked["horizons"]],
        asked["energy_type"],
        asked["actor"],
        run_id,
    )
    return trained


def _end(database: Database, run: Row, state: Any, detail: Answer, error: str | None) -> None:
    as_json: Answer = json.loads(json.dumps(detail, default=_text))
    with database.transaction() as connection:
        jobs.note_item(connection, run["id"], _item(run["parameters"]), state, as_json)
        jobs.end(connection, run["id"], state, {"models": len(run["parameters"]["horizons"])}, error)


def _problem(error: EnmsError) -> Answer:
    return {"problem": type(error).__name__, "reason": error.message, "details": dict(error.details)}


def _item(asked: Row) -> str:
    item: str = asked.get("machine_id") or asked["factory_id"]
    return item


def _existing(database: Database, run_id: UUID) -> Row:
    found = jobs.run(database, run_id)
    if found is None:
        raise NotFoundError(f"There is no run {run_id}.", parameter="run_id", given=str(run_id))
    return found


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
