"""Whole numbers for a solver: powers in a small unit, costs in one that demand charges are many of."""

from dataclasses import dataclass
from math import ceil, floor

import numpy as np

from enms.science.arrays import Positions, Values
from enms.science.load_shifting.plan import Plan
from enms.science.load_shifting.rates import Rates

# Powers are told to a hundredth; of larger sites to a millionth of the whole.
_FINEST_KW = 0.01
_MOST_UNITS = 2_000_000
# So much of a unit isn't there: it comes of binary fractions.
_NOISE = 1e-6
# A unit of power costs at least so many units of cost, so that rounding them changes nothing.
_LEAST_COST = 2_000
_LEAST_PER_MONEY = 10_000
_MOST_PER_MONEY = 10_000_000


@dataclass(frozen=True)
class Units:
    """How powers and costs become whole numbers.

    Powers of loads are rounded up and limits down, so that what the solver allows is allowed.

    Attributes:
        kw: Of power.
        per_money: Units of cost in one of the currency.
        slack: By how much rounding may have made a plan dearer than it is, in the currency.
    """

    kw: float
    per_money: float
    slack: float

    def load(self, power_kw: Values) -> Positions:
        """Powers of a load."""
        return np.ceil(power_kw / self.kw - _NOISE).astype(np.int64)

    def limit(self, power_kw: float) -> int:
        """A power that mustn't be passed."""
        return floor(power_kw / self.kw + _NOISE)

    def cost(self, money: float) -> int:
        """An amount of money."""
        return round(money * self.per_money)


def units_of(plan: Plan, rates: Rates) -> Units:
    """Units that are fine enough for a plan."""
    highest = float(np.abs(plan.site.net_base_kw).max()) + sum(
        float(job.profile_kw.max()) for job in plan.jobs
    )
    kw = _FINEST_KW * max(1, 10 ** ceil(np.log10(max(highest / _FINEST_KW / _MOST_UNITS, 1.0))))
    charge = min((group.charge_per_kw for group in rates.groups), default=0.0) * kw
    wanted = _LEAST_COST / charge if charge > 0 else _LEAST_PER_MONEY
    per_money = float(np.clip(wanted, _LEAST_PER_MONEY, _MOST_PER_MONEY))
    units = Units(kw, per_money, 0.0)
    too_much_kw = sum(_excess(units, job.profile_kw) for job in plan.jobs) + _excess(
        units, plan.site.net_base_kw
    )
    choices = sum(job.length if job.is_interruptible else 1 for job in plan.jobs)
    rounding = (choices + len(rates.groups)) / per_money
    months: dict[int, float] = {}
    for group in rates.groups:
        months[group.month] = max(months.get(group.month, 0.0), group.charge_per_kw)
    return Units(kw, per_money, too_much_kw * sum(months.values()) + rounding)


def _excess(units: Units, power_kw: Values) -> float:
    return max(float((units.load(power_kw) * units.kw - power_kw).max()), 0.0)
