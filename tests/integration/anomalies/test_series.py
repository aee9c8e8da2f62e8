"""What detection reads of a machine: its quarters, on the factory's clock, with all that was reported."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from integration.baselines.works import MACHINE, Works

from enms.database.connection import Database
from enms.database.drivers import machine_context
from enms.science.anomalies.series import MachineSeries
from enms.services.anomaly_series import closed_end, read_series, step_of

# In the night in which clocks go forward, at 01:00 UTC.
START = datetime(2026, 3, 29, tzinfo=UTC)
MINUTE, QUARTER = timedelta(minutes=1), timedelta(minutes=15)


def read(database: Database, quarters: int, step_seconds: int = 60) -> MachineSeries:
    """The press's series from START on, as of a machine that reports each so many seconds."""
    end = START + quarters * QUARTER
    machine = replace(machine_context(database, MACHINE, START, end), data_interval_seconds=step_seconds)
    with database.connection() as connection:
        return read_series(connection, machine, "electrical")


def test_power_energy_and_clock(database: Database, works: Works) -> None:
    works.draw(START, [10 + n % 2 + 10 * (n // 15) for n in range(90)])
    series = read(database, 6)
    assert (len(series), series.step_seconds, series.rated_power_kw) == (6, 900, 60)
    assert series.starts_at.tolist() == [int((START + n * QUARTER).timestamp()) for n in range(6)]
    # One, half past one … and after a quarter to two it is three.
    assert series.minute_of_day.tolist() == [60, 75, 90, 105, 180, 195]
    assert set(series.weekday.tolist()) == {6}
    assert series.power_kw[:2] == pytest.approx([10 + 7 / 15, 20 + 8 / 15])
    assert (series.min_power_kw[0], series.max_power_kw[0]) == (10, 11)
    assert series.energy_kwh == pytest.approx(series.power_kw / 4, abs=1e-4)
    assert series.covered_share == pytest.approx(np.ones(6))
    assert not series.is_flat.any()
    assert not series.refused.any()
    assert not series.spread_share.any()
    assert np.isnan(series.running_share).all()
    assert (series.sensors, series.sensor_spread) == ({}, {})


def test_what_isn_t_known_is_no_number(database: Database, works: Works) -> None:
    works.draw(START, [10 + n % 2 for n in range(30)])
    works.draw(START + 4 * QUARTER, [10 + n % 2 for n in range(15)])
    series = read(database, 6)
    known = [True, True, False, False, True, False]
    assert np.isfinite(series.power_kw).tolist() == known
    assert np.isfinite(series.energy_kwh).tolist() == known
    assert (series.covered_share > 0.5).tolist() == known


def test_a_meter_that_stands_still_and_refused_readings(database: Database, works: Works) -> None:
    works.draw(START, [*(10 + n % 2 for n in range(15)), *(12 for _ in range(15))])
    works.rows("UPDATE energy_readings SET energy_kwh = -1 WHERE time = %s", (START + 3 * MINUTE,))
    series = read(database, 2)
    assert series.is_flat.tolist() == [False, True]
    assert series.refused.tolist() == [1, 0]


def test_modes_counts_and_sensors_of_any_name(database: Database, works: Works) -> None:
    works.draw(START, [10 + n % 2 for n in range(30)])
    works.add(
        "production",
        [
            {
                "time": START + n * MINUTE,
                "production_count": 2,
                "operating_mode": "running" if n < 12 else "maintenance" if n < 15 else "idle",
                "metadata": {"mould_temp_c": 50 + n // 15},
            }
            for n in range(30)
        ],
    )
    works.add(
        "environment",
        [
            {
                "time": START + n * MINUTE,
                "pressure_bar": 7 + 0.5 * (-1) ** n * (n >= 15),
                "pressure_setpoint_bar": 7,
                "machine_temp_c": 60,
                "metadata": {"oil_bar": 3.5},
            }
            for n in range(30)
        ],
    )
    series = read(database, 2)
    assert series.running_share == pytest.approx([0.8, 0])
    assert series.maintenance_share == pytest.approx([0.2, 0])
    assert series.production_count.tolist() == [30, 30]
    assert set(series.sensors) == {
        "pressure_bar", "pressure_setpoint_bar", "machine_temp_c", "production.mould_temp_c",
        "environment.oil_bar",
    }  # fmt: skip
    assert series.sensors["production.mould_temp_c"].tolist() == [50, 51]
    assert series.sensors["environment.oil_bar"].tolist() == [3.5, 3.5]
    assert series.sensor_spread["pressure_bar"] == pytest.approx([0, 0.5164], abs=1e-4)


@pytest.mark.parametrize(
    ("interval", "step"), [(10, 900), (900, 900), (901, 1800), (3600, 3600), (7200, 3600)]
)
def test_a_slow_machine_is_read_by_its_own_rhythm(database: Database, interval: int, step: int) -> None:
    machine = replace(machine_context(database, MACHINE, START, START), data_interval_seconds=interval)
    assert step_of(machine) == step
    at = START + timedelta(minutes=107)
    assert closed_end(machine, at, at + QUARTER).timestamp() == at.timestamp() // step * step


def test_an_hour_is_made_of_its_quarters(database: Database, works: Works) -> None:
    works.rows("UPDATE machines SET data_interval_seconds = 3600")
    works.draw(START, [30, 40], step=timedelta(hours=1))
    series = read(database, 8, 3600)
    assert (series.step_seconds, series.minute_of_day.tolist()) == (3600, [60, 180])
    assert series.power_kw == pytest.approx([30, 40])
    assert series.energy_kwh == pytest.approx([30, 40])
    assert series.covered_share == pytest.approx([1, 1])


def test_nothing_is_read_of_a_machine_without_readings(database: Database, works: Works) -> None:
    series = read(database, 4)
    assert (len(series), np.isfinite(series.power_kw).sum(), series.covered_share.sum()) == (4, 0, 0)
    assert len(read(database, 0)) == 0
