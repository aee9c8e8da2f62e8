"""A machine's intervals as the science takes them: energy, drivers, calendar, and how they were measured."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from functools import partial
from typing import Any
from uuid import UUID

import numpy as np

from enms.database.connection import Connection, Database
from enms.database.drivers import Intervals, MachineContext, machine_context, newest_energy_at, read_intervals
from enms.errors import InvalidInputError
from enms.observability import logger
from enms.science.arrays import Positions, Values
from enms.science.baseline.calendar import categories, is_known_country, local_time
from enms.science.baseline.drivers import (
    CALENDAR,
    COOLING_DEGREES,
    HEATING_DEGREES,
    OPERATING_HOURS,
    OUTDOOR_TEMPERATURE,
)
from enms.science.baseline.observations import Interval, Observations
from enms.science.baseline.refusals import Quality
from enms.services import periods
from enms.services.periods import QUESTION, Ends, Moment, Period, moment_text

_HOUR = 3_600
_DEGREES = (HEATING_DEGREES, COOLING_DEGREES)
# What is made here rather than read.
DERIVED = (*CALENDAR, "hour_of_week", *_DEGREES, OPERATING_HOURS)


@dataclass(frozen=True)
class Measured:
    """A machine's intervals over a period.

    Attributes:
        machine: The machine.
        observations: All intervals, those without energy included.
        quality: How each was measured.
        starts_at: Start of each, seconds since 1970.
        standby_power_kw: Power above which the machine counts as running, where no mode is reported; None
            where operating hours come from the reported mode, or weren't asked for.
        guessed: Why automatic selection leaves a driver alone that wasn't reported but made up for, by name.
    """

    machine: MachineContext
    observations: Observations
    quality: Quality
    starts_at: Positions
    standby_power_kw: float | None
    guessed: Mapping[str, str]


def machine_over(
    database: Database, machine_id: UUID, start: Moment, end: Moment, named: Ends = QUESTION
) -> tuple[MachineContext, Period]:
    """A machine over a period, and the period with its days made instants of the factory's calendar.

    Raises:
        InvalidInputError: The period means nothing (see `periods.check`).
        NotFoundError: There is no such machine.
    """
    periods.check_order(start, end, named)
    machine = machine_context(database, machine_id, start, end)
    period = periods.between(machine.start, machine.end, start, end, named)
    return replace(machine, start=period.start, end=period.end), period


def measure(
    connection: Connection,
    machine: MachineContext,
    energy_type: str,
    interval: Interval,
    wanted: Collection[str] | None,
    *,
    standby_power_kw: float | None = None,
    may_guess: bool = True,
    named: Ends = QUESTION,
) -> Measured:
    """Reads the machine's intervals of `machine.start` to `machine.end`.

    Args:
        connection: The database.
        machine: The machine and the period.
        energy_type: The carrier.
        interval: What is read.
        wanted: Names of drivers and categories; None: everything there is.
        standby_power_kw: Of a trained model, so that running means the same as in training.
        may_guess: Whether operating hours may be told by the power where no mode is reported.
        named: What the caller calls the period's ends.

    Raises:
        InvalidInputError: There is no reading of energy in the period, or no whole interval.
    """
    names = None if wanted is None else _to_read(wanted)
    reader = partial(
        read_intervals, connection, machine.id, energy_type, machine.start, machine.end, interval,
        machine.timezone,
    )  # fmt: skip
    read = reader(names, with_power_quarters=standby_power_kw is not None)
    if not len(read.starts_at):
        raise _no_interval(machine, interval, named)
    if not np.isfinite(read.energy_kwh).any():
        raise _nothing_read(connection, machine, energy_type, named)
    power_kw = read.quarter_power_kw
    needs_hours = wanted is None or OPERATING_HOURS in wanted
    if needs_hours and may_guess and power_kw is None and not np.isfinite(read.running_share).any():
        power_kw = reader((), with_power_quarters=True).quarter_power_kw
        assert power_kw is not None
        standby_power_kw = _standby_power_kw(machine.metadata, power_kw)
    drivers = {
        name: read.drivers.get(name, np.full(len(read.energy_kwh), np.nan))
        for name in (*read.drivers, *(names or ()))
        if name != "shift"
    }
    if needs_hours and power_kw is not None and standby_power_kw is not None:
        drivers[OPERATING_HOURS] = _hours_above(power_kw, standby_power_kw)
    elif needs_hours:
        drivers[OPERATING_HOURS] = read.running_share * read.seconds / _HOUR
    calendar = _calendar(read, machine) if wanted is None or _needs_calendar(wanted) else {}
    return Measured(
        machine,
        Observations(interval, _positions(read, machine.timezone), read.energy_kwh, drivers, calendar),
        _quality(read, machine.rated_power_kw),
        read.starts_at,
        standby_power_kw,
        _guessed(read, by_power=needs_hours and standby_power_kw is not None),
    )


def _to_read(wanted: Collection[str]) -> list[str]:
    names = [name for name in wanted if name not in DERIVED or name == "shift"]
    if set(wanted) & set(_DEGREES) and OUTDOOR_TEMPERATURE not in names:
        names.append(OUTDOOR_TEMPERATURE)
    return names


def _needs_calendar(wanted: Collection[str]) -> bool:
    return bool({*CALENDAR, "hour_of_week"} & set(wanted))


def _positions(read: Intervals, zone: str) -> Positions:
    if read.interval == "hour":
        hours: Positions = read.starts_at // _HOUR
        return hours
    return local_time(read.starts_at, zone).days


def _calendar(read: Intervals, machine: MachineContext) -> dict[str, Any]:
    shifts = [] if read.shift is None else read.shift.tolist()
    reported = shifts if any(shifts) else None
    return categories(local_time(read.starts_at, machine.timezone), holiday_country(machine), reported)


def holiday_country(machine: MachineContext) -> str | None:
    """The country whose holidays are days off; None where none is known: then only weekends are."""
    if machine.country and not is_known_country(machine.country):
        logger.warning("holidays unknown: only weekends are days off", extra={"country": machine.country})
        return None
    return machine.country


def _guessed(read: Intervals, *, by_power: bool) -> dict[str, str]:
    found = {}
    if by_power:
        found[OPERATING_HOURS] = (
            "No operating mode is reported, so it is told by the power: by energy itself."
        )
    if read.shift is not None and not any(read.shift.tolist()):
        found["shift"] = "No shift is reported; asked for by name it goes by the clock: 6, 14 and 22 h."
    return found


def _hours_above(power_kw: Values, standby_power_kw: float) -> Values:
    """Hours with the machine running: the quarters of an hour in which it took more than standby."""
    running = np.nansum(power_kw > standby_power_kw, axis=1) / 4
    hours: Values = np.where(np.isfinite(power_kw).any(axis=1), running, np.nan)
    return hours


def _standby_power_kw(metadata: Mapping[str, Any], power_kw: Values) -> float:
    """What the machine's metadata tell, else half way between its low and its high load."""
    told = metadata.get("standby_power_kw")
    if isinstance(told, int | float) and not isinstance(told, bool):
        return float(told)
    low, high = np.nanquantile(power_kw, [0.05, 0.95])
    return round(float(low + high) / 2, 6)


def _quality(read: Intervals, rated_power_kw: float) -> Quality:
    with np.errstate(divide="ignore", invalid="ignore"):
        spread_share = np.where(read.energy_kwh > 0, read.spread_kwh / read.energy_kwh, 0.0)
    return Quality(
        read.covered_share,
        spread_share,
        read.flat_share,
        read.maintenance_share,
        rated_power_kw,
        read.seconds / _HOUR,
    )


def _no_interval(machine: MachineContext, interval: Interval, named: Ends) -> InvalidInputError:
    start, end = moment_text(machine.start), moment_text(machine.end)
    return InvalidInputError(
        f"No {interval} lies wholly between {start} and {end} and is over.",
        parameter=named.start,
        given=start,
        allowed=f"a period with a whole {interval}",
        code="no-readings",
    )


def _nothing_read(
    connection: Connection, machine: MachineContext, energy_type: str, named: Ends
) -> InvalidInputError:
    newest = newest_energy_at(connection, machine.id, energy_type)
    start, end = moment_text(machine.start), moment_text(machine.end)
    latest = f"the latest is from {moment_text(newest.astimezone(UTC))}" if newest else "it has none at all"
    return InvalidInputError(
        f"{machine.name} has no reading of {energy_type} energy from {start} to {end}; {latest}.",
        parameter=named.start,
        given=start,
        allowed="a period with readings",
        code="no-readings",
        latest_reading_at=newest,
    )
