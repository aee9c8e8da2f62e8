"""What energy and demand cost in a plan's quarter hours, and what the month's peak has cost so far."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from enms.database import forecast_reads, kpis, prices
from enms.database.connection import Connection
from enms.errors import InvalidInputError
from enms.science.arrays import Values
from enms.science.baseline.calendar import local_time
from enms.science.load_shifting.plan import SoFar
from enms.science.tariffs import Prices, Tariff, months_of, prices_of
from enms.services.factory_tariffs import tariffs_of
from enms.services.forecast_subjects import Subject
from enms.services.schedule_times import PlanTimes

_HOUR_SECONDS = 3_600


@dataclass(frozen=True)
class PlanPrices:
    """Prices over a plan.

    Attributes:
        prices: Of energy and demand.
        kg_per_kwh: Emissions of energy, 0 where no factor is known, shape (n,).
        currency: Of all prices.
        so_far: The peak of the plan's first month before the plan, by month; empty where demand is free.
    """

    prices: Prices
    kg_per_kwh: Values
    currency: str
    so_far: dict[int, SoFar]


def plan_prices(connection: Connection, subject: Subject, times: PlanTimes, energy_type: str) -> PlanPrices:
    """Reads what a plan's energy costs.

    Raises:
        InvalidInputError: There is no price, or prices are of several currencies.
    """
    hours, hour_of = np.unique(times.starts_at // _HOUR_SECONDS, return_inverse=True)
    rates = prices.interval_rates(
        connection, subject.factory_id, subject.timezone, energy_type, hours * _HOUR_SECONDS
    )
    if rates.rate_per_kwh is None or rates.currency is None:
        raise _refused(subject, rates.price_reason or "no_price")
    factor = rates.kg_co2_per_kwh
    kg_per_kwh = np.zeros(times.quarters) if factor is None else factor[hour_of]
    if energy_type != kpis.ELECTRICAL:
        months = months_of(local_time(times.starts_at, subject.timezone))
        names = (energy_type,) * times.quarters
        free = Prices(rates.rate_per_kwh[hour_of], names, np.zeros(times.quarters), months)
        return PlanPrices(free, kg_per_kwh, rates.currency, {})
    first, last = (at.astimezone(times.zone).date() for at in (times.start, times.end))
    tariffs = tariffs_of(connection, subject.factory_id, first, last)
    if any(_charges(tariff) and tariff.currency != rates.currency for tariff in tariffs):
        raise _refused(subject, "several_currencies")
    found = prices_of(tariffs, times.starts_at, subject.timezone)
    so_far = _so_far(connection, subject, times) if found.charge_per_kw.any() else {}
    return PlanPrices(found, kg_per_kwh, rates.currency, so_far)


def _charges(tariff: Tariff) -> bool:
    return bool(tariff.demand_charge_per_kw)


def _so_far(connection: Connection, subject: Subject, times: PlanTimes) -> dict[int, SoFar]:
    """The highest billing interval of the plan's first month before the plan, and what it costs."""
    local_start = times.start.astimezone(times.zone)
    month = local_start.replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)
    until = min(times.start, datetime.now(UTC))
    if until <= month:
        return {}
    found = forecast_reads.peak_so_far(connection, subject.kind, subject.id, kpis.ELECTRICAL, month, until)
    if found is None:
        return {}
    peak_kw, peak_at = found
    day = peak_at.astimezone(times.zone).date()
    tariffs = tariffs_of(connection, subject.factory_id, day, day)
    at_peak = prices_of(tariffs, np.array([int(peak_at.timestamp())], dtype=np.int64), subject.timezone)
    return {int(at_peak.months[0]): SoFar(float(peak_kw), float(at_peak.charge_per_kw[0]))}


def _refused(subject: Subject, reason: str) -> InvalidInputError:
    return InvalidInputError(
        f"{subject.factory_name}: {kpis.REASONS[reason]} A plan has one sum of money; prices of several "
        "currencies make none.",
        parameter="factory_id",
        given=str(subject.factory_id),
        allowed="a factory whose energy and demand have prices of one currency",
        code=reason,
    )
