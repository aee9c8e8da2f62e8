"""A made-up machine: two shifts on weekdays, a sensor that warms with the load, and hours with a baseline."""

from dataclasses import replace

import numpy as np
from unit.science.samples import well_measured

from enms.science.anomalies.deviations import Deviations
from enms.science.anomalies.series import MachineSeries
from enms.science.arrays import Positions, Values
from enms.science.baseline.build import RefusalRules, Request, build
from enms.science.baseline.deviation import compare
from enms.science.baseline.model import Baseline
from enms.science.baseline.observations import Observations
from enms.science.baseline.verdict import Limits

START = 1_767_571_200  # Monday, 2026-01-05 00:00 UTC
STEP, HOUR, DAY = 900, 3_600, 86_400
IDLE_KW, RUNNING_KW, NOISE_KW = 4.0, 40.0, 1.0


def series(days: int, *, seed: int = 1) -> MachineSeries:
    """So many days of quarters without any fault; the clock is UTC."""
    noise = np.random.default_rng(seed)
    count = days * DAY // STEP
    starts_at = START + STEP * np.arange(count)
    minute = (starts_at // 60 % 1440).astype(np.int64)
    weekday = ((starts_at - START) // DAY % 7).astype(np.int64)
    running = ((minute >= 360) & (minute < 1320) & (weekday < 5)).astype(float)
    speed = running * np.repeat(noise.uniform(0.6, 1.0, -(-count // 8)), 8)[:count]
    power_kw = IDLE_KW + (RUNNING_KW - IDLE_KW) * speed + NOISE_KW * noise.normal(size=count)
    return MachineSeries(
        step_seconds=STEP,
        starts_at=starts_at,
        minute_of_day=minute,
        weekday=weekday,
        energy_kwh=power_kw / 4,
        power_kw=power_kw,
        min_power_kw=power_kw - 1,
        max_power_kw=power_kw + 1,
        covered_share=np.ones(count),
        spread_share=np.zeros(count),
        is_flat=np.zeros(count, dtype=bool),
        refused=np.zeros(count),
        rated_power_kw=60.0,
        running_share=running,
        maintenance_share=np.zeros(count),
        production_count=np.round(50 * speed),
        sensors={"machine_temp_c": 30 + power_kw / 2 + noise.normal(size=count)},
    )


def with_power(machine: MachineSeries, power_kw: Values) -> MachineSeries:
    """The same machine drawing another power."""
    return replace(machine, power_kw=power_kw, energy_kwh=power_kw / 4)


def rows(machine: MachineSeries, day: float, hours: float) -> slice:
    """The intervals of some hours from a day on, counted from the machine's first."""
    first = round(day * DAY / STEP)
    return slice(first, first + round(hours * HOUR / STEP))


def baseline_of(machine: MachineSeries) -> Baseline:
    """A baseline of all its hours, with hours run and units as drivers."""
    data, _ = _hours(machine)
    request = Request(tuple(data.drivers))
    return Baseline.of(build(data, well_measured(len(data)), request, Limits(), RefusalRules()))


def held(machine: MachineSeries, baseline: Baseline) -> Deviations:
    """Its hours held against a baseline."""
    data, starts_at = _hours(machine)
    known = np.isfinite(data.energy_kwh)
    return Deviations(compare(baseline, data.take(known)), starts_at[known])


def _hours(machine: MachineSeries) -> tuple[Observations, Positions]:
    count = len(machine) // 4

    def by_hour(values: Values) -> Values:
        return values[: 4 * count].reshape(count, 4).sum(axis=1)

    starts_at = machine.starts_at[: 4 * count : 4]
    drivers = {
        "operating_hours": by_hour(machine.running_share) / 4,
        "production_count": by_hour(machine.production_count),
    }
    return Observations("hour", starts_at // HOUR, by_hour(machine.energy_kwh), drivers), starts_at
