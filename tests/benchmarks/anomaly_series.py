"""Simulated minutes as the database's aggregates give them: quarters for detection, hours for baselines."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from enms.science.anomalies.series import MachineSeries
from enms.science.arrays import Flags, Positions, Values
from enms.science.baseline.calendar import local_time, utc_offsets
from enms.science.baseline.drivers import OPERATING_HOURS, OUTDOOR_TEMPERATURE
from enms.science.baseline.observations import Observations
from enms.science.baseline.refusals import Quality
from enms_local.demo.faults import Fault
from enms_local.demo.model import ENVIRONMENT_EVERY_MINUTES, Simulation
from enms_local.demo.plant import TIMEZONE, DemoMachine

QUARTER_SECONDS = 900
HOUR_SECONDS = 3600
_DAY_SECONDS = 86_400
# A reading stands for the time to the next one, three intervals at most.
_LONGEST_MINUTES = 3
_LEAST_FOR_FLAT = 4
_RUNNING, _MAINTENANCE = 1, 2


@dataclass(frozen=True)
class _Readings:
    """What the meter delivered, minute by minute.

    Attributes:
        is_measured: Where there is a reading that is no catch-up.
        energy_kwh: Of each reading that is measured; NaN elsewhere.
        power_kw: The same of power.
        is_covered: Minutes that readings stand for.
        spread_kwh: Energy of catch-up readings, spread over their gaps.
    """

    is_measured: Flags
    energy_kwh: Values
    power_kw: Values
    is_covered: Flags
    spread_kwh: Values


@dataclass(frozen=True)
class _Energy:
    """Energy by interval, as `analytics.energy_15min` and `energy_1hour` have it."""

    energy_kwh: Values
    spread_kwh: Values
    power_kw: Values
    min_power_kw: Values
    max_power_kw: Values
    covered_share: Values
    is_flat: Flags

    @property
    def spread_share(self) -> Values:
        """Of the energy."""
        share = np.zeros(len(self.energy_kwh))
        np.divide(self.spread_kwh, self.energy_kwh, out=share, where=self.energy_kwh > 0)
        return share


class Aggregates:
    """A machine's simulated minutes by quarters and hours; they begin and end on full hours.

    Args:
        machine: Whose they are.
        run: The minutes.
        faults: Those that they were simulated with.
    """

    def __init__(self, machine: DemoMachine, run: Simulation, faults: list[Fault]) -> None:
        self._machine = machine
        self._run = run
        self._readings = _read(run, faults)

    def quarters(self) -> MachineSeries:
        """As detection reads them."""
        run, minutes = self._run, QUARTER_SECONDS // 60
        starts_at = run.minutes[::minutes] * 60
        energy = self._energy(minutes)
        sensors, spread = self._sensors(minutes)
        local = local_time(starts_at, TIMEZONE)
        clock = (starts_at + utc_offsets(starts_at, TIMEZONE)) % _DAY_SECONDS
        return MachineSeries(
            step_seconds=QUARTER_SECONDS,
            starts_at=starts_at,
            minute_of_day=clock // 60,
            weekday=local.weekdays,
            energy_kwh=energy.energy_kwh,
            power_kw=energy.power_kw,
            min_power_kw=energy.min_power_kw,
            max_power_kw=energy.max_power_kw,
            covered_share=energy.covered_share,
            spread_share=energy.spread_share,
            is_flat=energy.is_flat,
            refused=np.zeros(len(starts_at)),
            rated_power_kw=self._machine.rated_power_kw,
            running_share=self._share_of_mode(_RUNNING, minutes),
            maintenance_share=self._share_of_mode(_MAINTENANCE, minutes),
            production_count=_by(run.production_count, minutes).sum(axis=1).astype(float),
            sensors=sensors,
            sensor_spread=spread,
        )

    def hours(self) -> tuple[Observations, Quality]:
        """As baselines are made of them."""
        minutes = HOUR_SECONDS // 60
        energy = self._energy(minutes)
        sensors, _ = self._sensors(minutes)
        drivers = {
            OPERATING_HOURS: self._share_of_mode(_RUNNING, minutes),
            "production_count": _by(self._run.production_count, minutes).sum(axis=1).astype(float),
            OUTDOOR_TEMPERATURE: sensors[OUTDOOR_TEMPERATURE],
            "pressure_bar": sensors["pressure_bar"],
            "material_moisture_percent": sensors["material_moisture_percent"],
        }
        quality = Quality(
            covered_share=energy.covered_share,
            spread_share=energy.spread_share,
            flat_share=energy.is_flat.astype(float),
            maintenance_share=self._share_of_mode(_MAINTENANCE, minutes),
            rated_power_kw=self._machine.rated_power_kw,
            hours=np.ones(len(energy.energy_kwh)),
        )
        positions = self._run.minutes[::minutes] // minutes
        return Observations("hour", positions, energy.energy_kwh, drivers), quality

    def _energy(self, minutes: int) -> _Energy:
        read = self._readings
        measured = _by(read.is_measured, minutes).sum(axis=1)
        spread_kwh = _by(read.spread_kwh, minutes).sum(axis=1)
        measured_kwh = np.nansum(_by(read.energy_kwh, minutes), axis=1)
        is_known = (measured > 0) | (spread_kwh > 0)
        least, largest = (_extreme(each, read.power_kw, minutes) for each in (np.fmin, np.fmax))
        least_kwh, largest_kwh = (_extreme(each, read.energy_kwh, minutes) for each in (np.fmin, np.fmax))
        power_sum_kw = np.nansum(_by(read.power_kw, minutes), axis=1)
        stands_still = (least == largest) & (least != 0) & (least_kwh == largest_kwh)
        return _Energy(
            energy_kwh=np.where(is_known, measured_kwh + spread_kwh, np.nan),
            spread_kwh=spread_kwh,
            power_kw=np.where(measured > 0, power_sum_kw / np.maximum(measured, 1), np.nan),
            min_power_kw=least,
            max_power_kw=largest,
            covered_share=_by(read.is_covered, minutes).mean(axis=1),
            is_flat=(measured >= _LEAST_FOR_FLAT) & stands_still,
        )

    def _share_of_mode(self, mode: int, minutes: int) -> Values:
        share: Values = _by(self._run.mode == mode, minutes).mean(axis=1)
        return share

    def _sensors(self, minutes: int) -> tuple[dict[str, Values], dict[str, Values]]:
        """Mean of every variable, and the standard deviation of the pressure's readings."""
        run = self._run
        every_minute = {
            "speed_percent": run.speed_percent,
            "throughput_units_per_hour": run.speed_percent / 100 * self._machine.units_per_hour,
            "material_moisture_percent": run.moisture_percent,
        }
        sensed = {
            "outdoor_temp_c": (run.outdoor_temp_c, 2),
            "indoor_temp_c": (run.indoor_temp_c, 2),
            "machine_temp_c": (run.machine_temp_c, 2),
            "outdoor_humidity_percent": (run.outdoor_humidity_percent, 2),
            "pressure_bar": (run.pressure_bar, 3),
            "pressure_setpoint_bar": (run.pressure_setpoint_bar, 3),
            "vibration_mm_s": (run.vibration_mm_s, 3),
        }
        rows = minutes // ENVIRONMENT_EVERY_MINUTES
        is_sensed = run.minutes % ENVIRONMENT_EVERY_MINUTES == 0
        read = {
            name: _by(np.round(values[is_sensed], decimals), rows)
            for name, (values, decimals) in sensed.items()
        }
        means = {
            name: _by(np.round(values, 2), minutes).mean(axis=1) for name, values in every_minute.items()
        }
        means |= {name: values.mean(axis=1) for name, values in read.items()}
        return means, {"pressure_bar": read["pressure_bar"].std(axis=1, ddof=1)}


def _read(run: Simulation, faults: list[Fault]) -> _Readings:
    is_measured = run.has_reading.copy()
    spread_kwh = np.zeros(len(run.minutes))
    for fault in faults:
        missed = np.flatnonzero(fault.covers(run.minutes))
        if fault.kind != "outage" or not len(missed) or missed[-1] + 1 >= len(run.minutes):
            continue
        catch_up = int(missed[-1]) + 1
        is_measured[catch_up] = False
        # Evenly over the gap and the minute of the reading that ends it.
        gap = slice(int(missed[0]), catch_up + 1)
        spread_kwh[gap] = run.energy_kwh[catch_up] / (len(missed) + 1)
    is_covered = run.has_reading.copy()
    for minutes in range(1, _LONGEST_MINUTES):
        is_covered[minutes:] |= run.has_reading[:-minutes]
    return _Readings(
        is_measured,
        np.where(is_measured, run.energy_kwh, np.nan),
        np.where(is_measured, run.power_kw, np.nan),
        is_covered,
        spread_kwh,
    )


def _by(values: np.ndarray, minutes: int) -> np.ndarray:
    return values.reshape(-1, minutes)


def _extreme(of: Callable[..., Values], values: Values, minutes: int) -> Values:
    """The least or largest value that is known."""
    extreme: Values = of.reduce(_by(values, minutes), axis=1)  # type: ignore[attr-defined]
    return extreme


def quarters_between(series: MachineSeries, start: int, end: int) -> MachineSeries:
    """The intervals that lie inside [start, end), epoch seconds."""
    first, last = np.searchsorted(series.starts_at, [start, end])
    return series.take(slice(int(first), int(last)))


def starts_between(starts_at: Positions, start: int, end: int) -> slice:
    """Rows that begin inside [start, end), epoch seconds."""
    first, last = np.searchsorted(starts_at, [start, end])
    return slice(int(first), int(last))
