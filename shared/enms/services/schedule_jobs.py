"""Jobs as they are asked for, checked one by one and made into quarter hours."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import ceil, isfinite
from typing import Any
from uuid import UUID

import numpy as np

from enms.errors import InvalidInputError
from enms.science.arrays import Flags, Positions, Values
from enms.science.baseline.calendar import local_time
from enms.science.load_shifting.plan import Job
from enms.services.schedule_times import PlanTimes, instant_of

MOST_JOBS = 200
_QUARTER_MINUTES = 15
_MOST_KW = 1e6
_HOURS_OF_DAY = 24


def jobs_of(
    asked: Sequence[Mapping[str, Any]], times: PlanTimes, machines: Mapping[UUID, str]
) -> tuple[Job, ...]:
    """Makes jobs of what was asked.

    Args:
        asked: Jobs of a body.
        times: The plan's quarter hours.
        machines: Names of the factory's machines.

    Raises:
        InvalidInputError: One of them means nothing, or has no time to run in; the error names it.
    """
    if not 1 <= len(asked) <= MOST_JOBS:
        raise InvalidInputError(
            f"jobs: {len(asked)} given; a plan has 1 to {MOST_JOBS}.",
            parameter="jobs",
            given=len(asked),
            allowed=f"1 to {MOST_JOBS} jobs",
        )
    _check_names(asked)
    local_hours = local_time(times.starts_at, times.zone.key).hours
    jobs = tuple(_Reader(each, times, machines).job(local_hours) for each in asked)
    _check_orders(jobs)
    return jobs


class _Reader:
    """Reads one job."""

    def __init__(self, asked: Mapping[str, Any], times: PlanTimes, machines: Mapping[UUID, str]) -> None:
        self._asked = asked
        self._times = times
        self._machines = machines

    def job(self, local_hours: Positions) -> Job:
        profile_kw = self._profile_kw()
        allowed = self._window() & self._allowed_hours(local_hours)
        machine_id = self._asked.get("machine_id")
        if machine_id is not None and machine_id not in self._machines:
            raise self._refused("machine_id", str(machine_id), "a machine of this factory")
        is_interruptible = bool(self._asked.get("interruptible"))
        job = Job(
            id=self._asked["id"],
            profile_kw=profile_kw,
            allowed=allowed,
            machine=None if machine_id is None else str(machine_id),
            is_interruptible=is_interruptible,
            min_run=self._min_run(len(profile_kw)) if is_interruptible else 1,
            after=tuple(dict.fromkeys(self._asked.get("after") or ())),
            planned=self._planned(len(profile_kw)),
        )
        self._check_fit(job)
        return job

    def _profile_kw(self) -> Values:
        """The power of each of its quarter hours."""
        power_kw, profile_kw = self._asked.get("power_kw"), self._asked.get("profile_kw")
        minutes = self._asked.get("duration_minutes")
        if (power_kw is None) == (profile_kw is None):
            raise self._refused("power_kw", power_kw, "either power_kw or profile_kw")
        if minutes is not None and not (isfinite(minutes) and minutes > 0):
            raise self._refused("duration_minutes", minutes, "more than 0")
        if profile_kw is not None:
            return self._of_profile(profile_kw, minutes)
        if not (isfinite(power_kw or 0.0) and 0 < (power_kw or 0.0) <= _MOST_KW):
            raise self._refused("power_kw", power_kw, f"above 0, at most {_MOST_KW:.0f}")
        return self._of_power(float(power_kw or 0.0), minutes)

    def _of_profile(self, profile_kw: Sequence[float], minutes: float | None) -> Values:
        for each in profile_kw:
            if not (isfinite(each) and 0 <= each <= _MOST_KW):
                raise self._refused("profile_kw", each, f"0 to {_MOST_KW:.0f}")
        taken = _QUARTER_MINUTES * len(profile_kw)
        if not taken or (minutes is not None and minutes != taken):
            raise self._refused(
                "duration_minutes", minutes, f"{_QUARTER_MINUTES} for each figure of profile_kw"
            )
        self._check_length(taken)
        return np.array(profile_kw, dtype=np.float64)

    def _of_power(self, power_kw: float, minutes: float | None) -> Values:
        if minutes is None:
            raise self._refused("duration_minutes", None, "how long power_kw lasts")
        self._check_length(minutes)
        profile_kw = np.full(ceil(minutes / _QUARTER_MINUTES), power_kw)
        # What doesn't fill its last quarter hour takes its part of it.
        profile_kw[-1] *= minutes / _QUARTER_MINUTES - (len(profile_kw) - 1)
        return profile_kw

    def _check_length(self, minutes: float) -> None:
        hours = self._times.quarters * _QUARTER_MINUTES / 60
        if minutes > 60 * hours:
            raise self._refused("duration_minutes", minutes, f"at most the plan's {hours:g} hours")

    def _window(self) -> Flags:
        times = self._times
        earliest, deadline = self._asked.get("earliest_start"), self._asked.get("deadline")
        first = times.start if earliest is None else instant_of(earliest, times.zone)
        last = times.end if deadline is None else instant_of(deadline, times.zone, is_end=True)
        if last <= first:
            raise self._refused("deadline", last.isoformat(), f"after earliest_start {first.isoformat()}")
        allowed = np.zeros(times.quarters, dtype=np.bool_)
        allowed[max(times.quarter_from(first), 0) : max(times.quarter_until(last), 0)] = True
        return allowed

    def _allowed_hours(self, local_hours: Positions) -> Flags:
        asked = self._asked.get("allowed_hours")
        if asked is None:
            return np.ones(len(local_hours), dtype=np.bool_)
        windows = [asked] if len(asked) == 2 and not any(isinstance(each, list) for each in asked) else asked
        allowed = np.zeros(len(local_hours), dtype=np.bool_)
        for window in windows:
            since, until = self._hours(window, asked)
            inside = (local_hours >= since) & (local_hours < until)
            allowed |= (local_hours >= since) | (local_hours < until) if since >= until else inside
        return allowed

    def _hours(self, window: Any, asked: Any) -> tuple[int, int]:
        pair = window if isinstance(window, list) else [window, None]
        since, until = pair if len(pair) == 2 else (None, None)
        if isinstance(since, int) and until is None:
            until = since + 1
        if (
            not (isinstance(since, int) and isinstance(until, int))
            or not 0 <= since < _HOURS_OF_DAY
            or not 0 <= until <= _HOURS_OF_DAY
        ):
            raise self._refused(
                "allowed_hours", asked, "[from, until] with hours of 0 to 24, or several of these"
            )
        return since, until

    def _min_run(self, length: int) -> int:
        minutes = self._asked.get("min_run_minutes")
        if minutes is None:
            return 1
        if not (isfinite(minutes) and minutes > 0):
            raise self._refused("min_run_minutes", minutes, "more than 0")
        shortest: int = ceil(minutes / _QUARTER_MINUTES)
        return min(shortest, length)

    def _planned(self, length: int) -> int | None:
        asked = self._asked.get("planned_start")
        if asked is None:
            return None
        at = instant_of(asked, self._times.zone)
        planned: int = self._times.quarter_until(at)
        if not 0 <= planned <= self._times.quarters - length:
            raise self._refused("planned_start", at.isoformat(), "inside the plan with the whole job")
        return planned

    def _check_fit(self, job: Job) -> None:
        fits = len(job.places) >= job.length if job.is_interruptible else len(job.starts) > 0
        if fits:
            return
        hours = timedelta(minutes=_QUARTER_MINUTES) / timedelta(hours=1)
        room = len(job.places) if job.is_interruptible else _longest(job.allowed)
        what = "in all" if job.is_interruptible else "in one piece"
        raise InvalidInputError(
            f"jobs: {job.id!r} takes {job.length * hours:g} h, and its window and allowed hours leave "
            f"{room * hours:g} h {what}; give it a later deadline, more hours, or less to do.",
            parameter="jobs",
            given=job.id,
            allowed=f"at least {job.length * hours:g} h {what} between earliest_start and deadline",
        )

    def _refused(self, field: str, given: object, allowed: str) -> InvalidInputError:
        return InvalidInputError(
            f"jobs: {self._asked['id']!r} has {field} {given}; allowed: {allowed}.",
            parameter=f"jobs.{field}",
            given=given,
            allowed=allowed,
            job_id=self._asked["id"],
        )


def _longest(allowed: Flags) -> int:
    """The length of the longest run of allowed quarters."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], allowed.astype(np.int8), [0]])))
    lengths = edges[1::2] - edges[::2]
    return int(lengths.max()) if len(lengths) else 0


def _check_names(asked: Sequence[Mapping[str, Any]]) -> None:
    names = [each["id"] for each in asked]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInputError(
            f"jobs: the id {twice[0]!r} is given to {names.count(twice[0])} jobs.",
            parameter="jobs.id",
            given=twice,
            allowed="an id of its own for each job",
        )
    for each in asked:
        unknown = [name for name in each.get("after") or () if name not in names or name == each["id"]]
        if unknown:
            raise InvalidInputError(
                f"jobs: {each['id']!r} comes after {unknown[0]!r}, which is no other job of the plan.",
                parameter="jobs.after",
                given=unknown,
                allowed="ids of other jobs of the plan",
            )


def _check_orders(jobs: Sequence[Job]) -> None:
    """Refuses jobs that wait for each other."""
    waiting = {job.id: set(job.after) for job in jobs}
    while free := [name for name, others in waiting.items() if not others]:
        for name in free:
            del waiting[name]
        for others in waiting.values():
            others.difference_update(free)
    if waiting:
        circle = sorted(waiting)
        raise InvalidInputError(
            f"jobs: {' and '.join(repr(name) for name in circle)} wait for each other.",
            parameter="jobs.after",
            given=circle,
            allowed="an order without circles",
        )
