"""The cheapest schedule beside all that there are, and what keeps it from being cheaper."""

import itertools
import time
from dataclasses import replace

import numpy as np
import pytest

from enms.science.load_shifting.bill import bill
from enms.science.load_shifting.energy_bound import energy_bound
from enms.science.load_shifting.plan import Job, Placement, Plan, Site, SoFar
from enms.science.load_shifting.rates import counted_cost, rates_of
from enms.science.load_shifting.reasons import unmoved
from enms.science.load_shifting.schedule import moved_kwh, optimise
from enms.science.tariffs import Prices

QUARTERS = 24


def prices(
    rate: np.ndarray | float = 0.2, charge: np.ndarray | float = 0.0, months: np.ndarray | None = None
) -> Prices:
    return Prices(
        np.broadcast_to(np.asarray(rate, dtype=float), QUARTERS).copy(),
        ("t",) * QUARTERS,
        np.broadcast_to(np.asarray(charge, dtype=float), QUARTERS).copy(),
        np.zeros(QUARTERS, dtype=np.int64) if months is None else months,
    )


def site(priced: Prices, **more: object) -> Site:
    nothing = np.zeros(QUARTERS)
    return replace(Site(priced, nothing, nothing, np.full(QUARTERS, 0.4)), **more)  # type: ignore[arg-type]


def job(name: str, profile: list[float], first: int = 0, last: int = QUARTERS, **more: object) -> Job:
    allowed = np.zeros(QUARTERS, dtype=np.bool_)
    allowed[first:last] = True
    return replace(Job(name, np.array(profile), allowed), **more)  # type: ignore[arg-type]


def keeps_rules(plan: Plan, placements: list[Placement]) -> bool:
    running = np.zeros(plan.quarters, dtype=int)
    busy: dict[str, np.ndarray] = {}
    for each, placement in zip(plan.jobs, placements, strict=True):
        pauses = np.flatnonzero(np.diff(placement) != 1)
        if len(placement) != each.length or not each.allowed[placement].all():
            return False
        if len(pauses) and not each.is_interruptible:
            return False
        if any(len(run) < each.min_run for run in np.split(placement, pauses + 1)):
            return False
        running[placement] += 1
        if each.machine is not None:
            taken = busy.setdefault(each.machine, np.zeros(plan.quarters, dtype=int))
            taken[placement] += 1
        for name in each.after:
            if placements[plan.by_id[name]][-1] >= placement[0]:
                return False
    bought = plan.load_kw(placements) - plan.site.solar_kw
    return (
        all(taken.max() <= 1 for taken in busy.values())
        and running.max() <= (plan.site.most_at_once or len(plan.jobs))
        and (plan.site.limit_kw is None or bool((bought <= plan.site.limit_kw + 1e-6).all()))
    )


def all_schedules(plan: Plan) -> list[list[Placement]]:
    starts = [each.starts.tolist() for each in plan.jobs]
    tried = (
        [np.arange(at, at + each.length) for at, each in zip(chosen, plan.jobs, strict=True)]
        for chosen in itertools.product(*starts)
    )
    return [placements for placements in tried if keeps_rules(plan, placements)]


def random_plan(seed: int) -> Plan:
    rng = np.random.default_rng(seed)
    jobs = []
    for place in range(4):
        length = int(rng.integers(2, 6))
        first = int(rng.integers(0, 8))
        is_uneven = rng.random() < 0.5
        profile = rng.uniform(5, 40, length).tolist() if is_uneven else [float(rng.uniform(5, 40))] * length
        jobs.append(
            job(
                str(place), profile, first, min(first + length + int(rng.integers(3, 8)), QUARTERS),
                machine="m" if rng.random() < 0.4 else None,
                after=("0",) if place == 3 and rng.random() < 0.5 else (),
            )
        )  # fmt: skip
    months = np.repeat([5, 6], QUARTERS // 2) if seed % 3 == 0 else None
    charge = rng.choice([0.0, 0.4, 12.0])
    priced = prices(rng.choice([0.1, 0.2, 0.3], QUARTERS), float(charge), months)
    solar = np.where(rng.random(QUARTERS) < 0.3, 30.0, 0.0) if seed % 2 else np.zeros(QUARTERS)
    return Plan(
        tuple(jobs),
        site(
            priced, base_kw=rng.uniform(0, 30, QUARTERS), solar_kw=solar, export_price_per_kwh=0.05,
            carbon_price_per_kg=0.1, most_at_once=2 if seed % 4 == 1 else None,
            so_far={5: SoFar(35.0, float(charge))} if seed % 3 == 0 else None,
        ),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_no_other_schedule_is_cheaper_than_proven(seed: int) -> None:
    plan = random_plan(seed)
    rates = rates_of(plan.site)
    costs = [counted_cost(plan.load_kw(each), plan.site, rates) for each in all_schedules(plan)]
    found = optimise(plan, 5.0)
    if not costs:
        assert found.status == "infeasible"
        return
    assert found.placements is not None
    assert found.gap is not None
    assert found.status == "optimal"
    assert keeps_rules(plan, found.placements)
    assert energy_bound(plan, rates) <= min(costs) + 1e-6
    cost = counted_cost(plan.load_kw(found.placements), plan.site, rates)
    assert min(costs) >= cost - found.gap * abs(cost) - 1e-6
    assert found.gap <= 0.005
    # What is counted and the bill differ by what no schedule changes.
    cheapest = min(bill(plan.load_kw(each), plan.site).total for each in all_schedules(plan))
    assert found.bill_then is not None
    assert found.bill_then.total - cheapest == pytest.approx(cost - min(costs), abs=1e-6)


def test_a_site_limit_is_kept() -> None:
    jobs = tuple(job(str(k), [20.0] * 4) for k in range(4))
    free = Plan(jobs, site(prices(np.where(np.arange(QUARTERS) < 4, 0.1, 0.3))))
    found = optimise(free, 3.0)
    assert found.bill_then is not None
    assert found.bill_then.peak_kw == 80
    limited = replace(free, site=replace(free.site, limit_kw=np.full(QUARTERS, 45.0)))
    found = optimise(limited, 3.0, unmargined=free)
    assert found.bill_then is not None
    assert found.bill_then.peak_kw == 40
    # Two of the four jobs run four quarters at 20 ct more.
    assert found.margin_cost == pytest.approx(2 * 20 * 0.2)


def test_pauses_keep_to_the_shortest_run_and_the_allowed_hours() -> None:
    cheap = np.isin(np.arange(QUARTERS), [2, 3, 7, 11, 12, 13, 20, 21])
    plan = Plan(
        (job("a", [30.0] * 6, 1, 22, is_interruptible=True, min_run=2),),
        site(prices(np.where(cheap, 0.1, 0.3))),
    )
    found = optimise(plan, 3.0)
    assert found.placements is not None
    assert keeps_rules(plan, found.placements)
    assert sorted(found.placements[0].tolist()) == [2, 3, 11, 12, 20, 21] or (
        bill(plan.load_kw(found.placements), plan.site).total == pytest.approx(30 * 6 * 0.1 / 4)
    )


def test_a_job_of_uneven_power_pauses_between_its_runs() -> None:
    cheap = np.isin(np.arange(QUARTERS), [4, 5, 15, 16])
    plan = Plan(
        (job("a", [10.0, 40.0, 30.0, 20.0], is_interruptible=True, min_run=2),),
        site(prices(np.where(cheap, 0.1, 0.3))),
    )
    found = optimise(plan, 3.0)
    assert found.placements is not None
    assert found.placements[0].tolist() == [4, 5, 15, 16]
    assert found.status == "optimal"


def test_demand_may_rise_up_to_the_months_peak_for_nothing() -> None:
    cheap = np.where(np.arange(QUARTERS) < 4, 0.1, 0.3)
    jobs = tuple(job(str(k), [20.0] * 4) for k in range(3))
    plan = Plan(jobs, site(prices(cheap, 12.0), so_far={0: SoFar(60.0, 12.0)}))
    found = optimise(plan, 3.0)
    assert found.bill_then is not None
    assert (found.bill_then.peak_kw, found.bill_then.demand) == (60, 720)
    without = optimise(replace(plan, site=replace(plan.site, so_far=None)), 3.0)
    assert without.bill_then is not None
    assert (without.bill_then.peak_kw, without.bill_then.demand) == (20, 240)


def test_what_is_made_on_site_is_used_first() -> None:
    solar = np.where(np.isin(np.arange(QUARTERS), [10, 11]), 25.0, 0.0)
    plan = Plan((job("a", [25.0, 25.0], planned=0),), site(prices(0.2), solar_kw=solar))
    found = optimise(plan, 3.0)
    assert found.placements is not None
    assert found.bill_then is not None
    assert found.placements[0].tolist() == [10, 11]
    assert found.bill_then.total == 0
    assert moved_kwh(plan, found.now, found.placements) == pytest.approx(12.5)
    # Paid as much for surplus as energy costs, nothing is won by moving.
    paid = replace(plan, site=replace(plan.site, export_price_per_kwh=0.2))
    still = optimise(paid, 3.0)
    assert still.bill_then is not None
    assert still.bill_now.total == pytest.approx(still.bill_then.total)


def test_clashing_rules_are_named_with_the_least_change() -> None:
    jobs = (
        job("first", [30.0] * 6, 0, 8, machine="m"),
        job("second", [30.0] * 6, 0, 10, machine="m"),
        job("other", [30.0] * 2),
    )
    found = optimise(Plan(jobs, site(prices())), 6.0)
    assert found.status == "infeasible"
    assert found.clash is not None
    assert [(rule.kind, rule.machine) for rule in found.clash.rules] == [("machine", "m")]
    later = next(each for each in found.clash.relaxations if each.rule.kind == "deadline")
    assert later.later == (("second", 2),)


def test_a_limit_and_a_number_at_once_clash_with_deadlines() -> None:
    jobs = tuple(job(str(k), [30.0] * 6, 0, 12) for k in range(3))
    found = optimise(Plan(jobs, site(prices(), most_at_once=1)), 6.0)
    assert found.clash is not None
    assert [rule.kind for rule in found.clash.rules] == ["max_parallel"]
    assert next(each.amount for each in found.clash.relaxations if each.rule.kind == "max_parallel") == 2
    found = optimise(Plan(jobs, site(prices(), limit_kw=np.full(QUARTERS, 50.0))), 6.0)
    assert found.clash is not None
    assert [rule.kind for rule in found.clash.rules] == ["site_limit_kw"]
    amount = next(each.amount for each in found.clash.relaxations if each.rule.kind == "site_limit_kw")
    assert amount == pytest.approx(10)


def test_the_best_so_far_and_its_gap_when_time_is_up() -> None:
    rng = np.random.default_rng(3)
    jobs = []
    for place in range(150):
        length = int(rng.integers(2, 9))
        jobs.append(job(str(place), [float(rng.uniform(5, 90))] * length, 0, QUARTERS))
    plan = Plan(tuple(jobs), site(prices(rng.uniform(0.1, 0.3, QUARTERS), 12.0)))
    began = time.monotonic()
    found = optimise(plan, 1.0)
    assert time.monotonic() - began < 30
    assert found.placements is not None
    assert found.gap is not None
    assert 0 <= found.gap < 0.2
    assert keeps_rules(plan, found.placements)


def test_jobs_that_stay_say_why() -> None:
    cheap = np.where(np.arange(QUARTERS) < 4, 0.1, 0.3)
    jobs = (
        job("fixed", [10.0] * 4, 8, 12),
        job("cheap already", [10.0] * 4, planned=0),
        job("dearer elsewhere", [10.0] * 4, 0, 20, planned=0, machine="m"),
        job("blocked", [10.0] * 4, 0, 9, planned=4, machine="m"),
    )
    plan = Plan(jobs, site(prices(cheap)))
    placements = [np.arange(at, at + 4) for at in (8, 0, 0, 4)]
    reasons = dict(unmoved(plan, placements, placements, "EUR"))
    assert "no other time" in reasons["fixed"]
    assert "at least 0.50 EUR more" in reasons["cheap already"]
    assert "EUR more" in reasons["dearer elsewhere"]
    assert reasons["blocked"] == "no other time costs less"


def test_who_gains_nothing_by_moving_stays() -> None:
    # All quarters cost the same: whatever the solvers come to, all may stay.
    jobs = tuple(job(str(k), [10.0] * 4, planned=4 + k) for k in range(5))
    found = optimise(Plan(jobs, site(prices())), 2.0)
    assert found.placements is not None
    assert [placement[0] for placement in found.placements] == [4, 5, 6, 7, 8]
    # Where the limit lets only some stay, they do.
    limited = Plan(jobs, site(prices(), limit_kw=np.full(QUARTERS, 30.0)))
    found = optimise(limited, 2.0)
    assert found.placements is not None
    assert keeps_rules(limited, found.placements)
    assert any(placement[0] == 4 + k for k, placement in enumerate(found.placements))


def test_nothing_to_move() -> None:
    found = optimise(Plan((), site(prices(), base_kw=np.full(QUARTERS, 5.0))), 1.0)
    assert found.status == "optimal"
    assert found.bill_then == found.bill_now
