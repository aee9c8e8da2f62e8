"""A schedule as the API tells it."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np

from enms.science.load_shifting import clashes, reasons
from enms.science.load_shifting.bill import Bill
from enms.science.load_shifting.clashes import Clash, Relaxation, Rule
from enms.science.load_shifting.plan import Job, Placement, Plan
from enms.science.load_shifting.schedule import Schedule, moved_kwh
from enms.services.forecast_subjects import Subject
from enms.services.schedule_site import SiteFound
from enms.services.schedule_times import PlanTimes

type Answer = dict[str, Any]

_QUARTER_MINUTES = 15
_CENT = 0.01


def shown(
    subject: Subject,
    times: PlanTimes,
    plan: Plan,
    found: SiteFound,
    schedule: Schedule,
    asked: Sequence[Mapping[str, Any]],
    machines: Mapping[UUID, str],
) -> Answer:
    """The whole answer but for what only the caller knows."""
    then, now = schedule.placements, schedule.now
    bill_now, bill_then = schedule.bill_now, schedule.bill_then
    relaxations = _relaxations(schedule.clash, plan, times, machines)
    limit_kw = found.unmargined_limit_kw if found.unmargined_limit_kw is not None else plan.site.limit_kw
    return {
        **subject.shown(),
        "timezone": subject.timezone,
        "currency": found.currency,
        "start": times.at(0),
        "end": times.at(times.quarters),
        "step_minutes": _QUARTER_MINUTES,
        "status": schedule.status,
        "gap": None if schedule.gap is None else round(schedule.gap, 6),
        "schedule": [] if then is None else _runs(plan.jobs, now, then, times),
        "cost_now": _cost(bill_now),
        "cost_then": bill_then and _cost(bill_then),
        "saving": bill_then and _money(bill_now.total - bill_then.total),
        "kwh_moved": None if then is None else round(moved_kwh(plan, now, then), 3),
        "co2_saved_kg": bill_then and round(bill_now.co2_kg - bill_then.co2_kg, 3),
        "peak_now_kw": round(bill_now.peak_kw, 3),
        "peak_then_kw": bill_then and round(bill_then.peak_kw, 3),
        "peak_so_far_this_month_kw": found.so_far_kw,
        "site_limit_kw": None if limit_kw is None else float(limit_kw.max()),
        "margin": _margin(found, schedule),
        "unmoved": [
            {"job_id": name, "reason": reason}
            for name, reason in ([] if then is None else reasons.unmoved(plan, now, then, found.currency))
        ],
        "clashes": _clashes(schedule.clash, machines),
        "relaxation": relaxations[0] if relaxations else None,
        "relaxations": relaxations,
        "jobs": [_job(job, now[k], asked[k], times) for k, job in enumerate(plan.jobs)],
        "bands": _bands(plan, times),
        "load_kw": {
            "now": _series(plan, now),
            "then": None if then is None else _series(plan, then),
        },
        "notes": [*found.notes, *_notes(plan, schedule)],
    }


def _cost(told: Bill) -> Answer:
    parts = {name: _money(getattr(told, name)) for name in ("energy", "demand", "carbon")}
    return {**parts, "total": _money(told.total)}


def _money(amount: float) -> float:
    return round(amount, 4)


def _runs(
    jobs: Sequence[Job], now: Sequence[Placement], then: Sequence[Placement], times: PlanTimes
) -> list[Answer]:
    runs = []
    for job, before, placement in zip(jobs, now, then, strict=True):
        cuts = np.flatnonzero(np.diff(placement) > 1) + 1
        powers = np.split(job.profile_kw, cuts)
        for piece, power_kw in zip(np.split(placement, cuts), powers, strict=True):
            runs.append(
                {
                    "job_id": job.id,
                    "start": times.at(int(piece[0])),
                    "end": times.at(int(piece[-1]) + 1),
                    "power_kw": round(float(power_kw.mean()), 3),
                    "now_start": times.at(int(before[0])),
                    "now_end": times.at(int(before[-1]) + 1),
                }
            )
    return runs


def _margin(found: SiteFound, schedule: Schedule) -> Answer | None:
    if found.margin_kw is None:
        return None
    cost = 0.0 if found.unmargined_limit_kw is None else schedule.margin_cost
    return {"kw": round(found.margin_kw, 3), "cost": None if cost is None else _money(cost)}


def _job(job: Job, now: Placement, asked: Mapping[str, Any], times: PlanTimes) -> Answer:
    allowed = np.flatnonzero(job.allowed)
    return {
        "id": job.id,
        "name": asked.get("name"),
        "machine_id": asked.get("machine_id"),
        "power_kw": asked.get("power_kw"),
        "profile_kw": asked.get("profile_kw"),
        "duration_minutes": asked.get("duration_minutes") or _QUARTER_MINUTES * job.length,
        "earliest_start": times.at(int(allowed[0])),
        "deadline": times.at(int(allowed[-1]) + 1),
        "planned_start": times.at(int(now[0])),
        "interruptible": job.is_interruptible,
        "min_run_minutes": asked.get("min_run_minutes"),
        "allowed_hours": asked.get("allowed_hours"),
        "after": asked.get("after"),
        "why": asked.get("why"),
    }


def _bands(plan: Plan, times: PlanTimes) -> list[Answer]:
    """The tariff over the plan, neighbours of one name and price joined."""
    prices = plan.site.prices
    keys = list(zip(prices.names, prices.rate_per_kwh.tolist(), strict=True))
    cuts = [0, *(k for k in range(1, len(keys)) if keys[k] != keys[k - 1]), len(keys)]
    return [
        {
            "start": times.at(first),
            "end": times.at(last),
            "name": keys[first][0],
            "rate_per_kwh": keys[first][1],
        }
        for first, last in pairwise(cuts)
    ]


def _series(plan: Plan, placements: list[Placement]) -> list[float]:
    return [round(each, 3) for each in plan.load_kw(placements).tolist()]


def _clashes(clash: Clash | None, machines: Mapping[UUID, str]) -> list[Answer]:
    if clash is None:
        return []
    return [
        *({"constraint": rule.kind, "text": _rule_text(rule, machines)} for rule in clash.rules),
        {"constraint": clashes.WINDOWS, "text": "the jobs' windows, deadlines and allowed hours"},
    ]


def _rule_text(rule: Rule, machines: Mapping[UUID, str]) -> str:
    if rule.order is not None:
        return f"{rule.order[1]} comes after {rule.order[0]}"
    if rule.machine is not None:
        return f"{machines.get(UUID(rule.machine), 'a machine')} runs one job at a time"
    if rule.kind == clashes.SITE_LIMIT:
        return "the site limit, less its margin"
    return "the number of jobs at once"


def _relaxations(
    clash: Clash | None, plan: Plan, times: PlanTimes, machines: Mapping[UUID, str]
) -> list[Answer]:
    if clash is None:
        return []
    return [_relaxation(each, plan, machines) for each in clash.relaxations]


def _relaxation(told: Relaxation, plan: Plan, machines: Mapping[UUID, str]) -> Answer:
    kind, amount = told.rule.kind, told.amount
    if kind == clashes.SITE_LIMIT and amount is not None:
        return _change(kind, amount, "kW", f"a site limit higher by {amount:.2f} kW would do")
    if kind == clashes.MOST_AT_ONCE and amount is not None:
        return _change(
            kind, amount, "jobs", f"{amount:.0f} jobs at once instead of {plan.site.most_at_once} would do"
        )
    if kind == clashes.WINDOWS and amount is not None:
        late = ", ".join(f"{name} by {by * _QUARTER_MINUTES} min" for name, by in told.later)
        return _change(kind, amount * _QUARTER_MINUTES, "min", f"later deadlines would do: {late}")
    return _change(kind, None, None, f"without this it would do: {_rule_text(told.rule, machines)}")


def _change(constraint: str, amount: float | None, unit: str | None, text: str) -> Answer:
    return {"constraint": constraint, "amount": amount, "unit": unit, "text": text}


def _notes(plan: Plan, schedule: Schedule) -> list[str]:
    notes = []
    if schedule.bill_then is not None and schedule.bill_then.total > schedule.bill_now.total + _CENT:
        notes.append(
            "What stands today breaks a rule (limit, order, hours, or jobs at once on a machine), so the "
            "schedule that keeps them all costs more."
        )
    if schedule.status == "feasible":
        notes.append(
            "The time limit was reached: this is the best schedule found; `gap` says what may be left."
        )
    if schedule.status == "unknown":
        notes.append("No schedule was found in the time limit; give it more time, or fewer rules.")
    if schedule.clash is not None and not schedule.clash.relaxations:
        notes.append("No change of a single rule that would do was found in the time there was.")
    if any(job.planned is None for job in plan.jobs):
        notes.append("Jobs without planned_start are taken to start as soon as they can today.")
    if any(job.is_interruptible and not job.has_one_power for job in plan.jobs):
        notes.append("Jobs of uneven power pause only where a multiple of their shortest run is done.")
    return notes
