"""Jobs `forecast-1h`, `forecast-24h` and `forecast-7d`: past forecasts get their truth, new ones are made."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from enms.artifacts import DamagedArtifactError, ModelStore
from enms.database import (
    forecast_accuracy,
    forecast_issues,
    forecast_models,
    forecast_runs,
    forecast_subjects,
    jobs,
)
from enms.database.connection import Connection, Database, Row
from enms.errors import EnmsError, UnavailableError
from enms.observability import logger
from enms.science.forecasting.horizons import HORIZONS, Horizon
from enms.services import forecast_issuing, forecast_scoring
from enms.services.forecast_degradation import Live, Promised, why_degraded
from enms.services.forecast_jobs import FORECAST_JOBS
from enms.services.forecast_origins import origin_of
from enms.services.forecast_requests import Wanted
from enms.services.forecast_shapes import SELECTED
from enms.services.forecast_subjects import ENERGY_TYPE, Subject, active_subjects
from enms.services.forecasters import loaded
from enms.services.job_runs import do_once, write_account
from enms.settings import TrainingSettings

# A model is judged by what it foretold in this time: by each job's first firing of a day, since that is much
# to count, and by every run that a person asks for.
_RECENT = timedelta(days=14)
# One that learned from a short history is trained anew when that has grown by half.
_GROWN = 1.5
# For how long forecasts are kept, and of plans, which are long, more than one a day.
_KEPT, _ALL_PLANS_KEPT = timedelta(days=400), timedelta(days=15)
_THINNING_JOB, _PLAN = "forecast-7d", "7d-hourly"


def run_scheduled(
    database: Database, store: ModelStore, settings: TrainingSettings, job: str, fired_at: datetime
) -> tuple[UUID, list[Wanted]]:
    """Does what one firing of a job's rule asks for; nothing when it was done before.

    Returns:
        The run's id, and the models that are to be trained.
    """
    with database.connection() as connection:
        run_id = jobs.add_scheduled_run(connection, job, f"service:{job}", fired_at)
    return run_id, run(database, store, settings, job, run_id)


def run(
    database: Database, store: ModelStore, settings: TrainingSettings, job: str, run_id: UUID
) -> list[Wanted]:
    """Does a run that was noted before; nothing when it is over already.

    Returns:
        The models that are to be trained: missing, worse than their proof, or of too short a history.

    Raises:
        NotFoundError: There is no such run.
        UnavailableError: The database was lost, or another run goes on; the run can be done again.
    """
    wanted: list[Wanted] = []

    def do(connection: Connection, begun: Row) -> None:
        making = _Making.begun(connection, store, begun)
        _make_all(connection, begun, making)
        wanted.extend(making.wanted)
        if job == _THINNING_JOB:
            forecast_issues.thin(connection, making.now, _KEPT, _ALL_PLANS_KEPT, _PLAN)

    do_once(database, job, run_id, do)
    return wanted


@dataclass(frozen=True)
class _Making:
    """What a run needs to know of all subjects, read once.

    Attributes:
        store: Where forecasters are kept.
        job: The job's name.
        now: The present.
        horizons: What it makes.
        models: The models that serve, by horizon and subject.
        degraded: Why a model is to be trained again, by its id.
        newest: The newest forecasts, by horizon, and by subject and choice.
        wanted: Gathers what is to be trained.
    """

    store: ModelStore
    job: str
    now: datetime
    horizons: Sequence[Horizon]
    models: Mapping[str, Mapping[UUID, Row]]
    degraded: Mapping[UUID, str]
    newest: Mapping[str, Mapping[tuple[UUID, str], Row]]
    wanted: list[Wanted] = field(default_factory=list)

    @classmethod
    def begun(cls, connection: Connection, store: ModelStore, run: Row) -> "_Making":
        """At the beginning of a run."""
        names = FORECAST_JOBS[run["job"]].horizons
        now = datetime.now(UTC)
        models = {name: forecast_models.all_active(connection, ENERGY_TYPE, name) for name in names}
        is_judging = run["trigger"] != "schedule" or forecast_runs.is_first_of_day(connection, run["id"])
        judged = [row for each in models.values() for row in each.values()] if is_judging else []
        return cls(
            store=store,
            job=run["job"],
            now=now,
            horizons=[HORIZONS[name] for name in names],
            models=models,
            degraded=_degraded(connection, judged, now),
            newest={name: forecast_issues.newest_origins(connection, ENERGY_TYPE, name) for name in names},
        )


def _degraded(connection: Connection, models: Sequence[Row], now: datetime) -> dict[UUID, str]:
    backtests = {row["id"]: row["backtest"] for row in models}
    found = forecast_accuracy.of_models(connection, list(backtests), now - _RECENT)
    why = {
        row["model_id"]: why_degraded(Live.of(row), Promised.of(backtests[row["model_id"]], SELECTED))
        for row in found
    }
    return {model_id: reason for model_id, reason in why.items() if reason is not None}


def _make_all(connection: Connection, begun: Row, making: _Making) -> None:
    counts: Counter[str] = Counter(machines=0, succeeded=0, skipped=0, failed=0, forecasts=0, scored=0)
    for subject in active_subjects(connection):
        counts["machines"] += 1
        state, detail = _outcome(connection, making, begun["id"], subject)
        counts[state] += 1
        counts["forecasts"] += detail.get("forecasts", 0)
        counts["scored"] += detail.get("scored", 0)
        named = {f"{subject.kind}_name": subject.name, "factory_name": subject.factory_name}
        jobs.note_item(connection, begun["id"], str(subject.id), state, named | detail)
    write_account(connection, begun, counts, "machines")


def _outcome(
    connection: Connection, making: _Making, run_id: UUID, subject: Subject
) -> tuple[jobs.ItemState, dict[str, Any]]:
    """What became of a machine or factory; its failure doesn't hold up the others."""
    try:
        return _serve(connection, making, subject)
    except UnavailableError:
        raise
    except EnmsError as error:
        logger.exception("forecast failed", extra={"subject": subject.name})
        return "failed", {"reason": error.message}
    except Exception as error:
        if connection.closed:
            raise
        logger.exception("forecast failed", extra={"subject": subject.name})
        reason = f"Unexpected ({type(error).__name__}); the log has more under run_id {run_id}."
        return "failed", {"reason": reason}


def _serve(
    connection: Connection, making: _Making, subject: Subject
) -> tuple[jobs.ItemState, dict[str, Any]]:
    history = forecast_subjects.history(connection, subject.machine_ids, ENERGY_TYPE)
    if history is None:
        return "skipped", {"reason": f"{subject.name} has no reading of {ENERGY_TYPE} energy at all."}
    made, scored, reasons = 0, 0, []
    damaged: DamagedArtifactError | None = None
    for horizon in making.horizons:
        scored += forecast_scoring.score(connection, subject, ENERGY_TYPE, horizon, making.now)
        origin_at = origin_of(history[1], making.now, horizon.step_seconds, subject.timezone)
        try:
            count, reason = _make(connection, making, subject, horizon, origin_at, origin_at - history[0])
        except DamagedArtifactError as error:
            # A failure of the subject, once its other horizons are served.
            damaged = error
            continue
        made += count
        if reason is not None:
            reasons.append(f"{horizon.name}: {reason}")
    if damaged is not None:
        raise damaged
    detail: dict[str, Any] = {"forecasts": made, "scored": scored}
    if reasons:
        detail["reason"] = " ".join(reasons)
    return "succeeded" if made else "skipped", detail


def _make(
    connection: Connection,
    making: _Making,
    subject: Subject,
    horizon: Horizon,
    origin_at: datetime,
    past: timedelta,
) -> tuple[int, str | None]:
    """Makes a subject's forecasts of a horizon: how many, and what is to be said of it."""
    model = making.models[horizon.name].get(subject.id)
    if model is None:
        making.wanted.append(Wanted(subject, horizon.name, is_urgent=True))
        return 0, "it has no model yet; one is being trained."
    reason = making.degraded.get(model["id"]) or _outgrown(model, past / timedelta(days=1), horizon)
    if reason is not None:
        making.wanted.append(Wanted(subject, horizon.name))
        reason = f"{reason}; it is trained again."
    # Plans are kept each hour: one of them is enough.
    choices = [SELECTED] if horizon.name == _PLAN else model["choices"]
    newest = making.newest[horizon.name]
    due = [choice for choice in choices if _is_due(newest.get((subject.id, choice)), model["id"], origin_at)]
    if not due:
        return 0, reason or f"its forecast from {origin_at:%Y-%m-%dT%H:%MZ} on was made before."
    try:
        return _issue(connection, making, subject, horizon, model, due), reason
    except DamagedArtifactError:
        making.wanted.append(Wanted(subject, horizon.name, is_urgent=True))
        raise


def _issue(
    connection: Connection,
    making: _Making,
    subject: Subject,
    horizon: Horizon,
    model: Row,
    choices: Sequence[str],
) -> int:
    """Makes forecasts of some of a model's choices, and keeps them; how many are news."""
    forecaster = loaded(making.store, model)
    series = forecast_issuing.read_past(connection, subject, ENERGY_TYPE, horizon)
    made = 0
    for choice in choices:
        issue = forecast_issuing.make(
            connection, subject, ENERGY_TYPE, series, forecaster, model["id"], choice, f"service:{making.job}"
        )
        made += forecast_issues.keep(connection, issue)
    return made


def _is_due(newest: Row | None, model_id: UUID, origin_at: datetime) -> bool:
    """Whether this origin, or this model at it, is news."""
    return newest is None or newest["origin_at"] < origin_at or newest["model_id"] != model_id


def _outgrown(model: Row, days_of_history: float, horizon: Horizon) -> str | None:
    """Why a model of a short history has had its day; None where it hasn't."""
    enough = horizon.training_days + horizon.proof_days
    if days_of_history < _GROWN * model["days_of_history"] or model["days_of_history"] >= enough:
        return None
    return (
        f"it learned from {model['days_of_history']:.0f} days of history, now there are {days_of_history:.0f}"
    )
