"""What a linear relaxation tells of a plan: a bound at once, and choices that no good schedule has.

With a schedule in hand, a choice whose reduced cost lifts the bound above that schedule's cost can be left
out (reduced cost fixing: Dantzig, Fulkerson and Johnson, 1954).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from enms.science.arrays import Values
    from enms.science.load_shifting.linear import LinearPlan
    from enms.science.load_shifting.plan import Job, Placement

# Of the cost: what the solver's own tolerances may be wrong by.
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Relaxed:
    """A relaxation's optimum.

    Attributes:
        bound: No schedule costs less.
        excess: By how much a schedule costs more than the bound at least if it uses a choice, for each job.
    """

    bound: float
    excess: tuple[Values, ...]


def relax(linear: LinearPlan, seconds: float) -> Relaxed | None:
    """Solves the relaxation; None where it takes too long, or nothing keeps all rows."""
    from scipy.optimize import linprog

    has_rows = len(linear.right) > 0
    found = linprog(  # type: ignore[call-overload]  # its stubs know no sparse matrices
        linear.cost,
        A_ub=linear.matrix() if has_rows else None,
        b_ub=linear.right if has_rows else None,
        A_eq=linear.sums(),
        b_eq=linear.wanted,
        bounds=np.column_stack([linear.low, linear.high]),
        method="highs",
        options={"time_limit": max(seconds, 0.05)},
    )
    if found.status != 0:
        return None
    reduced = np.maximum(found.lower.marginals, 0.0)
    bound = float(found.fun) + linear.constant
    return Relaxed(bound - _TOLERANCE * abs(bound), tuple(reduced[each.places] for each in linear.jobs))


def keep_below(job: Job, excess: Values, room: float, now: Placement) -> Job:
    """A job without the choices that lift the cost above the bound by more than there is room for.

    Args:
        job: The job.
        excess: Of its choices.
        room: From the bound to the cost that is still of interest.
        now: Where a schedule in hand has it: that stays possible.
    """
    if job.is_interruptible and not job.has_one_power:
        return job
    kept = excess <= room
    if job.is_interruptible:
        # What is left has to be long enough for the shortest run: places next to kept ones stay.
        allowed = np.zeros_like(job.allowed)
        for at in [*job.places[kept].tolist(), *now.tolist()]:
            allowed[max(at - job.min_run + 1, 0) : at + job.min_run] = True
        return replace(job, allowed=allowed & job.allowed)
    return replace(job, only=np.union1d(job.starts[kept], now[:1]))
