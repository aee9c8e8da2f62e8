"""Why a job stands where it stood."""

import numpy as np

from enms.science.load_shifting.beside import obstacles, rest_of
from enms.science.load_shifting.plan import Placement, Plan
from enms.science.load_shifting.rates import Rates, counted_cost, rates_of

_CENT = 0.005
_MOST_NAMED = 3
_CHEAPEST = "no other time costs less"


def unmoved(plan: Plan, now: list[Placement], then: list[Placement], currency: str) -> list[tuple[str, str]]:
    """Ids of the jobs that did not move, each with the reason in words.

    Other starts are judged with all other jobs where the schedule has them.
    """
    rates = rates_of(plan.site)
    return [
        (job.id, _reason(plan, rates, place, then, currency))
        for place, job in enumerate(plan.jobs)
        if np.array_equal(now[place], then[place])
    ]


def _reason(plan: Plan, rates: Rates, place: int, then: list[Placement], currency: str) -> str:
    job = plan.jobs[place]
    is_other = job.starts != then[place][0]
    if not is_other.any() and not (job.is_interruptible and len(job.places) > job.length):
        return "its window and allowed hours leave it no other time"
    rest_kw = rest_of(plan, place, then)
    blocked = obstacles(plan, place, then, rest_kw)
    free = is_other.copy()
    for flags in blocked.values():
        free &= ~flags
    if not free.any():
        return _blocked({why: int(flags[is_other].sum()) for why, flags in blocked.items()})
    here = counted_cost(plan.load_kw(then), plan.site, rates)
    costs = []
    for start in job.starts[free].tolist():
        load_kw = rest_kw.copy()
        load_kw[start : start + job.length] += job.profile_kw
        costs.append(counted_cost(load_kw, plan.site, rates))
    more = min(costs) - here
    return _CHEAPEST if more < _CENT else f"any other start costs at least {more:.2f} {currency} more"


def _blocked(counts: dict[str, int]) -> str:
    """What stands in the way of most starts."""
    named = [why for why in sorted(counts, key=lambda why: -counts[why]) if counts[why]][:_MOST_NAMED]
    return f"every other start clashes with {', '.join(named)}" if named else _CHEAPEST
