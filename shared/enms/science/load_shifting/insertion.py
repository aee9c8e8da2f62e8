"""Schedules by insertion: one job after the other where it costs least, improved by taking some out again.

Fast, without proof: where the present order of things is told from, and where solvers begin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

import numpy as np

from enms.science.arrays import Flags, Positions, Values
from enms.science.load_shifting.plan import Placement, Plan
from enms.science.load_shifting.rates import Rates, counted_cost

_SEED = 7
_MOST_TAKEN_OUT = 5
# Of the best schedule's cost: so much worse ones are gone on from.
_TOLERATED = 0.001


@dataclass
class _State:
    """A schedule that is being built: what is taken in each quarter."""

    load_kw: Values
    running: Positions
    busy: dict[str, Flags]
    placed: dict[int, Placement]


class Insertion:
    """Places the jobs of a plan in one piece each, keeping all of its rules."""

    def __init__(self, plan: Plan, rates: Rates) -> None:
        self._plan = plan
        self._rates = rates
        self._windows = [_windows(job.starts, job.length) for job in plan.jobs]
        self._followers: list[list[int]] = [[] for _ in plan.jobs]
        for place, job in enumerate(plan.jobs):
            for name in job.after:
                self._followers[plan.by_id[name]].append(place)

    def as_planned(self) -> list[Placement] | None:
        """Where jobs stand if nobody moves them: at their planned time, the others as soon as they can.

        Returns:
            None where one finds no place beside those before it.
        """
        state = self._empty()
        planned = [place for place, job in enumerate(self._plan.jobs) if job.planned is not None]
        for place in planned:
            job = self._plan.jobs[place]
            assert job.planned is not None
            self._take(state, place, np.arange(job.planned, job.planned + job.length))
        for place in self._in_order(range(len(self._plan.jobs))):
            if place in state.placed:
                continue
            free = self._free(state, place, with_limit=False)
            if not len(free):
                return None
            self._take(state, place, self._windows[place][free[0]])
        return [state.placed[place] for place in range(len(self._plan.jobs))]

    def best(self, seconds: float, begin: list[Placement] | None = None) -> list[Placement] | None:
        """The cheapest schedule found in a while; None: none was found that keeps all rules."""
        rng = np.random.default_rng(_SEED)
        until = monotonic() + seconds
        state = self._first(rng, until)
        if begin is not None and self._keeps(begin):
            begun = self._state_of(begin)
            state = begun if state is None or self._cost(begun) < self._cost(state) else state
        if state is None:
            return None
        best, best_cost = state, self._cost(state)
        cost = best_cost
        while monotonic() < until:
            trial = _copy(state)
            self._take_out(trial, self._chosen(trial, rng))
            if not self._insert(trial, self._in_order(rng.permutation(len(self._plan.jobs)).tolist())):
                continue
            tried = self._cost(trial)
            if tried <= cost + _TOLERATED * abs(best_cost) * rng.random():
                state, cost = trial, tried
            if tried < best_cost:
                best, best_cost = trial, tried
        return [best.placed[place] for place in range(len(self._plan.jobs))]

    def _first(self, rng: np.random.Generator, until: float) -> _State | None:
        """A schedule to begin with: the largest jobs first, or in any order in which all find a place."""
        jobs = range(len(self._plan.jobs))
        order = sorted(jobs, key=lambda place: -self._plan.jobs[place].profile_kw.sum())
        while True:
            state = self._empty()
            if self._insert(state, self._in_order(order)):
                return state
            if monotonic() > until:
                return None
            order = rng.permutation(len(order)).tolist()

    def _cost(self, state: _State) -> float:
        return counted_cost(state.load_kw, self._plan.site, self._rates)

    def _chosen(self, state: _State, rng: np.random.Generator) -> list[int]:
        """Some jobs to take out, one of them at the peak."""
        jobs = len(self._plan.jobs)
        chosen = set(
            rng.choice(jobs, min(jobs, int(rng.integers(2, _MOST_TAKEN_OUT + 1))), replace=False).tolist()
        )
        peak = int(np.argmax(state.load_kw - self._plan.site.solar_kw))
        at_peak = [place for place, placement in state.placed.items() if peak in placement]
        if at_peak:
            chosen.add(int(rng.choice(at_peak)))
        return list(chosen)

    def _insert(self, state: _State, order: Sequence[int]) -> bool:
        for place in order:
            if place in state.placed:
                continue
            free = self._free(state, place, with_limit=True)
            if not len(free):
                return False
            costs = self._costs(state, place, free)
            self._take(state, place, self._windows[place][free[int(np.argmin(costs))]])
        return True

    def _costs(self, state: _State, place: int, free: Positions) -> Values:
        """What each free start adds, shape (s,)."""
        job, windows = self._plan.jobs[place], self._windows[place][free]
        net_kw = state.load_kw - self._plan.site.solar_kw
        beside = net_kw[windows]
        costs: Values = self._rates.per_kw[windows] @ job.profile_kw
        if self._rates.bought_per_kw.any():
            more = np.maximum(beside + job.profile_kw, 0.0) - np.maximum(beside, 0.0)
            costs = costs + (more * self._rates.bought_per_kw[windows]).sum(axis=1)
        for group in self._rates.groups:
            now_kw = max(float(net_kw[group.places].max()), group.floor_kw, 0.0)
            inside = np.isin(windows, group.places)
            then_kw = np.where(inside, beside + job.profile_kw, 0.0).max(axis=1)
            costs = costs + group.charge_per_kw * np.maximum(then_kw - now_kw, 0.0)
        return costs

    def _free(self, state: _State, place: int, *, with_limit: bool) -> Positions:
        """Which of a job's starts keep all rules beside what is placed, as places among them."""
        plan, job, windows = self._plan, self._plan.jobs[place], self._windows[place]
        if not len(windows):
            return np.zeros(0, dtype=np.int64)
        fits = np.ones(len(windows), dtype=np.bool_)
        if job.machine is not None and job.machine in state.busy:
            fits &= ~state.busy[job.machine][windows].any(axis=1)
        if plan.site.most_at_once is not None:
            fits &= (state.running[windows] < plan.site.most_at_once).all(axis=1)
        if with_limit and plan.site.limit_kw is not None:
            room_kw = plan.site.limit_kw + plan.site.solar_kw - state.load_kw
            fits &= (job.profile_kw <= room_kw[windows] + 1e-9).all(axis=1)
        for name in job.after:
            former = state.placed.get(plan.by_id[name])
            if former is not None:
                fits &= windows[:, 0] > former[-1]
        for follower in self._followers[place]:
            latter = state.placed.get(follower)
            if latter is not None:
                fits &= windows[:, -1] < latter[0]
        return np.flatnonzero(fits)

    def _keeps(self, placements: list[Placement]) -> bool:
        state = self._empty()
        for place in self._in_order(range(len(placements))):
            free = self._free(state, place, with_limit=True)
            if placements[place][0] not in self._windows[place][free, 0]:
                return False
            self._take(state, place, placements[place])
        return True

    def _state_of(self, placements: list[Placement]) -> _State:
        state = self._empty()
        for place, placement in enumerate(placements):
            self._take(state, place, placement)
        return state

    def _empty(self) -> _State:
        quarters = self._plan.quarters
        return _State(self._plan.site.base_kw.copy(), np.zeros(quarters, dtype=np.int64), {}, {})

    def _take(self, state: _State, place: int, placement: Placement) -> None:
        job = self._plan.jobs[place]
        state.load_kw[placement] += job.profile_kw
        state.running[placement] += 1
        if job.machine is not None:
            busy = state.busy.setdefault(job.machine, np.zeros(self._plan.quarters, dtype=np.bool_))
            busy[placement] = True
        state.placed[place] = placement

    def _take_out(self, state: _State, places: Sequence[int]) -> None:
        for place in places:
            job, placement = self._plan.jobs[place], state.placed.pop(place)
            state.load_kw[placement] -= job.profile_kw
            state.running[placement] -= 1
            if job.machine is not None:
                state.busy[job.machine][placement] = False

    def _in_order(self, places: Sequence[int]) -> list[int]:
        """The same jobs, each behind those that it has to wait for."""
        ordered: list[int] = []
        seen: set[int] = set()

        def add(place: int) -> None:
            if place in seen:
                return
            seen.add(place)
            for name in self._plan.jobs[place].after:
                add(self._plan.by_id[name])
            ordered.append(place)

        for place in places:
            add(place)
        return ordered


def _windows(starts: Positions, length: int) -> Positions:
    """The quarters of each start, shape (s, length)."""
    return starts[:, None] + np.arange(length)


def _copy(state: _State) -> _State:
    busy = {machine: flags.copy() for machine, flags in state.busy.items()}
    return _State(state.load_kw.copy(), state.running.copy(), busy, dict(state.placed))
