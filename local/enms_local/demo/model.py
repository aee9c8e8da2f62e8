"""The plant's behaviour: pure functions of machine, minutes, faults and seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from enms_local.demo import noise
from enms_local.demo.faults import Fault
from enms_local.demo.noise import Minutes, Values
from enms_local.demo.plant import COOLING_BASE_C, HEATING_BASE_C, TIMEZONE, DemoMachine

ENVIRONMENT_EVERY_MINUTES = 5
MODES = ("idle", "running", "maintenance")
_MINUTES_PER_DAY = 1440
_UNIX_THURSDAY = 4  # 1970-01-01, with 0 = Sunday


@dataclass(frozen=True)
class Simulation:
    """One machine over some minutes; all arrays have their length.

    Attributes:
        minutes: Minutes since 1970 (UTC), each standing for [minute, minute + 1).
        power_kw: Average power as metered.
        energy_kwh: Increment of the meter.
        has_reading: Where the meter delivered.
        production_count: Units finished.
        mode: Index into `MODES`.
        speed_percent: Of full speed.
        moisture_percent: Of the material.
        outdoor_temp_c: At the factory.
        outdoor_humidity_percent: At the factory.
        indoor_temp_c: In the hall.
        machine_temp_c: Of the machine.
        pressure_bar: Of compressed air, at the machine.
        pressure_setpoint_bar: What it should be.
        vibration_mm_s: Of the machine.
    """

    minutes: Minutes
    power_kw: Values
    energy_kwh: Values
    has_reading: npt.NDArray[np.bool_]
    production_count: npt.NDArray[np.int64]
    mode: npt.NDArray[np.int64]
    speed_percent: Values
    moisture_percent: Values
    outdoor_temp_c: Values
    outdoor_humidity_percent: Values
    indoor_temp_c: Values
    machine_temp_c: Values
    pressure_bar: Values
    pressure_setpoint_bar: Values
    vibration_mm_s: Values


def simulate(machine: DemoMachine, first: int, end: int, faults: Sequence[Fault], seed: int) -> Simulation:
    """The machine over the minutes [first, end).

    Args:
        machine: Which one.
        first: First minute since 1970.
        end: The first minute after the last.
        faults: What goes wrong, in the order in which it came about.
        seed: Chooses weather, orders and noise.
    """
    minutes = np.arange(_beginning(first, faults), end, dtype=np.int64)
    speed, mode = _work(machine, minutes, seed)
    running = mode == 1
    outdoor_temp_c = _outdoor_temp_c(minutes, seed)
    setpoint_bar = 7.0 + 0.25 * np.round(
        noise.normal("setpoint", seed, minutes // (7 * _MINUTES_PER_DAY))
    ).clip(-2, 2)
    pressure_bar = setpoint_bar + 0.12 * noise.smooth(f"{machine.name}.bar", seed, minutes, 180)
    moisture_percent = (11 + 2.2 * noise.smooth(f"{machine.name}.wet", seed, minutes, 1080)).clip(4, 20)
    units_per_minute = machine.units_per_hour / 60 * speed
    drivers = {
        "operating_hours": running.astype(float),
        "production_count": 60 * units_per_minute,
        "pressure_bar": pressure_bar,
        "outdoor_temp_c": outdoor_temp_c,
        "material_moisture_percent": moisture_percent,
        "cooling_degrees": (outdoor_temp_c - COOLING_BASE_C).clip(0),
        "heating_degrees": (HEATING_BASE_C - outdoor_temp_c).clip(0),
    }
    expected_kw = machine.intercept_kwh + sum(
        kwh * drivers[name] for name, kwh in machine.coefficients.items()
    )
    power_kw = expected_kw + machine.noise_kwh * (
        noise.normal(f"{machine.name}.hour", seed, minutes // 60)
        + 0.7 * noise.normal(f"{machine.name}.minute", seed, minutes)
    )
    power_kw = power_kw.clip(0.05, None)
    usual_kw = _usual_kw(machine)
    load = (expected_kw / machine.rated_power_kw).clip(0, 1.2)
    machine_temp_c = (
        24 + 0.25 * outdoor_temp_c + 38 * load + 0.8 * noise.smooth(f"{machine.name}.temp", seed, minutes, 45)
    )
    for fault in faults:
        fault.change_power(power_kw, minutes, running, usual_kw)
        fault.change_environment(pressure_bar, machine_temp_c, minutes)
    metered_kw, energy_kwh, has_reading = _metered(power_kw, minutes, faults)
    wanted = minutes >= first
    return Simulation(
        minutes[wanted],
        metered_kw[wanted],
        energy_kwh[wanted],
        has_reading[wanted],
        _whole_units(machine, units_per_minute, minutes, seed)[wanted],
        mode[wanted],
        100 * speed[wanted],
        moisture_percent[wanted],
        outdoor_temp_c[wanted],
        (72 - 1.6 * (outdoor_temp_c - 10) + 9 * noise.smooth("humid", seed, minutes, 600)).clip(15, 100)[
            wanted
        ],
        (21 + 0.15 * (outdoor_temp_c - 10) + 0.4 * noise.smooth("indoor", seed, minutes, 240))[wanted],
        machine_temp_c[wanted],
        pressure_bar[wanted],
        setpoint_bar[wanted],
        (1.2 + 2.4 * load + 0.15 * noise.normal(f"{machine.name}.vib", seed, minutes)).clip(0.1, None)[
            wanted
        ],
    )


def _beginning(first: int, faults: Sequence[Fault]) -> int:
    """Where to begin so that `first` comes out right, whatever stretch is asked for.

    Units are whole ones of each hour; a stuck meter repeats its first value; the first reading after an
    outage holds all that was missed.
    """
    reaching = [
        f
        for f in faults
        if f.kind in ("stuck", "outage") and _minute(f.start_at) < first <= _minute(f.end_at)
    ]
    return min([first, *(_minute(f.start_at) for f in reaching)]) // 60 * 60


def _work(machine: DemoMachine, minutes: Minutes, seed: int) -> tuple[Values, npt.NDArray[np.int64]]:
    """Speed (0 to 1) and mode: two shifts on weekdays, one on some Saturdays, breaks, orders, short stops."""
    local = minutes + _utc_offset_minutes(minutes)
    day, minute_of_day = local // _MINUTES_PER_DAY, local % _MINUTES_PER_DAY
    weekday = (day + _UNIX_THURSDAY) % 7
    end_of_work = np.where(
        weekday == 6, 14 * 60 if machine.works_saturday else 0, np.where(weekday == 0, 0, 22 * 60)
    )
    on_shift = (minute_of_day >= 6 * 60) & (minute_of_day < end_of_work)
    in_break = ((minute_of_day - 6 * 60) % 480 >= 240) & ((minute_of_day - 6 * 60) % 480 < 265)
    # An order takes some two hours; its product sets the speed. Short stops take ten minutes.
    order_speed = 0.55 + 0.45 * noise.uniform(f"{machine.name}.order", seed, local // 130)
    stopped = noise.uniform(f"{machine.name}.stop", seed, local // 10) < 0.03
    in_maintenance = (
        (weekday == 3)
        & (minute_of_day >= 6 * 60)
        & (minute_of_day < 8 * 60)
        & ((day // 7) % 4 == len(machine.name) % 4)
    )
    running = on_shift & ~in_break & ~stopped & ~in_maintenance
    mode = np.where(in_maintenance, 2, running.astype(np.int64))
    return np.where(running, order_speed, 0.0), mode


def _outdoor_temp_c(minutes: Minutes, seed: int) -> Values:
    day_of_year = minutes / _MINUTES_PER_DAY % 365.2425
    season = 10.0 - 9.5 * np.cos(2 * np.pi * (day_of_year - 20) / 365.2425)
    time_of_day = -3.8 * np.cos(2 * np.pi * (minutes - 3 * 60) / _MINUTES_PER_DAY)
    fronts = 3.4 * noise.smooth("fronts", seed, minutes, 4000) + 1.1 * noise.smooth(
        "clouds", seed, minutes, 420
    )
    return np.asarray(season + time_of_day + fronts)


def _whole_units(
    machine: DemoMachine, units_per_minute: Values, minutes: Minutes, seed: int
) -> npt.NDArray[np.int64]:
    """Units finished per minute: whole ones, whose sum over an hour is the hour's work, rounded at random."""
    by_hour = np.zeros((-(-len(minutes) // 60), 60))
    by_hour.ravel()[: len(minutes)] = units_per_minute
    begun = noise.uniform(f"{machine.name}.unit", seed, minutes[::60] // 60)
    finished = np.floor(begun[:, None] + np.cumsum(by_hour, axis=1)).astype(np.int64)
    return np.diff(finished, axis=1, prepend=0).ravel()[: len(minutes)]


def _metered(
    power_kw: Values, minutes: Minutes, faults: Sequence[Fault]
) -> tuple[Values, Values, npt.NDArray[np.bool_]]:
    """What the meter makes of the true power: power, increment, and where there is a reading at all."""
    metered_kw = np.round(power_kw, 3)
    for fault in (f for f in faults if f.kind == "stuck"):
        stuck = fault.covers(minutes)
        metered_kw[stuck] = metered_kw[stuck][:1]
    energy_kwh = np.round(metered_kw / 60, 6)
    has_reading = np.ones(len(minutes), dtype=bool)
    for fault in (f for f in faults if f.kind in ("gap", "outage")):
        missed = np.flatnonzero(fault.covers(minutes))
        has_reading[missed] = False
        if fault.kind == "outage" and missed.size and missed[-1] + 1 < len(minutes):
            energy_kwh[missed[-1] + 1] += energy_kwh[missed].sum()
    return metered_kw, energy_kwh, has_reading


def _usual_kw(machine: DemoMachine) -> float:
    """The load while running at usual speed in usual weather, which faults' sizes are shares of."""
    usual = {
        "operating_hours": 1.0,
        "production_count": 0.78 * machine.units_per_hour,
        "pressure_bar": 7.0,
        "outdoor_temp_c": 10.0,
        "material_moisture_percent": 11.0,
        "cooling_degrees": 2.0,
        "heating_degrees": 5.0,
    }
    return machine.intercept_kwh + sum(kwh * usual[name] for name, kwh in machine.coefficients.items())


def _utc_offset_minutes(minutes: Minutes) -> Minutes:
    """The factory's distance from UTC, looked up once per hour (it changes on the hour)."""
    zone = ZoneInfo(TIMEZONE)
    hours, position = np.unique(minutes // 60, return_inverse=True)
    offsets = [
        zone.utcoffset(datetime.fromtimestamp(hour * 3600, UTC).astimezone(zone)) for hour in hours.tolist()
    ]
    return np.array([int(offset.total_seconds()) // 60 for offset in offsets if offset is not None])[position]


def _minute(at: datetime) -> int:
    return int(at.timestamp() // 60)
