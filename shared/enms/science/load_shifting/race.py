"""Two solvers on one plan, beside each other, until a gap is proven or time is up."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING

from enms.science.load_shifting import formulation, mixed
from enms.science.load_shifting.rates import counted_cost

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ortools.sat.python import cp_model

    from enms.science.load_shifting.formulation import Form, Formulation
    from enms.science.load_shifting.linear import LinearPlan
    from enms.science.load_shifting.plan import Placement, Plan
    from enms.science.load_shifting.rates import Rates
    from enms.science.load_shifting.units import Units

type Runner = Callable[[], None]


@dataclass(frozen=True)
class Course:
    """What is run for, and how long.

    Attributes:
        plan: What to solve.
        rates: What it costs.
        units: Whole numbers for it.
        hint: A schedule to begin with; None: none is known.
        seconds: How long to look.
        gap: When to stop: (cost − bound) ÷ cost.
    """

    plan: Plan
    rates: Rates
    units: Units
    hint: list[Placement] | None
    seconds: float
    gap: float


class Race:
    """What the runners know together.

    Attributes:
        best: Cost of the best schedule.
        bound: No schedule costs less.
        placements: Of the best schedule; None without one.
        is_infeasible: Whether it is proven that there is none.
    """

    def __init__(self, course: Course) -> None:
        self._course = course
        self._until = monotonic() + course.seconds
        self._lock = Lock()
        self._solvers: list[cp_model.CpSolver] = []
        self._is_over = False
        self.best = float("inf")
        self.bound = -float("inf")
        self.placements: list[Placement] | None = None
        self.is_infeasible = False
        if course.hint is not None:
            self._found(course.hint)

    def run(self, linear: LinearPlan | None, *, with_rows: bool) -> None:
        """Lets two solvers run.

        Args:
            linear: The plan's rows for HiGHS; None: it stays out.
            with_rows: Whether CP-SAT tries rows too, in its place; else packing has two threads.
        """
        runners: list[Runner] = [lambda: self._satisfy("packing", 1 if linear or with_rows else 2)]
        if linear is not None:
            runners.append(lambda: self._branch(linear))
        elif with_rows:
            runners.append(lambda: self._satisfy("rows", 1))
        _run_all(runners)

    def _branch(self, linear: LinearPlan) -> None:
        """HiGHS: it hears of nothing while it runs."""
        told = mixed.solve(linear, self._left(), self._course.gap)
        if told.placements is not None:
            self._found(told.placements)
        if told.bound is not None:
            self._bounded(told.bound)
        if told.is_infeasible:
            self._finish(is_infeasible=True)

    def _satisfy(self, form: Form, workers: int) -> None:
        from ortools.sat.python import cp_model

        course = self._course
        made = formulation.new(course.plan, course.units, form)
        formulation.minimise_cost(made, course.rates)
        if course.hint is not None:
            made.hint(course.hint)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = workers
        solver.parameters.max_time_in_seconds = self._left()
        solver.parameters.random_seed = 1
        if form == "packing" and workers == 1:
            # Linear relaxations of boxes are weak, and slow it down fourfold.
            solver.parameters.linearization_level = 0
        solver.best_bound_callback = self._bounded_in_units
        if not self._enter(solver):
            return
        status = solver.solve(made.model, _reporter(self._found, made))
        if status == cp_model.OPTIMAL:
            self._bounded_in_units(solver.best_objective_bound)
        if status in (cp_model.OPTIMAL, cp_model.INFEASIBLE):
            self._finish(is_infeasible=status == cp_model.INFEASIBLE)

    def _left(self) -> float:
        return max(self._until - monotonic(), 0.05)

    def _enter(self, solver: cp_model.CpSolver) -> bool:
        """Adds a solver that can be stopped; False: it is over already."""
        with self._lock:
            self._solvers.append(solver)
            return not self._is_over

    def _found(self, placements: list[Placement]) -> None:
        course = self._course
        cost = counted_cost(course.plan.load_kw(placements), course.plan.site, course.rates)
        with self._lock:
            if cost < self.best:
                self.best, self.placements = cost, placements
            self._stop_if_proven()

    def _bounded_in_units(self, bound: float) -> None:
        units = self._course.units
        self._bounded(bound / units.per_money - units.slack)

    def _bounded(self, bound: float) -> None:
        with self._lock:
            self.bound = max(self.bound, bound)
            self._stop_if_proven()

    def _finish(self, *, is_infeasible: bool) -> None:
        """A solver has come to its end: it has proven what there is to prove."""
        with self._lock:
            self.is_infeasible |= is_infeasible
            self._stop()

    def _stop_if_proven(self) -> None:
        if self.best - self.bound <= self._course.gap * abs(self.best):
            self._stop()

    def _stop(self) -> None:
        self._is_over = True
        for solver in self._solvers:
            solver.stop_search()


def _run_all(runners: Sequence[Runner]) -> None:
    """Runs all at once, one thread each; what one of them fails with is raised."""
    failures: list[BaseException] = []

    def guarded(runner: Runner) -> None:
        try:
            runner()
        except Exception as failure:
            failures.append(failure)

    threads = [Thread(target=guarded, args=(runner,)) for runner in runners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def _reporter(
    found: Callable[[list[Placement]], None], made: Formulation
) -> cp_model.CpSolverSolutionCallback:
    """Tells each schedule that CP-SAT finds."""
    from ortools.sat.python import cp_model

    class Reporter(cp_model.CpSolverSolutionCallback):
        def on_solution_callback(self) -> None:
            found(made.placements(self.value))

    return Reporter()
