"""Why no schedule keeps all rules: which of them clash, and the least that would have to give."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from enms.science.load_shifting import formulation
from enms.science.load_shifting.formulation import Rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ortools.sat.python import cp_model

    from enms.science.load_shifting.formulation import Formulation
    from enms.science.load_shifting.plan import Job, Plan
    from enms.science.load_shifting.units import Units

_WITH_SCHEDULE = ("OPTIMAL", "FEASIBLE")
SITE_LIMIT, MOST_AT_ONCE, MACHINE, ORDER, WINDOWS = (
    "site_limit_kw",
    "max_parallel",
    "machine",
    "after",
    "deadline",
)


@dataclass(frozen=True)
class Rule:
    """A constraint that can be left out.

    Attributes:
        kind: One of the names above.
        machine: Of a machine's rule, which.
        order: Of an order, the former and the latter job.
    """

    kind: str
    machine: str | None = None
    order: tuple[str, str] | None = None


@dataclass(frozen=True)
class Relaxation:
    """A change after which there is a schedule.

    Attributes:
        rule: What gives.
        amount: Of the site's limit the lowest one in kW on top of what it is, of jobs at once how many, of
            deadlines by how many quarters in all; None: the rule has to go.
        later: Of deadlines, by how many quarters each job ends late.
    """

    rule: Rule
    amount: float | None = None
    later: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Clash:
    """Rules of which one has to give, and what would do; both may be unknown if time was short."""

    rules: tuple[Rule, ...]
    relaxations: tuple[Relaxation, ...]


def find(plan: Plan, units: Units, seconds: float) -> Clash:
    """Leaves rules out one after the other until the rest can be kept (a deletion filter: Chinneck, 2008)."""
    search = _Search(plan, units, monotonic() + seconds)
    kept = list(_rules_of(plan))
    for rule in list(kept):
        without = [each for each in kept if each != rule]
        if search.is_infeasible(without):
            kept = without
    found = (search.relaxation(rule) for rule in [*kept, Rule(WINDOWS)])
    return Clash(tuple(kept), tuple(each for each in found if each is not None))


def _rules_of(plan: Plan) -> Iterator[Rule]:
    """The rules of a plan, those first that are left out first."""
    for job in plan.jobs:
        for name in job.after:
            yield Rule(ORDER, order=(name, job.id))
    on_machine = [job.machine for job in plan.jobs if job.machine is not None]
    for machine in dict.fromkeys(on_machine):
        if on_machine.count(machine) > 1:
            yield Rule(MACHINE, machine=machine)
    if plan.site.most_at_once is not None:
        yield Rule(MOST_AT_ONCE)
    if plan.site.limit_kw is not None:
        yield Rule(SITE_LIMIT)


class _Search:
    """Asks whether a plan can be kept by some of its rules."""

    def __init__(self, plan: Plan, units: Units, until: float) -> None:
        self._plan = plan
        self._units = units
        self._until = until

    def is_infeasible(self, rules: list[Rule]) -> bool:
        """Whether it is proven that there is no schedule; where time is up nothing is."""
        made = formulation.new(self._plan, self._units, "packing", _chosen(rules))
        return self._solve(made)[1] == "INFEASIBLE"

    def relaxation(self, rule: Rule) -> Relaxation | None:
        """The least change of a rule, all others kept; None where that alone doesn't do, or time is up."""
        others = [each for each in _rules_of(self._plan) if each != rule]
        if rule.kind == WINDOWS:
            return self._later(others)
        made = formulation.new(self._plan, self._units, "packing", _chosen(others))
        amount: cp_model.IntVar | None = None
        if rule.kind == SITE_LIMIT:
            amount = self._raised_limit(made)
        elif rule.kind == MOST_AT_ONCE:
            amount = made.model.new_int_var(1, len(self._plan.jobs), "")
            formulation.keep_at_once(made, amount)
        if amount is not None:
            made.model.minimize(amount)
        solver, status = self._solve(made)
        if status not in _WITH_SCHEDULE:
            return None
        if amount is None:
            return Relaxation(rule)
        value = solver.value(amount)
        return Relaxation(rule, value * self._units.kw if rule.kind == SITE_LIMIT else float(value))

    def _raised_limit(self, made: Formulation) -> cp_model.IntVar:
        limit_kw = self._plan.site.limit_kw
        assert limit_kw is not None
        over = self._units.load(self._plan.site.net_base_kw - limit_kw)
        most = int(over.max()) + sum(int(self._units.load(job.profile_kw).max()) for job in self._plan.jobs)
        raised = made.model.new_int_var(0, max(most, 0), "")
        formulation.keep_below(made, raised, over, np.arange(self._plan.quarters))
        return raised

    def _later(self, rules: list[Rule]) -> Relaxation | None:
        """Deadlines later by the fewest quarters in all, inside the plan."""
        jobs = tuple(_with_later_deadline(job) for job in self._plan.jobs)
        plan = replace(self._plan, jobs=jobs)
        made = formulation.new(plan, self._units, "packing", _chosen(rules))
        late = []
        for choice, job in zip(made.choices, self._plan.jobs, strict=True):
            deadline = int(np.flatnonzero(job.allowed)[-1]) + 1
            by = made.model.new_int_var(0, plan.quarters, "")
            for block in choice.blocks[-1:]:
                made.model.add(by >= block.start + block.length - deadline)
            for at, literal in choice.running.items():
                if at >= deadline:
                    made.model.add(by >= at + 1 - deadline).only_enforce_if(literal)
            late.append(by)
        made.model.minimize(sum(late))
        solver, status = self._solve(made)
        if status not in _WITH_SCHEDULE:
            return None
        by_job = tuple((job.id, solver.value(by)) for job, by in zip(self._plan.jobs, late, strict=True))
        later = tuple((name, by) for name, by in by_job if by)
        return Relaxation(Rule(WINDOWS), float(sum(by for _, by in later)), later)

    def _solve(self, made: Formulation) -> tuple[cp_model.CpSolver, str]:
        from ortools.sat.python import cp_model

        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 2
        solver.parameters.max_time_in_seconds = max((self._until - monotonic()) / 2, 0.05)
        return solver, solver.status_name(solver.solve(made.model))


def _with_later_deadline(job: Job) -> Job:
    """The same job, its last hour allowed as long as the plan lasts."""
    allowed = job.allowed.copy()
    allowed[np.flatnonzero(allowed)[-1] :] = True
    return replace(job, allowed=allowed)


def _chosen(rules: list[Rule]) -> Rules:
    kinds = {rule.kind for rule in rules}
    return Rules(
        site_limit=SITE_LIMIT in kinds,
        most_at_once=MOST_AT_ONCE in kinds,
        machines=frozenset(rule.machine for rule in rules if rule.machine is not None),
        orders=frozenset(rule.order for rule in rules if rule.order is not None),
    )
