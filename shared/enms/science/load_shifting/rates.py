"""What a plan's cost is made of, as a solver takes it: prices by quarter, and groups of quarters by peak."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from enms.science.arrays import Flags, Positions, Values
from enms.science.load_shifting.plan import Site
from enms.science.tariffs import QUARTER_HOURS


@dataclass(frozen=True)
class PeakGroup:
    """Quarters whose highest one is charged at one price.

    Attributes:
        month: Whose charge it is.
        places: The quarters, ascending.
        charge_per_kw: The price, the plan's share of it.
        floor_kw: Below this power a peak costs nothing more.
    """

    month: int
    places: Positions
    charge_per_kw: float
    floor_kw: float


@dataclass(frozen=True)
class Rates:
    """The cost of a site's load, linear but for surplus and peaks.

    Attributes:
        per_kw: What a kW more costs in each quarter (of surplus: what it isn't paid), shape (n,).
        bought_per_kw: What it costs more where surplus is used up; 0 in the other quarters, shape (n,).
        groups: Of peaks that are charged.
    """

    per_kw: Values
    bought_per_kw: Values
    groups: tuple[PeakGroup, ...]

    @cached_property
    def has_surplus(self) -> Flags:
        """In which quarters there is more made than used without jobs, shape (n,)."""
        return self.bought_per_kw > 0


def rates_of(site: Site) -> Rates:
    """Reads prices, carbon and charges together."""
    bought = (site.prices.rate_per_kwh + site.carbon_price_per_kg * site.kg_per_kwh) * QUARTER_HOURS
    paid = np.minimum(site.export_price_per_kwh * QUARTER_HOURS, bought)
    has_surplus = site.net_base_kw < 0
    return Rates(
        per_kw=np.where(has_surplus, paid, bought),
        bought_per_kw=np.where(has_surplus, bought - paid, 0.0),
        groups=tuple(_groups(site)),
    )


def _groups(site: Site) -> list[PeakGroup]:
    groups = []
    charges = site.prices.charge_per_kw * site.demand_share
    for month in np.unique(site.prices.months).tolist():
        in_month = site.prices.months == month
        before = (site.so_far or {}).get(month)
        cost_before = 0.0 if before is None else before.peak_kw * before.charge_per_kw * site.demand_share
        for charge in np.unique(charges[in_month]).tolist():
            if charge > 0:
                places = np.flatnonzero(in_month & (charges == charge))
                groups.append(PeakGroup(month, places, charge, cost_before / charge))
    return groups


def counted_cost(load_kw: Values, site: Site, rates: Rates) -> float:
    """What of a load's cost a schedule decides: all but the energy that is bought without jobs.

    Where a month's demand has several prices, the dearest of its hours' peaks counts.
    """
    net_kw = load_kw - site.solar_kw
    energy = (net_kw - np.maximum(site.net_base_kw, 0.0)) @ rates.per_kw
    energy += np.maximum(net_kw, 0.0) @ rates.bought_per_kw
    by_month: dict[int, float] = {}
    for group in rates.groups:
        charge = group.charge_per_kw * max(float(net_kw[group.places].max()), group.floor_kw, 0.0)
        by_month[group.month] = max(by_month.get(group.month, 0.0), charge)
    return float(energy) + sum(by_month.values())
