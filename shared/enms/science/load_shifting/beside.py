"""A job beside the others where a schedule has them: what stands in the way of its other starts."""

import numpy as np

from enms.science.arrays import Flags, Values
from enms.science.load_shifting.plan import Placement, Plan

SITE_LIMIT, AT_ONCE = "the site limit", "the number of jobs at once"
_TOLERANCE_KW = 1e-6


def rest_of(plan: Plan, place: int, then: list[Placement]) -> Values:
    """The load without a job, shape (n,)."""
    rest_kw = plan.load_kw(then)
    rest_kw[then[place]] -= plan.jobs[place].profile_kw
    return rest_kw


def obstacles(plan: Plan, place: int, then: list[Placement], rest_kw: Values) -> dict[str, Flags]:
    """What forbids each of a job's starts, in words, each of shape (starts,).

    Args:
        plan: Jobs and site.
        place: Which job.
        then: Where all are.
        rest_kw: The load without it.
    """
    job, site = plan.jobs[place], plan.site
    windows = job.starts[:, None] + np.arange(job.length)
    found: dict[str, Flags] = {}
    if site.limit_kw is not None:
        room_kw = site.limit_kw + site.solar_kw - rest_kw
        found[SITE_LIMIT] = (job.profile_kw > room_kw[windows] + _TOLERANCE_KW).any(axis=1)
    running = np.zeros(plan.quarters, dtype=np.int64)
    for number, (other, placement) in enumerate(zip(plan.jobs, then, strict=True)):
        if number == place:
            continue
        running[placement] += 1
        if job.machine is not None and other.machine == job.machine:
            busy = np.zeros(plan.quarters, dtype=np.bool_)
            busy[placement] = True
            found[f"{other.id} on the same machine"] = busy[windows].any(axis=1)
        if other.id in job.after:
            found[f"the order after {other.id}"] = job.starts <= placement[-1]
        if job.id in other.after:
            found[f"the order before {other.id}"] = windows[:, -1] >= placement[0]
    if site.most_at_once is not None:
        found[AT_ONCE] = (running[windows] >= site.most_at_once).any(axis=1)
    return found


def free_starts(plan: Plan, place: int, then: list[Placement], rest_kw: Values) -> Flags:
    """Which of a job's starts nothing forbids, shape (starts,)."""
    forbidden = np.zeros(len(plan.jobs[place].starts), dtype=np.bool_)
    for flags in obstacles(plan, place, then, rest_kw).values():
        forbidden |= flags
    return ~forbidden
