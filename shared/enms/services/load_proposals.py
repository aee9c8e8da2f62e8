"""Jobs that a machine's own history suggests: assumptions, each with its reason."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from enms.database import forecast_loads
from enms.database import load_schedules as stored
from enms.database.connection import Database
from enms.science.arrays import Values
from enms.science.baseline.calendar import date_of, local_time
from enms.science.load_shifting.movable import QUARTERS_OF_DAY, Movable, min_run, movable
from enms.science.load_shifting.plan import Job
from enms.services.forecast_subjects import Subject
from enms.services.schedule_times import QUARTER_SECONDS, PlanTimes, quarter_of_day

type Asked = dict[str, Any]

_HISTORY = timedelta(days=28)
# More than these are no proposal that anybody reads.
_MOST_JOBS = 40
_QUARTER_MINUTES = 15


def proposed(database: Database, subject: Subject, times: PlanTimes, energy_type: str) -> list[Asked]:
    """Jobs in the shape of `ScheduleBody`, those of most energy first.

    Args:
        database: The database.
        subject: A machine, or a factory whose active machines are looked at.
        times: The plan's quarter hours.
        energy_type: The carrier.
    """
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with database.connection() as connection:
        forecast_loads.catch_up(connection, subject.machine_ids)
        loads_kw = stored.quarter_loads(connection, subject.machine_ids, energy_type, end - _HISTORY, end)
        names = stored.machine_names(connection, subject.factory_id)
    quarters = np.arange(loads_kw.shape[1], dtype=np.int64) * QUARTER_SECONDS
    starts_at = int((end - _HISTORY).timestamp()) + quarters
    local = local_time(starts_at, times.zone.key)
    places = quarter_of_day(starts_at, times.zone.key)
    jobs: list[Asked] = []
    for machine_id, power_kw in zip(subject.machine_ids, loads_kw, strict=True):
        parts = {
            is_weekend: movable(power_kw, local, places, on_weekends=is_weekend)
            for is_weekend in (False, True)
        }
        jobs.extend(_jobs(machine_id, names[machine_id], parts, times))
    jobs.sort(key=lambda job: -job["power_kw"] * job["duration_minutes"])
    return jobs[:_MOST_JOBS]


def without(base_kw: Values, jobs: Sequence[Job]) -> Values:
    """A load less that of jobs where they stand today, nowhere below zero, shape (n,)."""
    rest_kw = base_kw.copy()
    for job in jobs:
        rest_kw[job.first_placement()] -= job.profile_kw
    return np.maximum(rest_kw, 0.0)


def notes(jobs: Sequence[Job]) -> list[str]:
    """What has to be said of a proposal."""
    if not jobs:
        return [
            "Nothing in the last four weeks looks movable: no load that ran in pieces at changing times, and "
            "no long shift. Give jobs of your own."
        ]
    return [
        "An assumption: nobody said that these loads can move. They are read off the last four weeks, and "
        "taken out of the forecast where they usually run."
    ]


def _jobs(
    machine_id: UUID, name: str, parts: Mapping[bool, Sequence[Movable]], times: PlanTimes
) -> Iterator[Asked]:
    """A machine's parts on each day of a plan, as far as they and their usual time lie in it."""
    local = local_time(times.starts_at, times.zone.key)
    places = quarter_of_day(times.starts_at, times.zone.key)
    for day in np.unique(local.days).tolist():
        midnight = int(np.flatnonzero(local.days == day)[0] - places[local.days == day][0])
        is_weekend = (day + 3) % 7 >= 5
        for number, part in enumerate(parts[is_weekend], start=1):
            first, last = midnight + part.first, midnight + part.last
            usual = midnight + part.usual
            first, last = max(first, 0), min(last, times.quarters)
            if first <= usual and usual + part.length <= last:
                label = f"{name} {date_of(day):%a %d %b}" + (f" ({number})" if number > 1 else "")
                yield _job(label, machine_id, part, (first, usual, last), times)


def _job(
    label: str, machine_id: UUID, part: Movable, places: tuple[int, int, int], times: PlanTimes
) -> Asked:
    first, usual, last = places
    return {
        "id": label,
        "name": None,
        "machine_id": machine_id,
        "power_kw": max(round(part.power_kw, 1), 0.1),
        "profile_kw": None,
        "duration_minutes": _QUARTER_MINUTES * part.length,
        "earliest_start": times.at(first),
        "deadline": times.at(last),
        "planned_start": times.at(usual),
        "interruptible": part.is_share,
        "min_run_minutes": _QUARTER_MINUTES * min_run(part) if part.is_share else None,
        "why": _why(part),
    }


def _why(part: Movable) -> str:
    hours = part.length * _QUARTER_MINUTES / 60
    seen = f"seen on {part.days} of {part.of_days} such days"
    if part.is_share:
        return (
            f"it works from about {_clock(part.first)} to {_clock(part.last)} ({seen}); 15 % of its power "
            f"above the base for {hours:g} h is assumed to be able to wait within that time"
        )
    latest = part.last - part.length
    return (
        f"a run of about {hours:g} h that started between {_clock(part.first)} and {_clock(latest)} "
        f"({seen}), so any of these times is assumed to do"
    )


def _clock(quarter: int) -> str:
    minutes = quarter % QUARTERS_OF_DAY * _QUARTER_MINUTES
    return f"{minutes // 60:02}:{minutes % 60:02}"
