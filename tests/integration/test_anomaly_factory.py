"""The bench's factory without a database gives what a database with the same factory gives."""

from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from benchmarks.anomaly_series import Aggregates

from enms.database.connection import rows
from enms.database.drivers import Intervals, read_intervals
from enms_local.demo.faults import Fault
from enms_local.demo.load import inject, load_once, open_database, this_minute
from enms_local.demo.model import simulate
from enms_local.demo.plant import DEFAULT_SEED, MACHINES, TIMEZONE

MACHINE = MACHINES[0]
QUARTERS = f"""
    SELECT date_part('epoch', bucket)::int8 AS starts_at, energy_kwh::float8, spread_kwh::float8,
           avg_power_kw::float8, min_power_kw::float8, max_power_kw::float8, covered_seconds::float8, is_flat
    FROM analytics.energy_15min WHERE machine_id = '{MACHINE.id}' AND bucket >= %s AND bucket < %s
    ORDER BY bucket
"""

type Read = tuple[list[Any], Intervals, Aggregates]


@pytest.fixture
def read(database_url: str) -> Read:
    """A day of a machine whose meter stood still, went silent, and caught up with what it had missed."""
    load_once(database_url, days=2)
    end_at = this_minute().replace(minute=0) - timedelta(hours=2)
    first_at = end_at - timedelta(hours=24)
    faults = [
        Fault(kind, first_at + timedelta(hours=after, minutes=7), first_at + timedelta(hours=after + 3))
        for kind, after in (("outage", 2), ("stuck", 9), ("gap", 16))
    ]
    for fault in faults:
        hours = (fault.end_at - fault.start_at) / timedelta(hours=1)
        inject(database_url, MACHINE.name, fault.kind, fault.start_at, hours)
    run = simulate(MACHINE, _minute(first_at), _minute(end_at), faults, DEFAULT_SEED)
    with closing(open_database(database_url)) as database, database.connection() as connection:
        intervals = read_intervals(
            connection, MACHINE.id, "electrical", first_at, end_at, "hour", TIMEZONE, None
        )
        quarters = rows(connection, QUARTERS, (first_at, end_at))
    return quarters, intervals, Aggregates(MACHINE, run, faults)


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // 60


def test_quarters_are_those_of_the_aggregates(read: Read) -> None:
    stored, _, aggregates = read
    series = aggregates.quarters()
    # The database has no row of a quarter of which nothing is known.
    place = np.searchsorted(series.starts_at, [row["starts_at"] for row in stored])
    known = np.zeros(len(series), dtype=bool)
    known[place] = True
    assert np.isnan(series.energy_kwh[~known]).all()
    assert (series.covered_share[~known] == 0).all()

    found = series.take(known)
    spread_kwh = np.nan_to_num(found.energy_kwh) * found.spread_share
    for name, values in (
        ("energy_kwh", np.nan_to_num(found.energy_kwh)),
        ("spread_kwh", spread_kwh),
        ("avg_power_kw", found.power_kw),
        ("min_power_kw", found.min_power_kw),
        ("max_power_kw", found.max_power_kw),
        ("covered_seconds", 900 * found.covered_share),
        ("is_flat", found.is_flat.astype(float)),
    ):
        there = np.array([np.nan if row[name] is None else float(row[name]) for row in stored])
        assert values == pytest.approx(there, abs=2e-5, nan_ok=True), name
    assert found.is_flat.any()
    assert (found.spread_share == 1).any()
    assert (~known).any()


def test_hours_are_those_that_baselines_read(read: Read) -> None:
    _, intervals, aggregates = read
    data, quality = aggregates.hours()

    assert (data.positions * 3600 == intervals.starts_at).all()
    assert data.energy_kwh == pytest.approx(intervals.energy_kwh, abs=1e-4, nan_ok=True)
    assert quality.covered_share == pytest.approx(intervals.covered_share)
    assert quality.flat_share == pytest.approx(intervals.flat_share)
    assert data.drivers["operating_hours"] == pytest.approx(intervals.running_share)
    for name, values in data.drivers.items():
        if name != "operating_hours":
            assert values == pytest.approx(intervals.drivers[name]), name


def test_sensors_are_those_that_baselines_read(read: Read) -> None:
    _, intervals, aggregates = read
    hourly = {
        name: values.reshape(-1, 4).mean(axis=1) for name, values in aggregates.quarters().sensors.items()
    }

    for name, values in hourly.items():
        assert values == pytest.approx(intervals.drivers[name], abs=0.005), name
