"""A plan as a model of CP-SAT, in one of two forms whose strengths differ.

Both choose for each job a start among those allowed (of a job that may pause: its quarters).
`packing` sees jobs as boxes under a peak (the cumulative constraint of Aggoun and Beldiceanu, 1993) and
learns from conflicts: where demand charges rule, it proves in seconds what linear bounds leave open by 5 %.
`rows` sums powers up quarter by quarter, with linear relaxations and cuts: where energy prices rule, its
bound is near from the start.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from enms.science.load_shifting.variables import Choice, ValueOf, choose

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

    from enms.science.arrays import Positions, Values
    from enms.science.load_shifting.plan import Placement, Plan
    from enms.science.load_shifting.rates import PeakGroup, Rates
    from enms.science.load_shifting.units import Units

type Form = Literal["packing", "rows"]
# Weighted literals by quarter.
type Terms = list[list[tuple[int, cp_model.IntVar]]]


@dataclass(frozen=True)
class Rules:
    """Which constraints a model keeps; the search for what clashes leaves some out.

    Attributes:
        site_limit: The site's limit.
        most_at_once: The number of jobs beside each other.
        machines: Machines that take one job at a time; None: all.
        orders: Pairs (former, latter) of jobs; None: all.
    """

    site_limit: bool = True
    most_at_once: bool = True
    machines: frozenset[str] | None = None
    orders: frozenset[tuple[str, str]] | None = None


@dataclass
class Formulation:
    """A model and how to read it."""

    plan: Plan
    units: Units
    model: cp_model.CpModel
    choices: list[Choice]
    form: Form
    terms: Terms = field(init=False)

    def __post_init__(self) -> None:
        self.terms = [[] for _ in range(self.plan.quarters)]
        for choice in self.choices:
            power = int(self.units.load(choice.job.profile_kw[:1])[0])
            for at, literal in choice.running.items():
                self.terms[at].append((power, literal))
            for block in choice.blocks:
                powers = self.units.load(block.profile_kw).tolist()
                for start, literal in block.chosen.items():
                    for step, power in enumerate(powers):
                        self.terms[start + step].append((power, literal))

    def placements(self, value: ValueOf) -> list[Placement]:
        """The quarters of each job in a solution."""
        return [choice.placement(value) for choice in self.choices]

    def hint(self, placements: list[Placement]) -> None:
        """Gives the search a schedule to start from."""
        for choice, placement in zip(self.choices, placements, strict=True):
            choice.hint(self.model, placement)

    def load(self, at: int) -> cp_model.LinearExprT:
        """The jobs' power in a quarter."""
        return sum(power * literal for power, literal in self.terms[at])


def new(plan: Plan, units: Units, form: Form, rules: Rules = Rules()) -> Formulation:
    """The choices of all jobs, with what has to hold between them, no objective yet."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    made = Formulation(plan, units, model, [choose(model, job) for job in plan.jobs], form)
    _keep_orders(made, rules)
    _keep_machines(made, rules)
    limit = plan.site.most_at_once
    if rules.most_at_once and limit is not None:
        keep_at_once(made, limit)
    if rules.site_limit and plan.site.limit_kw is not None:
        _keep_limit(made, plan.site.limit_kw)
    return made


def minimise_cost(made: Formulation, rates: Rates) -> None:
    """Makes the cost of the plan what the solver minimises."""
    units = made.units
    coefficients: dict[int, int] = {}
    variables: dict[int, cp_model.IntVar] = {}

    def charge(literal: cp_model.IntVar, cost: float) -> None:
        variables[literal.index] = literal
        coefficients[literal.index] = coefficients.get(literal.index, 0) + units.cost(cost)

    for choice in made.choices:
        for at, literal in choice.running.items():
            charge(literal, float(rates.per_kw[at] * choice.job.profile_kw[0]))
        for block in choice.blocks:
            for start, literal in block.chosen.items():
                charge(literal, float(block.profile_kw @ rates.per_kw[start : start + block.length]))
    costs: list[cp_model.LinearExprT] = [amount * variables[index] for index, amount in coefficients.items()]
    costs += [*_peak_costs(made, rates), *_surplus_costs(made, rates)]
    made.model.minimize(sum(costs) + units.cost(constant_cost(made.plan, rates)))


def constant_cost(plan: Plan, rates: Rates) -> float:
    """What surplus costs without jobs: less than nothing where it is paid."""
    surplus = np.minimum(plan.site.net_base_kw, 0.0)
    return float(surplus @ rates.per_kw)


def keep_at_once(made: Formulation, most: int | cp_model.IntVar) -> None:
    """Lets so many jobs run beside each other at most."""
    covering = [choice.covering() for choice in made.choices]
    for at in range(made.plan.quarters):
        running = [literal for each in covering for literal in each.get(at, ())]
        if running:
            made.model.add(sum(running) <= most)


def keep_below(made: Formulation, ceiling: int | cp_model.IntVar, base: Positions, places: Positions) -> None:
    """Keeps the load of some quarters at or below a ceiling.

    Args:
        made: The model.
        ceiling: In units of power.
        base: What jobs come on top of, in units, shape (n,).
        places: The quarters.
    """
    if made.form == "packing" and len(places) == made.plan.quarters:
        _pack(made, ceiling, base)
        return
    for at in places.tolist():
        made.model.add(made.load(at) + int(base[at]) <= ceiling)


def _pack(made: Formulation, ceiling: int | cp_model.IntVar, base: Positions) -> None:
    model, units = made.model, made.units
    # Boxes are never below the ground: surplus raises the ceiling instead.
    ground = max(-int(base.min()), 0)
    boxes, heights = [], []
    for choice in made.choices:
        power = int(units.load(choice.job.profile_kw[:1])[0])
        for at, literal in choice.running.items():
            boxes.append(model.new_optional_fixed_size_interval_var(at, 1, literal, ""))
            heights.append(power)
        for block in choice.blocks:
            for first, length, height in _level_runs(units.load(block.profile_kw)):
                boxes.append(model.new_fixed_size_interval_var(block.start + first, length, ""))
                heights.append(height)
    for first, length, height in _level_runs(base + ground):
        if height:
            boxes.append(model.new_fixed_size_interval_var(first, length, ""))
            heights.append(height)
    model.add_cumulative(boxes, heights, ceiling + ground)


def _level_runs(powers: Positions) -> list[tuple[int, int, int]]:
    """First place, length and height of each run of equal powers."""
    cuts = [0, *(np.flatnonzero(np.diff(powers)) + 1).tolist(), len(powers)]
    return [(first, last - first, int(powers[first])) for first, last in pairwise(cuts)]


def _peak_costs(made: Formulation, rates: Rates) -> list[cp_model.LinearExprT]:
    model, units = made.model, made.units
    base = units.load(made.plan.site.net_base_kw)
    highest = max(int(base.max()), 0) + sum(int(units.load(job.profile_kw).max()) for job in made.plan.jobs)
    by_month: dict[int, list[tuple[PeakGroup, cp_model.IntVar]]] = {}
    for group in rates.groups:
        floor = max(int(base[group.places].max()), int(units.load(np.array([group.floor_kw]))[0]), 0)
        peak = model.new_int_var(floor, max(floor, highest), "")
        keep_below(made, peak, base, group.places)
        by_month.setdefault(group.month, []).append((group, peak))
    costs: list[cp_model.LinearExprT] = []
    for peaks in by_month.values():
        priced = [(units.cost(group.charge_per_kw * units.kw), peak) for group, peak in peaks]
        if len(priced) == 1:
            costs.append(priced[0][0] * priced[0][1])
            continue
        dearest = model.new_int_var(0, max(price for price, _ in priced) * highest * 2, "")
        for price, peak in priced:
            model.add(dearest >= price * peak)
        costs.append(dearest)
    return costs


def _surplus_costs(made: Formulation, rates: Rates) -> list[cp_model.LinearExprT]:
    model, units = made.model, made.units
    net = units.load(made.plan.site.net_base_kw)
    costs: list[cp_model.LinearExprT] = []
    for at in np.flatnonzero(rates.has_surplus).tolist():
        if made.terms[at]:
            bought = model.new_int_var(0, sum(power for power, _ in made.terms[at]), "")
            model.add(bought >= made.load(at) + int(net[at]))
            costs.append(units.cost(float(rates.bought_per_kw[at]) * units.kw) * bought)
    return costs


def _keep_limit(made: Formulation, limit_kw: Values) -> None:
    units = made.units
    ceiling = units.limit(float(limit_kw.max()))
    # Where the limit is lower, the base is higher by as much.
    lower = ceiling - np.array([units.limit(each) for each in limit_kw.tolist()], dtype=np.int64)
    base = units.load(made.plan.site.net_base_kw) + lower
    if int(base.max()) > ceiling:
        # Without any job the limit is passed.
        made.model.add_bool_or([])
        return
    keep_below(made, ceiling, base, np.arange(made.plan.quarters))


def _keep_machines(made: Formulation, rules: Rules) -> None:
    by_machine: dict[str, list[Choice]] = {}
    for choice in made.choices:
        machine = choice.job.machine
        if machine is not None and (rules.machines is None or machine in rules.machines):
            by_machine.setdefault(machine, []).append(choice)
    for choices in by_machine.values():
        if len(choices) < 2:
            continue
        covering = [choice.covering() for choice in choices]
        for at in range(made.plan.quarters):
            running = [literal for each in covering for literal in each.get(at, ())]
            if len(running) > 1:
                made.model.add_at_most_one(running)


def _keep_orders(made: Formulation, rules: Rules) -> None:
    model = made.model
    for latter in made.choices:
        for name in latter.job.after:
            if rules.orders is not None and (name, latter.job.id) not in rules.orders:
                continue
            former = made.choices[made.plan.by_id[name]]
            if former.blocks and latter.blocks:
                model.add(latter.blocks[0].start >= former.blocks[-1].start + former.blocks[-1].length)
                continue
            border = model.new_int_var(0, made.plan.quarters, "")
            if former.blocks:
                model.add(former.blocks[-1].start + former.blocks[-1].length <= border)
            for at, literal in former.running.items():
                model.add(border >= at + 1).only_enforce_if(literal)
            if latter.blocks:
                model.add(latter.blocks[0].start >= border)
            for at, literal in latter.running.items():
                model.add(border <= at).only_enforce_if(literal)
