"""A bound on a plan's cost without any solver: for plans that are too large for one."""

import numpy as np

from enms.science.load_shifting.plan import Job, Plan
from enms.science.load_shifting.rates import PeakGroup, Rates


def energy_bound(plan: Plan, rates: Rates) -> float:
    """No schedule costs less than each job at its cheapest, and the peak that windows force.

    What has to run inside a window, with the other load of these hours, fills it at least to its mean.
    """
    energy = sum(_cheapest(job, rates) for job in plan.jobs)
    surplus = float(np.minimum(plan.site.net_base_kw, 0.0) @ rates.per_kw)
    by_month: dict[int, float] = {}
    for group in rates.groups:
        peak_kw = max(_forced_peak(plan, group), group.floor_kw, 0.0)
        by_month[group.month] = max(by_month.get(group.month, 0.0), group.charge_per_kw * peak_kw)
    return energy + surplus + sum(by_month.values())


def _cheapest(job: Job, rates: Rates) -> float:
    if job.is_interruptible:
        # Most power where it is cheapest.
        prices = np.sort(rates.per_kw[job.places])[: job.length]
        return float(prices @ np.sort(job.profile_kw)[::-1])
    windows = job.starts[:, None] + np.arange(job.length)
    return float((rates.per_kw[windows] @ job.profile_kw).min())


def _forced_peak(plan: Plan, group: PeakGroup) -> float:
    """The least peak of a group's quarters."""
    net_kw = plan.site.net_base_kw
    forced_kw = float(net_kw[group.places].max())
    begin, end = int(group.places[0]), int(group.places[-1]) + 1
    if end - begin != len(group.places):
        return forced_kw
    spans = np.array([_span(job) for job in plan.jobs])
    inside = (spans[:, 0] >= begin) & (spans[:, 1] <= end)
    spans, energy = spans[inside], np.array([job.profile_kw.sum() for job in plan.jobs])[inside]
    total = np.concatenate([[0.0], np.cumsum(net_kw)])
    for first in np.unique(spans[:, 0]).tolist():
        later = spans[:, 0] >= first
        order = np.argsort(spans[later, 1])
        last = spans[later, 1][order]
        needed = np.cumsum(energy[later][order]) + total[last] - total[first]
        forced_kw = max(forced_kw, float((needed / (last - first)).max()))
    return forced_kw


def _span(job: Job) -> tuple[int, int]:
    """The first quarter in which it may run, and the quarter after the last."""
    if job.is_interruptible:
        return int(job.places[0]), int(job.places[-1]) + 1
    return int(job.starts[0]), int(job.starts[-1]) + job.length
