"""The plan of least cost, beside what holds today: its bills, its proof, or what clashes."""

from dataclasses import dataclass
from importlib import import_module
from time import monotonic
from typing import Literal

import numpy as np

from enms.science.load_shifting import clashes
from enms.science.load_shifting.bill import Bill, bill
from enms.science.load_shifting.clashes import Clash
from enms.science.load_shifting.insertion import Insertion
from enms.science.load_shifting.plan import Placement, Plan
from enms.science.load_shifting.rates import rates_of
from enms.science.load_shifting.search import Found, search
from enms.science.load_shifting.settling import settle
from enms.science.load_shifting.units import units_of
from enms.science.tariffs import QUARTER_HOURS

GAP = 0.005
_SOLVERS = ("ortools.sat.python.cp_model", "scipy.optimize")
# Of the time there is.
_SHARE_OF_CLASHES = 0.5
_SHARE_OF_MARGIN = 0.3

type Status = Literal["optimal", "feasible", "infeasible", "unknown"]


@dataclass(frozen=True)
class Schedule:
    """What came of a plan.

    Attributes:
        status: `optimal`: proven to half a per cent; `feasible`: the best that was found in time;
            `infeasible`: proven that there is none; `unknown`: none was found in time.
        gap: No schedule is cheaper by more than this share of what the jobs' energy and the demand charge
            cost (the other load's energy, which nothing changes, left out); None without a schedule.
        placements: The quarters of each job; None without a schedule.
        now: Where the jobs stand today.
        bill_now: What that costs.
        bill_then: What the schedule costs; None without one.
        margin_cost: What the margin below the site's limit costs; None where there is none.
        clash: Of an infeasible plan, what clashes.
    """

    status: Status
    gap: float | None
    placements: list[Placement] | None
    now: list[Placement]
    bill_now: Bill
    bill_then: Bill | None
    margin_cost: float | None
    clash: Clash | None


def optimise(plan: Plan, seconds: float, unmargined: Plan | None = None) -> Schedule:
    """Solves a plan.

    Args:
        plan: Jobs and site; each job has a place of its own.
        seconds: How long to look.
        unmargined: The same with the site's limit as it is, to tell what the margin costs.
    """
    # What a process loads at its first plan is no time of the search.
    for name in _SOLVERS:
        import_module(name)
    until = monotonic() + seconds
    now = Insertion(plan, rates_of(plan.site)).as_planned() or [job.first_placement() for job in plan.jobs]
    bill_now = bill(plan.load_kw(now), plan.site)
    if not plan.jobs:
        return Schedule("optimal", 0.0, [], [], bill_now, bill_now, None, None)
    share = 1.0 if unmargined is None else 1.0 - _SHARE_OF_MARGIN
    found = _search(plan, now, share * seconds)
    if found.placements is None or found.gap is None:
        is_proven = found.verdict == "infeasible"
        units = units_of(plan, rates_of(plan.site))
        clash = clashes.find(plan, units, _SHARE_OF_CLASHES * seconds) if is_proven else None
        return Schedule(
            "infeasible" if is_proven else "unknown", None, None, now, bill_now, None, None, clash
        )
    placements = settle(plan, rates_of(plan.site), now, found.placements)
    bill_then = bill(plan.load_kw(placements), plan.site)
    margin_cost = None
    if unmargined is not None:
        free = _search(unmargined, placements, max(until - monotonic(), 0.5)).placements
        spared = 0.0 if free is None else bill_then.total - bill(plan.load_kw(free), plan.site).total
        margin_cost = max(spared, 0.0)
    status: Status = "optimal" if found.gap <= GAP else "feasible"
    return Schedule(status, found.gap, placements, now, bill_now, bill_then, margin_cost, None)


def moved_kwh(plan: Plan, now: list[Placement], then: list[Placement]) -> float:
    """Energy that is used in other quarters than before."""
    before, after = plan.load_kw(now), plan.load_kw(then)
    return float(np.maximum(before - after, 0.0).sum()) * QUARTER_HOURS


def _search(plan: Plan, begin: list[Placement], seconds: float) -> Found:
    rates = rates_of(plan.site)
    return search(plan, rates, units_of(plan, rates), begin, seconds)
