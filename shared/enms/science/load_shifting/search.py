"""The search for the cheapest schedule: a quick one, what a relaxation rules out, then two solvers."""

from dataclasses import dataclass, replace
from time import monotonic
from typing import Literal

from enms.science.load_shifting.bill import bill
from enms.science.load_shifting.energy_bound import energy_bound
from enms.science.load_shifting.insertion import Insertion
from enms.science.load_shifting.linear import LinearPlan
from enms.science.load_shifting.plan import Placement, Plan
from enms.science.load_shifting.race import Course, Race
from enms.science.load_shifting.rates import Rates, counted_cost
from enms.science.load_shifting.relaxation import Relaxed, keep_below, relax
from enms.science.load_shifting.units import Units

# Better than the half per cent that is promised, so that rounding doesn't matter.
_WANTED_GAP = 0.003
# Below both HiGHS closes the rest soonest; above, bounds of rows hardly move, and packing has to tell. (HiGHS
# can't be stopped: it isn't begun where packing is through before it.)
_HIGHS_GAP = 0.03
_HIGHS_DEMAND = 0.5
_SHARE_OF_INSERTION = 0.08
_LONGEST_INSERTION_SECONDS = 1.0
_SHARE_OF_INSERTION_ALONE = 0.6
_SHARE_OF_RELAXATION = 0.2
# Above so many powers in rows they take longer to write down than there is time.
_MOST_ROW_TERMS = 400_000

type Verdict = Literal["found", "infeasible", "unknown"]


@dataclass(frozen=True)
class Found:
    """What came of the search.

    Attributes:
        verdict: Whether a schedule was found, or it is proven that there is none.
        placements: The best one's; None without one.
        gap: No schedule is cheaper by more than this share of the cost that schedules decide.
    """

    verdict: Verdict
    placements: list[Placement] | None
    gap: float | None


def search(plan: Plan, rates: Rates, units: Units, begin: list[Placement] | None, seconds: float) -> Found:
    """Looks for the cheapest schedule.

    Args:
        plan: Jobs and site.
        rates: What it costs.
        units: Whole numbers for it.
        begin: A schedule that may be improved, if it keeps all rules.
        seconds: How long to look.
    """
    until = monotonic() + seconds
    terms = sum(len(job.starts) * job.length for job in plan.jobs)
    longest = min(_SHARE_OF_INSERTION * seconds, _LONGEST_INSERTION_SECONDS)
    if terms > _MOST_ROW_TERMS:
        # There solvers come to little more than their presolve.
        longest = _SHARE_OF_INSERTION_ALONE * seconds
    hint = Insertion(plan, rates).best(longest, begin)
    relaxed, kept, linear = None, plan, None
    if terms <= _MOST_ROW_TERMS:
        linear = LinearPlan(plan, rates)
        relaxed = relax(linear, _SHARE_OF_RELAXATION * seconds)
    cost = float("inf") if hint is None else _cost(plan, rates, hint)
    if relaxed is not None and hint is not None:
        if cost - relaxed.bound <= _WANTED_GAP * abs(cost):
            return _told(plan, rates, hint, relaxed.bound)
        kept = _reduced(plan, relaxed, cost, hint)
        linear = LinearPlan(kept, rates)
    race = Race(Course(kept, rates, units, hint, max(until - monotonic(), 0.1), _WANTED_GAP))
    with_highs = linear is not None and linear.is_exact and _suits_highs(plan, hint, cost, relaxed)
    race.run(linear if with_highs else None, with_rows=terms <= _MOST_ROW_TERMS)
    if race.placements is None:
        return Found("infeasible" if race.is_infeasible else "unknown", None, None)
    # What was left out costs no less than the schedule that was in hand.
    bound = max(min(race.bound, cost), energy_bound(plan, rates))
    if relaxed is not None:
        bound = max(bound, relaxed.bound)
    return _told(plan, rates, race.placements, bound)


def _cost(plan: Plan, rates: Rates, placements: list[Placement]) -> float:
    return counted_cost(plan.load_kw(placements), plan.site, rates)


def _suits_highs(plan: Plan, hint: list[Placement] | None, cost: float, relaxed: Relaxed | None) -> bool:
    """Whether energy decides, and the relaxation is near."""
    if relaxed is None or hint is None:
        return False
    demand = bill(plan.load_kw(hint), plan.site).demand
    return cost - relaxed.bound <= _HIGHS_GAP * abs(cost) and demand <= _HIGHS_DEMAND * abs(cost)


def _reduced(plan: Plan, relaxed: Relaxed, cost: float, hint: list[Placement]) -> Plan:
    """The plan without choices of which each schedule costs more than the one in hand."""
    room = max(cost - relaxed.bound, 0.0)
    jobs = tuple(
        keep_below(job, excess, room, now)
        for job, excess, now in zip(plan.jobs, relaxed.excess, hint, strict=True)
    )
    return replace(plan, jobs=jobs)


def _told(plan: Plan, rates: Rates, placements: list[Placement], bound: float) -> Found:
    cost = _cost(plan, rates, placements)
    gap = (cost - bound) / max(abs(cost), 1e-9)
    return Found("found", placements, min(max(gap, 0.0), 1.0))
