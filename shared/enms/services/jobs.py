"""What runs by itself: rules, runs, and asking for a run."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from enms.database import jobs
from enms.database.connection import Database
from enms.database.jobs import RunState, Trigger
from enms.errors import InvalidInputError, NotFoundError, UnavailableError
from enms.observability import logger
from enms.services import daily_kpis
from enms.services.schedules import next_firing
from enms.settings import SchedulerSettings

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

type Answer = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """A job with a rule.

    Attributes:
        description: What it does.
        schedule: Its rule's schedule, from the settings.
    """

    description: str
    schedule: Callable[[SchedulerSettings], str]


JOBS: Mapping[str, Job] = {
    daily_kpis.JOB: Job(
        "Key figures of each factory's latest closed local day, and of its machines.",
        lambda settings: settings.daily_kpis_schedule,
    )
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


def launch(database: Database, function_name: str, run_id: UUID) -> None:
    """Hands a run to the Lambda function that does it, and doesn't wait.

    Raises:
        UnavailableError: Lambda didn't take it; the run is noted as failed.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        _lambda_client().invoke(
            FunctionName=function_name, InvocationType="Event", Payload=json.dumps({"run_id": str(run_id)})
        )
    except (BotoCoreError, ClientError) as error:
        logger.exception("run not launched")
        message = "The function that does the job could not be called."
        with database.connection() as connection:
            jobs.end(connection, run_id, "failed", {}, message)
        raise UnavailableError(message, run_id=str(run_id)) from error


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


@cache
def _lambda_client() -> "LambdaClient":
    import boto3

    return boto3.client("lambda")
