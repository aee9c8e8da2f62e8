"""Registering factories, machines, tariffs and carbon factors: what may be written, and in which words."""

import difflib
import math
import re
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from enms.database import registry
from enms.database.connection import Database, Row
from enms.errors import ConflictError, InvalidInputError, NotFoundError

LONGEST_NAME = 255
LONGEST_TARIFF_NAME = 100
LONGEST_INTERVAL_SECONDS = 86_400
# What the contract's numeric columns hold.
MOST_KW = 1e8
MOST_RATE = 1e6
MOST_KG_PER_KWH = 1e4
SINCE_ALWAYS = date(2000, 1, 1)
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES_SHOWN = 20
_LAST_HOUR = 24


@dataclass(frozen=True, kw_only=True)
class NewTariff:
    """A tariff of a factory.

    Attributes:
        name: Its name; the same name may start again on another day, with another rate.
        factory: The factory's name.
        rate_per_kwh: Price of a kWh.
        currency: ISO 4217 code.
        hours: Factory-local hours such as "8-20", or "20-6" past midnight; None: all day.
        weekdays: Days such as "mon-fri" or "sat,sun"; None: all.
        valid_from: First local day.
        valid_to: Last local day, included; None: open.
        demand_charge_per_kw: Price of a kW of a month's billing peak.
    """

    name: str
    factory: str
    rate_per_kwh: float
    currency: str = "USD"
    hours: str | None = None
    weekdays: str | None = None
    valid_from: date = SINCE_ALWAYS
    valid_to: date | None = None
    demand_charge_per_kw: float | None = None


@dataclass(frozen=True, kw_only=True)
class NewCarbonFactor:
    """What a kWh of a region's electricity emits.

    Attributes:
        region: As in a factory's `carbon_region`; 'default' serves regions without one.
        kg_co2_per_kwh: The factor.
        grid_name: The grid that it is of.
        source: Who published it.
        valid_from: First local day.
        valid_to: Last local day, included; None: open.
    """

    region: str
    kg_co2_per_kwh: float
    grid_name: str | None = None
    source: str | None = None
    valid_from: date = SINCE_ALWAYS
    valid_to: date | None = None


def add_factory(
    database: Database,
    name: str,
    timezone: str,
    *,
    location: str | None = None,
    country: str | None = None,
    carbon_region: str | None = None,
    contract_demand_kw: float | None = None,
) -> UUID:
    """Registers a factory.

    Args:
        database: Where to.
        name: Unlike any other factory's.
        timezone: IANA name, e.g. Europe/Berlin.
        location: Town or address.
        country: ISO 3166 code of two letters.
        carbon_region: Which carbon factors apply.
        contract_demand_kw: The demand agreed with the supplier, in kW.

    Returns:
        The factory's id.

    Raises:
        InvalidInputError: A value is impossible.
        ConflictError: The name is taken.
    """
    name = _name(name, "factory name", LONGEST_NAME)
    known_timezone(timezone)
    if country is not None and not re.fullmatch("[A-Z]{2}", country):
        raise InvalidInputError(f"The country is a code of two capital letters such as DE, not '{country}'.")
    metadata: dict[str, Any] = {
        "country": country,
        "carbon_region": carbon_region and _name(carbon_region, "carbon region", 100),
        "contract_demand_kw": contract_demand_kw
        and _number(contract_demand_kw, "contract demand", "kW", MOST_KW, above_zero=True),
    }
    if contract_demand_kw == 0:
        raise InvalidInputError(
            "The contract demand must be more than 0 kW; leave it out where there is none."
        )
    factory_id = registry.add_factory(
        database,
        name,
        location and _name(location, "location", LONGEST_NAME),
        timezone,
        {key: value for key, value in metadata.items() if value is not None},
    )
    if factory_id is None:
        raise ConflictError(f"There is a factory '{name}' already.")
    return factory_id


def add_machine(
    database: Database,
    name: str,
    factory: str,
    machine_type: str,
    rated_power_kw: float,
    interval_seconds: int | None = None,
) -> UUID:
    """Registers a machine.

    Args:
        database: Where to.
        name: Unlike any other machine's of the factory.
        factory: The factory's name.
        machine_type: One of the contract's machine types.
        rated_power_kw: Rated power in kW.
        interval_seconds: How often it reports; None leaves it to the first import of energy.

    Returns:
        The machine's id.

    Raises:
        InvalidInputError: A value is impossible.
        NotFoundError: There is no such factory.
        ConflictError: The factory has a machine of that name.
    """
    name = _name(name, "machine name", LONGEST_NAME)
    rated_power_kw = _number(rated_power_kw, "rated power", "kW", MOST_KW, above_zero=True)
    if interval_seconds is not None and not 1 <= interval_seconds <= LONGEST_INTERVAL_SECONDS:
        raise InvalidInputError(
            f"The interval must be 1 to {LONGEST_INTERVAL_SECONDS} seconds, not {interval_seconds}."
        )
    types = registry.machine_types(database)
    if machine_type not in types:
        raise InvalidInputError(f"There is no machine type '{machine_type}'; there are {', '.join(types)}.")
    factory_id = find_factory(database, factory)
    machine_id = registry.add_machine(
        database, factory_id, name, machine_type, rated_power_kw, interval_seconds
    )
    if machine_id is None:
        raise ConflictError(f"The factory '{factory}' has a machine '{name}' already.")
    return machine_id


def add_tariff(database: Database, tariff: NewTariff) -> UUID:
    """Registers a tariff.

    Returns:
        The tariff's id.

    Raises:
        InvalidInputError: A value is impossible.
        NotFoundError: There is no such factory.
        ConflictError: The factory has a tariff of that name from that day.
    """
    name = _name(tariff.name, "tariff name", LONGEST_TARIFF_NAME)
    if not re.fullmatch("[A-Z]{3}", tariff.currency):
        raise InvalidInputError(
            f"The currency is a code of three capital letters such as EUR, not '{tariff.currency}'."
        )
    start_hour, end_hour = hours_of_day(tariff.hours) if tariff.hours is not None else (None, None)
    days = weekdays(tariff.weekdays) if tariff.weekdays is not None else None
    _check_validity(tariff.valid_from, tariff.valid_to)
    charge = tariff.demand_charge_per_kw
    columns = {
        "name": name,
        "rate_per_kwh": _number(tariff.rate_per_kwh, "rate", "per kWh", MOST_RATE),
        "currency": tariff.currency,
        "is_time_of_use": start_hour is not None or days is not None,
        "start_hour": start_hour,
        "end_hour": end_hour,
        "applicable_days": days,
        "demand_charge_per_kw": None
        if charge is None
        else _number(charge, "demand charge", "per kW", MOST_KW),
        "valid_from": tariff.valid_from,
        "valid_to": tariff.valid_to,
        "factory_id": find_factory(database, tariff.factory),
    }
    tariff_id = registry.add_tariff(database, columns)
    if tariff_id is None:
        raise ConflictError(
            f"The factory '{tariff.factory}' has a tariff '{name}' from {tariff.valid_from} already."
        )
    return tariff_id


def add_carbon_factor(database: Database, factor: NewCarbonFactor) -> UUID:
    """Registers a carbon factor.

    Returns:
        The factor's id.

    Raises:
        InvalidInputError: A value is impossible.
        ConflictError: The region has a factor from that day.
    """
    region = _name(factor.region, "region", 100)
    _check_validity(factor.valid_from, factor.valid_to)
    columns = {
        "region": region,
        "grid_name": factor.grid_name and _name(factor.grid_name, "grid name", 100),
        "emission_factor_kg_co2_per_kwh": _number(
            factor.kg_co2_per_kwh, "carbon factor", "kg per kWh", MOST_KG_PER_KWH
        ),
        "source": factor.source and _name(factor.source, "source", LONGEST_NAME),
        "valid_from": factor.valid_from,
        "valid_to": factor.valid_to,
    }
    factor_id = registry.add_carbon_factor(database, columns)
    if factor_id is None:
        raise ConflictError(f"The region '{region}' has a carbon factor from {factor.valid_from} already.")
    return factor_id


def find_factory(database: Database, name: str) -> UUID:
    """The id of the factory of that name.

    Raises:
        NotFoundError: There is none.
    """
    factories: Mapping[str, UUID] = registry.factory_names(database)
    if name not in factories:
        raise NotFoundError(f"There is no factory '{name}'; " + _there_are("factories", factories))
    return factories[name]


def find_machine(database: Database, name: str, factory: str | None) -> Row:
    """The machine of that name, with its factory's name and zone.

    Raises:
        NotFoundError: There is none.
        InvalidInputError: Several factories have one, and none of them is named.
    """
    if factory is not None:
        find_factory(database, factory)
    found = registry.machines_named(database, name)
    of_factory = [machine for machine in found if factory in (None, machine["factory_name"])]
    if not of_factory:
        where = f" in the factory '{factory}'" if factory is not None else ""
        raise NotFoundError(
            f"There is no machine '{name}'{where}; "
            + _there_are("machines", registry.machine_names(database, _NAMES_SHOWN + 1))
        )
    if len(of_factory) > 1:
        owners = ", ".join(f"'{machine['factory_name']}'" for machine in of_factory)
        raise InvalidInputError(
            f"The factories {owners} each have a machine '{name}': say which by --factory."
        )
    return of_factory[0]


def known_timezone(name: str) -> zoneinfo.ZoneInfo:
    """The zone of that IANA name.

    Raises:
        InvalidInputError: There is none; the message names the likeliest one.
    """
    zones = zoneinfo.available_timezones()
    if name not in zones:
        by_lower_case = {zone.lower(): zone for zone in zones}
        close = difflib.get_close_matches(name.lower(), by_lower_case, n=1)
        hint = (
            f"did you mean {by_lower_case[close[0]]}?"
            if close
            else "give an IANA name such as Europe/Berlin."
        )
        raise InvalidInputError(f"There is no time zone '{name}': {hint}", parameter="timezone", given=name)
    return zoneinfo.ZoneInfo(name)


def hours_of_day(text: str) -> tuple[int, int]:
    """The first hour and the hour at which it ends, of "8-20" or "22:00-06:00"; tariffs change at full hours.

    Raises:
        InvalidInputError: It is something else.
    """
    found = re.fullmatch(r"\s*(\d{1,2})(?::00)?\s*-\s*(\d{1,2})(?::00)?\s*", text)
    if found:
        start, end = int(found[1]), int(found[2])
        if start < _LAST_HOUR and end <= _LAST_HOUR and start != end:
            return start, end
    raise InvalidInputError(
        f"The hours are two full hours of the day such as 8-20, or 22-6 past midnight, not '{text}'."
    )


def weekdays(text: str) -> list[int]:
    """The days, 0 = Sunday, of "mon-fri", "sat,sun" or "fri-mon".

    Raises:
        InvalidInputError: It is something else.
    """
    days: set[int] = set()
    for part in text.lower().split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
            raise InvalidInputError(
                f"The weekdays are {', '.join(WEEKDAYS)}, or ranges such as mon-fri, by commas, not '{text}'."
            )
        start = WEEKDAYS.index(first)
        count = (WEEKDAYS.index(last) - start) % len(WEEKDAYS) if dash else 0
        days.update((start + step) % len(WEEKDAYS) for step in range(count + 1))
    return sorted(days)


def _there_are(what: str, names: Iterable[str]) -> str:
    listed = list(names)
    if not listed:
        return f"there are no {what} yet."
    more = ", …" if len(listed) > _NAMES_SHOWN else ""
    return "there are " + ", ".join(f"'{name}'" for name in listed[:_NAMES_SHOWN]) + more + "."


def _name(text: str, what: str, longest: int) -> str:
    name = text.strip()
    if not name or len(name) > longest or not name.isprintable():
        raise InvalidInputError(f"The {what} must be 1 to {longest} printable characters.")
    return name


def _number(value: float, what: str, unit: str, limit: float, *, above_zero: bool = False) -> float:
    if not math.isfinite(value) or value < 0 or value >= limit or (above_zero and value == 0):
        least = "more than 0" if above_zero else "0 or more"
        raise InvalidInputError(
            f"The {what} must be {least} and less than {limit:,.0f} {unit}, not {value:g}."
        )
    return value


def _check_validity(first: date, last: date | None) -> None:
    if last is not None and last < first:
        raise InvalidInputError(f"The validity ends on {last}, before it starts on {first}.")
