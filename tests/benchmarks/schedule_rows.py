"""Load shifting: twenty jobs on a day of quarter hours, ten random cases, proven and beside random schedules.

Half of the cases count a day's share of the month's demand charge, half the whole of it. The gap is told of
what the schedule decides: the jobs' energy and the demand charge, without the other load's energy.
"""

import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.table import Figure
from enms.science.load_shifting.bill import bill
from enms.science.load_shifting.plan import Job, Plan, Site
from enms.science.load_shifting.schedule import optimise
from enms.science.tariffs import Prices

ROW = "schedule"
QUARTERS = 96
JOBS = 20
CASES_OF_EACH = 5
SECONDS = 10.0
RANDOM_SCHEDULES = 10_000
WANTED_GAP = 0.005
WANTED_CASES = 8
CHARGE_PER_KW = 12.0
DAYS_OF_MONTH = 30


@dataclass(frozen=True)
class _Solved:
    gap: float
    seconds: float
    processor_seconds: float
    cost: float
    best_random: float


def rows() -> Iterator[Figure]:
    """Gaps, times, and cost beside the best random schedule."""
    solved = [
        _solve(seed, is_whole_month=is_whole_month)
        for is_whole_month in (False, True)
        for seed in range(CASES_OF_EACH)
    ]
    gaps = [each.gap for each in solved]
    proven = sum(gap <= WANTED_GAP for gap in gaps)
    times = [each.seconds for each in solved]
    processor = [each.processor_seconds for each in solved]
    yield Figure(
        ROW,
        f"{JOBS} jobs × {QUARTERS} quarter hours, {len(solved)} cases: proven to 0.5 % in {SECONDS:.0f} s",
        f"≥ {WANTED_CASES} of {len(solved)}",
        f"{proven}; gaps {', '.join(f'{gap:.2%}' for gap in gaps)} (a day's share first); "
        f"{statistics.median(times):.1f} s, at most {max(times):.1f} s; processor "
        f"{statistics.median(processor):.1f} s, at most {max(processor):.1f} s of {os.cpu_count()} cores",
        proven >= WANTED_CASES,
    )
    ratios = [each.cost / each.best_random for each in solved]
    yield Figure(
        ROW,
        f"the same: cost ÷ best of {RANDOM_SCHEDULES:,} random feasible schedules".replace(",", " "),
        "≤ 1",
        f"at most {max(ratios):.3f}, median {statistics.median(ratios):.3f}",
        max(ratios) <= 1,
    )


def random_plan(seed: int, *, is_whole_month: bool) -> Plan:
    """Twenty jobs of one to four hours and 20 to 120 kW, beside a load with a peak at noon."""
    rng = np.random.default_rng(seed)
    hours = np.arange(QUARTERS) / 4
    base_kw = 200 + 140 * np.exp(-(((hours - 11) / 4) ** 2)) + 60 * np.exp(-(((hours - 18) / 2) ** 2))
    is_dear = (hours >= 8) & (hours < 12) | (hours >= 17) & (hours < 21)
    rate = np.where(is_dear, 0.28, np.where((hours >= 6) & (hours < 22), 0.19, 0.11))
    charge = CHARGE_PER_KW / (1 if is_whole_month else DAYS_OF_MONTH)
    prices = Prices(
        rate, ("bench",) * QUARTERS, np.full(QUARTERS, charge), np.zeros(QUARTERS, dtype=np.int64)
    )
    site = Site(prices, base_kw + rng.normal(0, 8, QUARTERS), np.zeros(QUARTERS), np.full(QUARTERS, 0.38))
    return Plan(tuple(_random_job(str(place), rng) for place in range(JOBS)), site)


def _random_job(name: str, rng: np.random.Generator) -> Job:
    length = int(rng.integers(4, 17))
    slack = int(rng.integers(4, 49))
    first = int(rng.integers(0, QUARTERS - length - slack + 1))
    allowed = np.zeros(QUARTERS, dtype=np.bool_)
    allowed[first : first + length + slack] = True
    return Job(name, np.full(length, round(float(rng.uniform(20, 120)), 1)), allowed)


def _solve(seed: int, *, is_whole_month: bool) -> _Solved:
    plan = random_plan(seed, is_whole_month=is_whole_month)
    began, processor = time.perf_counter(), time.process_time()
    schedule = optimise(plan, SECONDS)
    seconds, processor_seconds = time.perf_counter() - began, time.process_time() - processor
    assert schedule.gap is not None
    assert schedule.bill_then is not None
    best_random = _best_random(plan, np.random.default_rng(seed))
    return _Solved(schedule.gap, seconds, processor_seconds, schedule.bill_then.total, best_random)


def _best_random(plan: Plan, rng: np.random.Generator) -> float:
    """The least cost of schedules whose starts are drawn evenly from those allowed."""
    # Of each schedule what the load changes by from quarter to quarter.
    steps = np.zeros((RANDOM_SCHEDULES, QUARTERS + 1))
    row = np.arange(RANDOM_SCHEDULES)
    for job in plan.jobs:
        starts = rng.choice(job.starts, RANDOM_SCHEDULES)
        steps[row, starts] += job.profile_kw[0]
        steps[row, starts + job.length] -= job.profile_kw[0]
    loads_kw = plan.site.base_kw + np.cumsum(steps[:, :-1], axis=1)
    prices = plan.site.prices
    costs = loads_kw @ prices.rate_per_kwh / 4 + loads_kw.max(axis=1) * prices.charge_per_kw[0]
    return bill(loads_kw[int(np.argmin(costs))], plan.site).total
