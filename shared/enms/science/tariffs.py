"""What a load costs by a factory's tariffs: energy by time of use, and the demand charge on its peaks.

The rules are those of the KPIs (`analytics.ranked_tariffs`, `cost_bands`, `demand_charges`), for loads that
were never measured: a schedule before anybody has followed it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Flags, Positions, Values
from enms.science.baseline.calendar import LocalTime, date_of, local_time

QUARTER_HOURS = 0.25
DEFAULT_NAME_DAY, DEFAULT_NAME_NIGHT = "default peak", "default off-peak"
_DEFAULT_RATE_DAY, _DEFAULT_RATE_NIGHT = 0.20, 0.10
_FIRST_DAY_HOUR, _FIRST_NIGHT_HOUR = 8, 20


@dataclass(frozen=True)
class Tariff:
    """Prices that hold in some hours of some days.

    Attributes:
        name: As the factory calls it.
        rate_per_kwh: Price of energy.
        currency: Of its prices.
        demand_charge_per_kw: Price of a month's peak; None: it has none.
        first_day: First local day, counted from 1970-01-01.
        last_day: Last local day, itself included; None: until further notice.
        weekdays: Days on which it holds, 0 = Monday.
        start_hour: First local hour, 0 to 23.
        end_hour: The hour after the last; not after `start_hour`: the window passes midnight, equal: all day.
    """

    name: str
    rate_per_kwh: float
    currency: str
    demand_charge_per_kw: float | None
    first_day: int
    last_day: int | None
    weekdays: frozenset[int]
    start_hour: int
    end_hour: int

    def is_valid(self, local: LocalTime) -> Flags:
        """On which of some instants' days it is in force, shape (n,)."""
        valid: Flags = local.days >= self.first_day
        return valid if self.last_day is None else valid & (local.days <= self.last_day)

    def holds(self, local: LocalTime) -> Flags:
        """Whose hours of the week are its own, shape (n,)."""
        after, before = local.hours >= self.start_hour, local.hours < self.end_hour
        inside = (after | before) if self.start_hour >= self.end_hour else (after & before)
        return inside & np.isin(local.weekdays, list(self.weekdays))


@dataclass(frozen=True)
class Prices:
    """What energy and demand cost in each quarter hour.

    Attributes:
        rate_per_kwh: Shape (n,).
        names: Of the tariff that prices each quarter, shape (n,).
        charge_per_kw: What the month's peak costs if it falls into the quarter; 0 where nothing is charged,
            shape (n,).
        months: The quarter's local month, counted from January 1970, shape (n,).
    """

    rate_per_kwh: Values
    names: tuple[str, ...]
    charge_per_kw: Values
    months: Positions


@dataclass(frozen=True)
class DemandCharge:
    """The charge of one local month.

    Attributes:
        month: Counted from January 1970.
        peak_kw: Its highest quarter hour.
        place: Which quarter that is.
        cost: What it costs.
    """

    month: int
    peak_kw: float
    place: int
    cost: float


def prices_of(tariffs: Sequence[Tariff], starts_at: Positions, zone: str) -> Prices:
    """Prices of quarter hours.

    Args:
        tariffs: The factory's active ones, the first by rank first.
        starts_at: When the quarters begin, seconds since 1970 (UTC), ascending, shape (n,).
        zone: The factory's.
    """
    local = local_time(starts_at, zone)
    is_day = (local.hours >= _FIRST_DAY_HOUR) & (local.hours < _FIRST_NIGHT_HOUR)
    rate_per_kwh = np.where(is_day, _DEFAULT_RATE_DAY, _DEFAULT_RATE_NIGHT)
    names = np.where(is_day, DEFAULT_NAME_DAY, DEFAULT_NAME_NIGHT).astype(object)
    charge_per_kw = np.zeros(len(starts_at))
    charging = [each for each in tariffs if each.demand_charge_per_kw is not None]
    # The last by rank first, so that the better one overwrites it, and whose hours these are any other.
    for is_own_hour in (False, True):
        for tariff in reversed(charging):
            applies = tariff.is_valid(local)
            if is_own_hour:
                applies &= tariff.holds(local)
            charge_per_kw[applies] = tariff.demand_charge_per_kw
    for tariff in reversed(tariffs):
        applies = tariff.is_valid(local) & tariff.holds(local)
        rate_per_kwh[applies] = tariff.rate_per_kwh
        names[applies] = tariff.name
    return Prices(rate_per_kwh, tuple(names.tolist()), charge_per_kw, months_of(local))


def energy_cost(power_kw: Values, prices: Prices) -> float:
    """What the energy of quarter hours of a mean power costs."""
    return float(power_kw @ prices.rate_per_kwh) * QUARTER_HOURS


def demand_charges(power_kw: Values, prices: Prices) -> list[DemandCharge]:
    """The charge of each month that the quarters touch, as far as it lies in them.

    Of equal peaks the first counts.
    """
    charges = []
    for month in np.unique(prices.months).tolist():
        places = np.flatnonzero(prices.months == month)
        place = int(places[np.argmax(power_kw[places])])
        peak_kw = float(power_kw[place])
        charges.append(DemandCharge(month, peak_kw, place, peak_kw * float(prices.charge_per_kw[place])))
    return charges


def months_of(local: LocalTime) -> Positions:
    """Local months, counted from January 1970, shape (n,)."""
    days, place = np.unique(local.days, return_inverse=True)
    dates = [date_of(day) for day in days.tolist()]
    months = np.array([(each.year - 1970) * 12 + each.month - 1 for each in dates], dtype=np.int64)
    return months[place]
