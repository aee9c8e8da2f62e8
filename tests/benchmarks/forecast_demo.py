"""Forecasts of the demo factory's machines, and what proving all candidates costs."""

import multiprocessing
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.anomaly_factory import ENDS
from benchmarks.anomaly_faults import ZONE
from benchmarks.anomaly_series import HOUR_SECONDS, Aggregates
from benchmarks.table import Figure
from enms.science.forecasting.backtest import Rolling
from enms.science.forecasting.clock import on_local_clock
from enms.science.forecasting.horizons import NEXT_DAY
from enms.science.forecasting.metrics import mape_percent
from enms.science.forecasting.pool import candidates_of
from enms.science.forecasting.selected import SELECTED, roll_selected
from enms.science.forecasting.series import LoadSeries
from enms_local.demo.model import simulate
from enms_local.demo.plant import MACHINES, TIMEZONE, DemoMachine

# Not used while developing.
_SEED = 3_000
_DAYS, _ORIGINS = 120, 14
_PROVEN_ORIGINS = 7


def machines() -> Iterator[Figure]:
    """The next 24 hours of each machine."""
    row, told, met = "forecast-demo", [], 0
    for machine in MACHINES:
        mape, mase = _errors(machine)
        met += mape < 15 and mase < 0.8
        told.append(f"{machine.name} {mape:.1f} %, {mase:.2f}")
    yield Figure(
        row,
        f"demo factory, 24 h, {_ORIGINS} origins: MAPE over hours above a tenth of rated power, MASE",
        f"< 15 %, < 0.8 on ≥ 7 of {len(MACHINES)}",
        f"{met}: {'; '.join(told)}",
        met >= 7,
    )


def cost() -> Iterator[Figure]:
    """All candidates fitted anew at seven origins, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        seconds, megabytes = pool.apply(_prove)
    yield Figure(
        "forecast-proof",
        f"fit and backtest of all candidates, a machine, 24 h, {_PROVEN_ORIGINS} origins: time, peak memory",
        "≤ 20 s, ≤ 450 MB",
        f"{seconds:.1f} s, {megabytes:.0f} MB",
        seconds <= 20 and megabytes <= 450,
    )


def _errors(machine: DemoMachine) -> tuple[float, float]:
    """MAPE in % over hours that count, and MASE, of what would have served."""
    window = on_local_clock(_series(machine)).window
    day = NEXT_DAY.steps_per_day
    origins = [len(window) - day * back for back in range(_ORIGINS, 0, -1)]
    trials = roll_selected(window, NEXT_DAY, origins, fit_every_steps=NEXT_DAY.week).trials
    mape = mape_percent(trials.actual_kw, trials.forecast_kw[SELECTED], 0.1 * machine.rated_power_kw)
    return mape, float(np.nanmean(trials.scaled_errors(SELECTED)))


def _prove() -> tuple[float, float]:
    """Seconds, with the imports, and the most memory in MB."""
    window = on_local_clock(_series(MACHINES[0])).window
    day = NEXT_DAY.steps_per_day
    began = time.perf_counter()
    origins = [len(window) - day * back for back in range(_PROVEN_ORIGINS, 0, -1)]
    Rolling(window, NEXT_DAY).trials(candidates_of(NEXT_DAY), origins)
    seconds = time.perf_counter() - began
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return seconds, int(status["VmHWM"].split()[0]) / 1024


def _series(machine: DemoMachine) -> LoadSeries:
    """A machine's hours, sound but for what plants always have: breaks, stops, gaps of the meter."""
    end = ENDS[_SEED % len(ENDS)]
    first, last = (
        int(datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp()) // 60
        for day in (end - timedelta(days=_DAYS), end)
    )
    observations, _ = Aggregates(machine, simulate(machine, first, last, [], _SEED), []).hours()
    starts_at = observations.positions * HOUR_SECONDS
    return LoadSeries(
        step_seconds=HOUR_SECONDS,
        starts_at=starts_at,
        future_starts_at=starts_at[-1:] + HOUR_SECONDS,
        power_kw=observations.energy_kwh,
        is_flagged=np.zeros(len(starts_at), dtype=np.bool_),
        zone=TIMEZONE,
        country="DE",
        rated_power_kw=machine.rated_power_kw,
    )
