"""What runs by itself: rules, runs, and asking for a run."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from enms.aws import create_client
from enms.database import jobs, retraining, watermarks
from enms.database.connection import Database
from enms.database.jobs import RunState, Trigger
from enms.errors import InvalidInputError, NotFoundError, UnavailableError
from enms.observability import logger
from enms.services import daily_kpis, forecast_jobs, hourly_detection
from enms.services.forecast_jobs import FORECAST_JOBS
from enms.services.retraining import JOB as RETRAIN
from enms.services.retraining import TRAINING_JOB
from enms.services.schedules import next_firing
from enms.settings import SchedulerSettings

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_stepfunctions import SFNClient

type Answer = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """A job with a rule.

    Attributes:
        description: What it does.
        schedule: Its rule's schedule, from the settings.
        lag: How far it is behind at an instant; None of jobs that have no such measure.
    """

    description: str
    schedule: Callable[[SchedulerSettings], str]
    lag: Callable[[Database, datetime], Answer] | None = None


def _detection_lag(database: Database, now: datetime) -> Answer:
    """How far the detection is behind the last closed hour, by the machine that is furthest behind."""
    machines = watermarks.of_active_machines(database, hourly_detection.ENERGY_TYPE)
    last_closed = now.replace(minute=0, second=0, microsecond=0)
    marks = [row["detected_until"] for row in machines if row["detected_until"] is not None]
    oldest = min(marks, default=None)
    return {
        "machines": len(machines),
        "never_done": len(machines) - len(marks),
        "behind": sum(mark < last_closed for mark in marks),
        "done_until": oldest,
        "hours": max(0.0, round((last_closed - oldest).total_seconds() / 3600, 2)) if oldest else None,
    }


def _forecast_job(name: str, schedule: Callable[[SchedulerSettings], str]) -> Job:
    return Job(FORECAST_JOBS[name].description, schedule, partial(forecast_jobs.lag, job=name))


JOBS: Mapping[str, Job] = {
    daily_kpis.JOB: Job(
        "Key figures of each factory's latest closed local day, and of its machines.",
        lambda settings: settings.daily_kpis_schedule,
    ),
    RETRAIN: Job(
        "A new baseline for each machine of the factories whose Sunday 02:00 has come.",
        lambda settings: settings.retrain_schedule,
    ),
    hourly_detection.JOB: Job(
        "Anomalies in each active machine's closed hours that were not looked at yet.",
        lambda settings: settings.detect_schedule,
        _detection_lag,
    ),
    "forecast-1h": _forecast_job("forecast-1h", lambda settings: settings.forecast_1h_schedule),
    "forecast-24h": _forecast_job("forecast-24h", lambda settings: settings.forecast_24h_schedule),
    "forecast-7d": _forecast_job("forecast-7d", lambda settings: settings.forecast_7d_schedule),
}


def scheduler_status(database: Database, settings: SchedulerSettings) -> Answer:
    """Each job's rule, its next and its last run."""
    now = datetime.now(UTC)
    last_runs = jobs.last_runs(database)
    return {
        "enabled": settings.scheduler_enabled,
        "timestamp": now,
        "jobs": [
            {
                "job": name,
                "description": job.description,
                "rule": job.schedule(settings),
                "enabled": settings.scheduler_enabled,
                "next_run_at": _next_run(job, settings, now, last_runs.get(name)),
                "last_run": last_runs.get(name),
                "lag": job.lag(database, now) if job.lag else None,
            }
            for name, job in JOBS.items()
        ],
    }


def request_daily_kpis(database: Database, trigger: Trigger, actor: str, day: date | None) -> UUID:
    """Notes that the daily KPIs are wanted, of a day or of each factory's latest closed one.

    Raises:
        InvalidInputError: The day isn't over anywhere on earth.
    """
    today = datetime.now(UTC).date()
    if day is not None and day > today:
        raise InvalidInputError(
            f"date: {day} is not over yet.",
            parameter="date",
            given=day.isoformat(),
            allowed=f"at most {today}",
        )
    parameters = {"date": day.isoformat()} if day else {}
    return jobs.add_run(database, daily_kpis.JOB, trigger, actor, parameters)


def request_retraining(
    database: Database, trigger: Trigger, actor: str, machine_ids: Sequence[UUID] | None
) -> UUID:
    """Notes that a retraining is wanted, of certain machines or of all active ones.

    Raises:
        InvalidInputError: No machine is named, or there is none with an id.
    """
    if machine_ids is None:
        return jobs.add_run(database, RETRAIN, trigger, actor, {})
    wanted = list(dict.fromkeys(machine_ids))
    if not wanted:
        raise InvalidInputError(
            "machine_ids is empty: name machines, or leave it out for all of them.",
            parameter="machine_ids",
            given=[],
            allowed="ids of machines",
        )
    with database.connection() as connection:
        known = {row["machine_id"] for row in retraining.machines(connection, wanted)}
    unknown = [str(each) for each in wanted if each not in known]
    if unknown:
        raise InvalidInputError(
            f"machine_ids: there is no machine {', '.join(unknown)}.",
            parameter="machine_ids",
            given=unknown,
            allowed="ids of machines",
        )
    return jobs.add_run(database, RETRAIN, trigger, actor, {"machine_ids": [str(each) for each in wanted]})


def request_detection(database: Database, trigger: Trigger, actor: str) -> UUID:
    """Notes that the hours not yet looked at for anomalies are to be looked at now."""
    return jobs.add_run(database, hourly_detection.JOB, trigger, actor, {})


def request_forecasts(database: Database, job: str, trigger: Trigger, actor: str) -> UUID:
    """Notes that a job of forecasts is to run now."""
    return jobs.add_run(database, job, trigger, actor, {})


def request_training(database: Database, actor: str, parameters: Mapping[str, Any]) -> UUID:
    """Notes a training that outlasts its request.

    Args:
        database: The database.
        actor: Who asked.
        parameters: What was asked, as JSON has it.
    """
    return jobs.add_run(database, TRAINING_JOB, "request", actor, parameters)


def launch(database: Database, function_name: str, run_id: UUID, step: str | None = None) -> None:
    """Hands a run to the Lambda function that does it, and doesn't wait.

    Args:
        database: The database.
        function_name: The function.
        run_id: The run.
        step: Which of its works, for a function that has several.

    Raises:
        UnavailableError: Lambda didn't take it; the run is noted as failed.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    event = {"run_id": str(run_id)} | ({"step": step} if step else {})
    try:
        _lambda_client().invoke(FunctionName=function_name, InvocationType="Event", Payload=json.dumps(event))
    except (BotoCoreError, ClientError) as error:
        raise _not_launched(
            database, run_id, "The function that does the job could not be called."
        ) from error


def start(database: Database, state_machine: str, run_id: UUID) -> None:
    """Hands a run to the state machine that does it, and doesn't wait; once, however often it is called.

    Raises:
        UnavailableError: Step Functions didn't take it; the run is noted as failed.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        _step_functions_client().start_execution(
            stateMachineArn=state_machine, name=str(run_id), input=json.dumps({"run_id": str(run_id)})
        )
    except (BotoCoreError, ClientError) as error:
        raise _not_launched(
            database, run_id, "The state machine that does the job could not be started."
        ) from error


def runs(database: Database, job: str | None, state: RunState | None, limit: int, offset: int) -> Answer:
    """A page of runs, newest first."""
    total, page = jobs.runs(database, job, state, limit, offset)
    return {"total_count": total, "limit": limit, "offset": offset, "runs": page}


def run(database: Database, run_id: UUID) -> Answer:
    """A run with its items.

    Raises:
        NotFoundError: There is none with this id.
    """
    found = jobs.run(database, run_id)
    if found is None:
        raise NotFoundError(
            f"There is no run {run_id}.", parameter="run_id", given=str(run_id), allowed="a run's id"
        )
    return found | {"items": jobs.items(database, run_id)}


def _next_run(
    job: Job, settings: SchedulerSettings, now: datetime, last: Mapping[str, Any] | None
) -> datetime | None:
    if not settings.scheduler_enabled:
        return None
    return next_firing(job.schedule(settings), now, last["scheduled_for"] if last else None)


def _not_launched(database: Database, run_id: UUID, message: str) -> UnavailableError:
    logger.exception("run not launched")
    with database.connection() as connection:
        jobs.end(connection, run_id, "failed", {}, message)
    return UnavailableError(message, run_id=str(run_id))


@cache
def _lambda_client() -> "LambdaClient":
    return cast("LambdaClient", create_client("lambda"))


@cache
def _step_functions_client() -> "SFNClient":
    return cast("SFNClient", create_client("stepfunctions"))
