"""Which loads to move, and what that saves: for jobs that are given, or that the history suggests."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from enms.database import load_schedules as stored
from enms.database.connection import Database
from enms.errors import InvalidInputError
from enms.science.load_shifting.plan import Plan
from enms.science.load_shifting.schedule import optimise
from enms.services import load_proposals, schedule_answers
from enms.services.forecast_current import ForecastQuestion
from enms.services.forecast_subjects import Subject, find_subject
from enms.services.schedule_answers import Answer
from enms.services.schedule_jobs import jobs_of
from enms.services.schedule_site import site_of
from enms.services.schedule_times import PlanTimes, plan_times

_USUAL_SECONDS, _LEAST_SECONDS, _MOST_SECONDS = 10.0, 1.0, 15.0
_DAYS = {"24h": 1, "7d": 7}
_HOUR = timedelta(hours=1)
_ON_TOP = "The jobs come on top of the load beside them: what of them is part of it already counts twice."


def optimal_schedule(database: Database, body: Mapping[str, Any]) -> Answer:
    """The cheapest times of given jobs.

    Args:
        database: The database.
        body: `enms.web.schedule_questions.ScheduleBody`, as a dictionary.

    Raises:
        InvalidInputError: A figure means nothing, or a job can't fit; the error names both.
        NotFoundError: There is no such factory.
    """
    seconds = body.get("time_limit_seconds")
    seconds = _USUAL_SECONDS if seconds is None else seconds
    if not _LEAST_SECONDS <= seconds <= _MOST_SECONDS:
        raise InvalidInputError(
            f"time_limit_seconds: {seconds} given; allowed: {_LEAST_SECONDS:g} to {_MOST_SECONDS:g}.",
            parameter="time_limit_seconds",
            given=seconds,
            allowed=f"{_LEAST_SECONDS:g} to {_MOST_SECONDS:g}",
        )
    subject = find_subject(database, None, body["factory_id"])
    times = plan_times(body["start"], body["end"], ZoneInfo(subject.timezone))
    return _solved(database, subject, times, body, body["jobs"], seconds, is_assumption=False)


def proposed_schedule(database: Database, question: ForecastQuestion) -> Answer:
    """The cheapest times of what the history suggests to be movable: an assumption.

    Raises:
        InvalidInputError: Neither or both of machine and factory are asked for.
        NotFoundError: There is no such machine or factory.
    """
    subject = find_subject(database, question.machine_id, question.factory_id)
    zone = ZoneInfo(subject.timezone)
    start = (datetime.now(UTC) + _HOUR).replace(minute=0, second=0, microsecond=0)
    end = (start.astimezone(zone) + timedelta(days=_DAYS[question.horizon])).astimezone(UTC)
    times = plan_times(start, end.replace(minute=0, second=0, microsecond=0), zone)
    jobs = load_proposals.proposed(database, subject, times, question.energy_type)
    body = {"energy_type": question.energy_type, "jobs_are_in_base": True}
    return _solved(database, subject, times, body, jobs, _USUAL_SECONDS, is_assumption=True)


def _solved(
    database: Database,
    subject: Subject,
    times: PlanTimes,
    body: Mapping[str, Any],
    asked: Sequence[Mapping[str, Any]],
    seconds: float,
    *,
    is_assumption: bool,
) -> Answer:
    began = monotonic()
    with database.connection() as connection:
        machines = stored.machine_names(connection, subject.factory_id)
    jobs = jobs_of(asked, times, machines) if asked or not is_assumption else ()
    found = site_of(database, subject, times, body)
    site = found.site
    are_in_base = bool(body.get("jobs_are_in_base"))
    if are_in_base:
        # They are part of the load that is forecast: they are taken out of it where they stand today.
        site = replace(site, base_kw=load_proposals.without(site.base_kw, jobs))
    plan = Plan(jobs, site)
    unmargined = None
    if found.unmargined_limit_kw is not None:
        unmargined = Plan(jobs, replace(site, limit_kw=found.unmargined_limit_kw))
    schedule = optimise(plan, seconds, unmargined)
    answer = schedule_answers.shown(subject, times, plan, found, schedule, asked, machines)
    on_top = [_ON_TOP] if site.base_kw.any() and not are_in_base else []
    of_jobs = load_proposals.notes(jobs) if is_assumption else on_top
    answer["notes"] = [*of_jobs, *answer["notes"]]
    return answer | {
        "is_assumption": is_assumption,
        "energy_type": body.get("energy_type") or "electrical",
        "solve_seconds": round(monotonic() - began, 2),
    }
