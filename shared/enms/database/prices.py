"""What a kWh costs and emits, hour by hour: for energy that was not measured, such as savings."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from enms.database.connection import Connection, rows
from enms.database.packed import matrix

type Reason = Literal["no_price", "no_factor", "not_kwh", "several_currencies"]

# Numbers of all hours in one piece, as `enms.database.drivers` has them.
_ELECTRICAL = """
    SELECT string_agg(
               float8send(place::float8) || float8send(rate_per_kwh::float8)
               || float8send(kg_co2_per_kwh::float8) || float8send(is_default_rate::int::float8)
               || float8send(is_default_factor::int::float8) || float8send(is_default_region::int::float8),
               ''::bytea) AS packed,
           array_agg(DISTINCT currency) AS currencies
    FROM analytics.hourly_rates(
        %(factory_id)s, %(zone)s, ARRAY(SELECT to_timestamp(at) FROM unnest(%(starts_at)s::float8[]) at))
"""
_OTHER = """
    SELECT s.cost_per_unit, s.carbon_factor, lower(s.unit) = 'kwh' AS is_kwh,
           analytics.factory_currency(%(factory_id)s) AS currency
    FROM (SELECT analytics.energy_source_name(%(energy_type)s) AS name) wanted
    LEFT JOIN energy_sources s ON s.name = wanted.name
"""


@dataclass(frozen=True)
class Rates:
    """Price and emission factor of each hour, by the rules of the KPIs.

    Attributes:
        rate_per_kwh: In `currency`; None where there is no price, for the reason beside.
        currency: Of the rates.
        price_reason: Why there is none: as KPIs call it.
        has_default_rate: Whether no tariff holds the hour, which then takes the default.
        kg_co2_per_kwh: None where there is no factor, for the reason beside.
        factor_reason: Why there is none.
        has_default_factor: Whether no factor is valid in the hour, which then takes the default.
        has_default_region: Whether the hour's factor is that of the region `default`, not of the factory's.
    """

    rate_per_kwh: NDArray[np.float64] | None
    currency: str | None
    price_reason: Reason | None
    has_default_rate: NDArray[np.bool_]
    kg_co2_per_kwh: NDArray[np.float64] | None
    factor_reason: Reason | None
    has_default_factor: NDArray[np.bool_]
    has_default_region: NDArray[np.bool_]


def interval_rates(
    connection: Connection, factory_id: UUID, zone: str, energy_type: str, starts_at: NDArray[np.int64]
) -> Rates:
    """Reads what a kWh costs (demand charges aside) and emits in each of some hours.

    Args:
        connection: The database.
        factory_id: Whose tariffs and region hold.
        zone: The factory's zone, valid in PostgreSQL.
        energy_type: The carrier; others than electrical have one price and factor, in `energy_sources`.
        starts_at: Starts of UTC hours, in seconds since 1970.
    """
    if energy_type == "electrical":
        return _electrical(connection, factory_id, zone, starts_at)
    return _other(connection, factory_id, energy_type, len(starts_at))


def _electrical(connection: Connection, factory_id: UUID, zone: str, starts_at: NDArray[np.int64]) -> Rates:
    (found,) = rows(
        connection,
        _ELECTRICAL,
        {"factory_id": factory_id, "zone": zone, "starts_at": starts_at.tolist()},
    )
    figures = np.empty((len(starts_at), 5))
    table = matrix(found["packed"], 6)
    figures[table[:, 0].astype(np.intp) - 1] = table[:, 1:]
    rate, factor, default_rate, default_factor, default_region = figures.T
    currencies: list[str | None] = found["currencies"] or []
    has_several = len(currencies) > 1 or None in currencies
    return Rates(
        rate_per_kwh=None if has_several else rate,
        currency=None if has_several else next(iter(currencies), None),
        price_reason="several_currencies" if has_several else None,
        has_default_rate=default_rate > 0,
        kg_co2_per_kwh=factor,
        factor_reason=None,
        has_default_factor=default_factor > 0,
        has_default_region=default_region > 0,
    )


def _other(connection: Connection, factory_id: UUID, energy_type: str, count: int) -> Rates:
    (source,) = rows(connection, _OTHER, {"factory_id": factory_id, "energy_type": energy_type})
    price, factor, is_kwh = source["cost_per_unit"], source["carbon_factor"], source["is_kwh"]
    price_reason: Reason | None = "no_price" if price is None else None if is_kwh else "not_kwh"
    factor_reason: Reason | None = "no_factor" if factor is None else None if is_kwh else "not_kwh"
    never = np.zeros(count, dtype=np.bool_)
    return Rates(
        rate_per_kwh=None if price_reason else np.full(count, price),
        currency=None if price_reason else source["currency"],
        price_reason=price_reason,
        has_default_rate=never,
        kg_co2_per_kwh=None if factor_reason else np.full(count, factor),
        factor_reason=factor_reason,
        has_default_factor=never,
        has_default_region=never,
    )
