"""A plan as linear rows: what its relaxation and the mixed-integer program both are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from enms.science.arrays import Positions, Values
    from enms.science.load_shifting.plan import Job, Placement, Plan
    from enms.science.load_shifting.rates import Rates


@dataclass(frozen=True)
class JobColumns:
    """The unknowns of a job.

    Of a job in one piece, one for each start; of a job of one power that may pause, one for each quarter in
    which it may run; of uneven power that may pause, the power in each of these, as if it could be spread at
    will.

    Attributes:
        job: Whose they are.
        first: The place of the first one.
        at: The quarter of each.
    """

    job: Job
    first: int
    at: Positions

    @property
    def length(self) -> int:
        """How many quarters each covers."""
        return 1 if self.job.is_interruptible else self.job.length

    @property
    def is_spread(self) -> bool:
        """Whether they are powers, not choices."""
        return self.job.is_interruptible and not self.job.has_one_power

    @property
    def places(self) -> slice:
        """Where they stand among all."""
        return slice(self.first, self.first + len(self.at))

    def powers(self) -> tuple[Positions, Positions, Values]:
        """Quarter, column and power of each quarter that each choice covers."""
        columns = self.first + np.arange(len(self.at))
        if self.job.is_interruptible:
            power_kw = 1.0 if self.is_spread else float(self.job.profile_kw[0])
            return self.at, columns, np.full(len(self.at), power_kw)
        windows = self.at[:, None] + np.arange(self.length)
        powers_kw = np.tile(self.job.profile_kw, len(self.at))
        return windows.ravel(), np.repeat(columns, self.length), powers_kw

    def placement(self, values: Values) -> Placement:
        """The quarters that were chosen, of whole choices."""
        chosen: Positions = self.at[values[self.places] > 0.5]
        return chosen if self.job.is_interruptible else np.arange(self.length) + int(chosen[0])


class _Rows:
    """Rows of `matrix @ unknowns <= right`."""

    def __init__(self) -> None:
        self._columns: list[Positions] = []
        self._factors: list[Values] = []
        self.right: list[float] = []

    def add(self, columns: Positions, factors: Values, right: float) -> None:
        """One more."""
        self._columns.append(columns)
        self._factors.append(factors)
        self.right.append(right)

    def matrix(self, size: int) -> csr_array:
        """All of them."""
        from scipy.sparse import csr_array

        ends = np.cumsum([0, *map(len, self._columns)])
        if not self._columns:
            return csr_array((0, size))
        stacked = (np.concatenate(self._factors), np.concatenate(self._columns), ends)
        return csr_array(stacked, shape=(len(self._columns), size))


class LinearPlan:
    """Rows, bounds and costs of a plan.

    Attributes:
        jobs: The unknowns of each job.
        cost: Of each unknown: choices, peaks of groups, bought surplus, months' charges.
        low: Least values.
        high: Highest values.
        is_whole: Which are whole numbers.
        wanted: What the unknowns of each job add up to.
        constant: What surplus is paid without jobs, negative.
        is_exact: Whether whole solutions are schedules that keep all rules.
    """

    def __init__(self, plan: Plan, rates: Rates) -> None:
        self.jobs: list[JobColumns] = []
        count = 0
        for job in plan.jobs:
            at = job.places if job.is_interruptible else job.starts
            self.jobs.append(JobColumns(job, count, at))
            count += len(at)
        self._plan, self._rates, self.choices = plan, rates, count
        self._surplus = np.flatnonzero(rates.has_surplus)
        self._months = sorted({group.month for group in rates.groups})
        self._first_bought = count + len(rates.groups)
        self._first_month = self._first_bought + len(self._surplus)
        self.size = self._first_month + len(self._months)
        self.constant = float(np.minimum(plan.site.net_base_kw, 0.0) @ rates.per_kw)
        self._powers = self._by_quarter(with_powers=True)
        self._rows = _Rows()
        self._costs_and_bounds()
        self._add_ceilings()
        self.is_exact = self._add_rules()

    @property
    def right(self) -> Values:
        """Right sides of the rows."""
        return np.array(self._rows.right)

    def matrix(self) -> csr_array:
        """Left sides of the rows."""
        return self._rows.matrix(self.size)

    def sums(self) -> csr_array:
        """Rows that add up the unknowns of each job."""
        from scipy.sparse import csr_array

        ends = [0, *(each.first + len(each.at) for each in self.jobs)]
        return csr_array(
            (np.ones(self.choices), np.arange(self.choices), ends), shape=(len(self.jobs), self.size)
        )

    def _costs_and_bounds(self) -> None:
        rates = self._rates
        self.cost, self.low = np.zeros(self.size), np.zeros(self.size)
        self.high, self.is_whole = np.full(self.size, np.inf), np.zeros(self.size, dtype=np.bool_)
        self.wanted = np.ones(len(self.jobs))
        for place, each in enumerate(self.jobs):
            at, columns, powers_kw = each.powers()
            np.add.at(self.cost, columns, rates.per_kw[at] * powers_kw)
            self.is_whole[each.places] = not each.is_spread
            if each.job.is_interruptible:
                self.high[each.places] = float(each.job.profile_kw.max()) if each.is_spread else 1.0
                self.wanted[place] = float(each.job.profile_kw.sum()) if each.is_spread else each.job.length
        self.cost[self._first_bought : self._first_month] = rates.bought_per_kw[self._surplus]
        self.cost[self._first_month :] = 1.0
        self.low[self.choices : self._first_bought] = [max(group.floor_kw, 0.0) for group in rates.groups]

    def _by_quarter(self, *, with_powers: bool) -> csr_array:
        """Power of each choice in each quarter, or only whether it covers it."""
        from scipy.sparse import coo_array

        parts = [each.powers() for each in self.jobs]
        at, columns, powers_kw = (np.concatenate(each) for each in zip(*parts, strict=True))
        data = powers_kw if with_powers else np.ones(len(powers_kw))
        return coo_array((data, (at, columns)), shape=(self._plan.quarters, self.size)).tocsr()

    def _quarter(self, table: csr_array, at: int) -> tuple[Positions, Values]:
        inside = slice(int(table.indptr[at]), int(table.indptr[at + 1]))
        return table.indices[inside].astype(np.int64), table.data[inside]

    def _add_ceilings(self) -> None:
        """Peaks, bought surplus and the limit lie above the load; months' charges above their groups'."""
        net_kw = self._plan.site.net_base_kw
        above = [
            (int(at), self.choices + k) for k, group in enumerate(self._rates.groups) for at in group.places
        ]
        above += [(int(at), self._first_bought + k) for k, at in enumerate(self._surplus)]
        for at, ceiling in above:
            columns, powers_kw = self._quarter(self._powers, at)
            self._rows.add(np.append(columns, ceiling), np.append(powers_kw, -1.0), -float(net_kw[at]))
        limit_kw = self._plan.site.limit_kw
        if limit_kw is not None:
            for at in range(self._plan.quarters):
                self._rows.add(*self._quarter(self._powers, at), float(limit_kw[at] - net_kw[at]))
        for k, group in enumerate(self._rates.groups):
            month = self._first_month + self._months.index(group.month)
            self._rows.add(np.array([self.choices + k, month]), np.array([group.charge_per_kw, -1.0]), 0.0)

    def _add_rules(self) -> bool:
        """What holds between jobs; whether all of it could be written down."""
        covering = self._by_quarter(with_powers=False)
        machine_of = np.full(self.size, "", dtype=object)
        is_choice = np.zeros(self.size, dtype=np.bool_)
        is_exact = not any(each.is_spread for each in self.jobs)
        for each in self.jobs:
            machine_of[each.places] = each.job.machine or ""
            is_choice[each.places] = not each.is_spread
            if each.job.is_interruptible and each.job.min_run > 1 and not each.is_spread:
                self._add_shortest_run(each)
            is_exact &= self._add_orders(each)
        shared = _shared_machines(self._plan.jobs)
        most = self._plan.site.most_at_once
        for at in range(self._plan.quarters):
            columns, _ = self._quarter(covering, at)
            columns = columns[is_choice[columns]]
            for machine in shared:
                on_it = columns[machine_of[columns] == machine]
                if len(on_it):
                    self._rows.add(on_it, np.ones(len(on_it)), 1.0)
            if most is not None and len(columns):
                self._rows.add(columns, np.ones(len(columns)), float(most))
        return is_exact

    def _add_shortest_run(self, each: JobColumns) -> None:
        column_of = {at: each.first + place for place, at in enumerate(each.at.tolist())}
        for at, column in column_of.items():
            before = [column_of[at - 1]] if at - 1 in column_of else []
            for later in range(at + 1, at + each.job.min_run):
                after = [column_of[later]] if later in column_of else []
                columns = np.array([column, *before, *after])
                self._rows.add(columns, np.array([1.0, *(-1.0 for _ in [*before, *after])]), 0.0)

    def _add_orders(self, each: JobColumns) -> bool:
        is_whole = True
        for name in each.job.after:
            former = self.jobs[self._plan.by_id[name]]
            if former.job.is_interruptible or each.job.is_interruptible:
                is_whole = False
                continue
            columns = np.concatenate(
                [np.arange(job.first, job.first + len(job.at)) for job in (former, each)]
            )
            self._rows.add(columns, np.concatenate([former.at + former.length, -each.at]).astype(float), 0.0)
        return is_whole


def _shared_machines(jobs: tuple[Job, ...]) -> list[str]:
    """Machines that more than one job needs."""
    named = [job.machine for job in jobs if job.machine is not None]
    return [machine for machine in dict.fromkeys(named) if named.count(machine) > 1]
