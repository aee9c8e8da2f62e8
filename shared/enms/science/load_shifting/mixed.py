"""A plan as a mixed-integer program of HiGHS: where energy prices rule, its cuts close the gap soonest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from enms.science.load_shifting.linear import LinearPlan
    from enms.science.load_shifting.plan import Placement

# Of scipy.
_INFEASIBLE = 2


@dataclass(frozen=True)
class Mixed:
    """What HiGHS knows at its end.

    Attributes:
        placements: The best schedule's; None without one.
        bound: No schedule of the choices that it had costs less; None where nothing is known.
        is_infeasible: Whether these have no schedule.
    """

    placements: list[Placement] | None
    bound: float | None
    is_infeasible: bool


def solve(linear: LinearPlan, seconds: float, gap: float) -> Mixed:
    """Looks for a schedule and a bound until they are as near as wanted, or time is up."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    rules = [LinearConstraint(linear.sums(), linear.wanted, linear.wanted)]
    if len(linear.right):
        rules.append(LinearConstraint(linear.matrix(), -np.inf, linear.right))
    found = milp(
        linear.cost,
        integrality=linear.is_whole.astype(np.int64),
        bounds=Bounds(linear.low, linear.high),
        constraints=rules,
        options={"time_limit": max(seconds, 0.05), "mip_rel_gap": gap},
    )
    placements = None if found.x is None else [each.placement(found.x) for each in linear.jobs]
    bound: float | None = found.mip_dual_bound
    bound = None if bound is None or not np.isfinite(bound) else bound + linear.constant
    return Mixed(placements, bound, found.status == _INFEASIBLE)
