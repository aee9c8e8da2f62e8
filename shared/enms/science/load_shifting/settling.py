"""Jobs whose move saves nothing go back to where they stood: who is asked to move wants to know what for."""

import numpy as np

from enms.science.load_shifting.beside import free_starts, rest_of
from enms.science.load_shifting.plan import Placement, Plan
from enms.science.load_shifting.rates import Rates, counted_cost

# In money: less is rounding.
_NOTHING = 1e-6


def settle(plan: Plan, rates: Rates, now: list[Placement], then: list[Placement]) -> list[Placement]:
    """The same schedule with all jobs put back that can be for nothing, one after the other.

    Args:
        plan: Jobs and site.
        rates: What it costs.
        now: Where the jobs stand today.
        then: A schedule that keeps all rules.
    """
    settled = list(then)
    cost = counted_cost(plan.load_kw(settled), plan.site, rates)
    has_changed = True
    while has_changed:
        has_changed = False
        for place, job in enumerate(plan.jobs):
            if np.array_equal(settled[place], now[place]) or len(now[place]) != job.length:
                continue
            rest_kw = rest_of(plan, place, settled)
            back_kw = rest_kw.copy()
            back_kw[now[place]] += job.profile_kw
            if counted_cost(back_kw, plan.site, rates) > cost + _NOTHING:
                continue
            if now[place][0] in job.starts[free_starts(plan, place, settled, rest_kw)]:
                settled[place] = now[place]
                has_changed = True
    return settled
