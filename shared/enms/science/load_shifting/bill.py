"""What a load costs at a site: energy, demand and carbon, each by itself."""

from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Values
from enms.science.load_shifting.plan import Site
from enms.science.tariffs import QUARTER_HOURS, demand_charges, energy_cost


@dataclass(frozen=True)
class Bill:
    """Cost of a load over a plan's quarter hours.

    Attributes:
        energy: Bought energy less what surplus is paid.
        demand: Charges of the months that the plan touches, on the higher of the load's peak and the month's
            so far.
        carbon: Emissions at their price.
        co2_kg: Emissions.
        peak_kw: The highest quarter hour that is bought.
    """

    energy: float
    demand: float
    carbon: float
    co2_kg: float
    peak_kw: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.energy + self.demand + self.carbon


def bill(load_kw: Values, site: Site) -> Bill:
    """The cost of a load, shape (n,), by the rules of the KPIs."""
    net_kw = load_kw - site.solar_kw
    bought_kw = np.maximum(net_kw, 0.0)
    surplus_kwh = float(np.maximum(-net_kw, 0.0).sum()) * QUARTER_HOURS
    co2_kg = float(bought_kw @ site.kg_per_kwh) * QUARTER_HOURS
    return Bill(
        energy=energy_cost(bought_kw, site.prices) - surplus_kwh * site.export_price_per_kwh,
        demand=_demand(bought_kw, site),
        carbon=co2_kg * site.carbon_price_per_kg,
        co2_kg=co2_kg,
        peak_kw=float(bought_kw.max()),
    )


def _demand(bought_kw: Values, site: Site) -> float:
    total = 0.0
    for charge in demand_charges(bought_kw, site.prices):
        before = (site.so_far or {}).get(charge.month)
        if before is not None and before.peak_kw >= charge.peak_kw:
            total += before.peak_kw * before.charge_per_kw
        else:
            total += charge.cost
    return total * site.demand_share
