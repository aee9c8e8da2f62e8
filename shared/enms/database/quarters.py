"""What a machine did by quarters of an hour, or by its own coarser rhythm: the numbers of detection."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from enms.database.connection import Connection, rows
from enms.database.drivers import (
    ENERGY,
    ENVIRONMENT,
    PRODUCTION,
    AggregateReader,
    Column,
    FloatArray,
    Grid,
)
from enms.database.packed import matrix

_QUARTER_SECONDS = 900
_MOSTLY = 0.5
_POWER = (
    Column("power_kw", "power_sum_kw", "readings - refused - spread_readings"),
    Column("billing_kw", "billing_kw", combine="avg"),
    Column("min_power_kw", "min_power_kw", combine="min"),
    Column("max_power_kw", "max_power_kw", combine="max"),
    Column("refused", "refused"),
)
# Sensors whose restlessness inside an interval says something.
_RESTLESS = ("pressure_bar",)


@dataclass(frozen=True)
class Quarters:
    """Intervals of a regular grid, one element each; what isn't known of one is NaN.

    Attributes:
        step_seconds: Length of an interval.
        starts_at: When they begin, in seconds since 1970 (UTC).
        energy_kwh: Accepted energy.
        power_kw: Mean of the measured power; of a slower rhythm what its readings stand for.
        min_power_kw: Least.
        max_power_kw: Largest.
        covered_share: Share of the time that readings stand for, 0 to 1.
        spread_kwh: Of the energy: what catch-up readings spread over their gaps.
        is_flat: Where power and energy stood still at a value other than 0.
        refused: Refused readings.
        running_share: Of the readings that tell a mode, those that tell `running`.
        maintenance_share: The same for `maintenance`.
        production_count: Units.
        sensors: Means of all other variables that have a value.
        sensor_spread: Standard deviation of readings inside the interval.
    """

    step_seconds: int
    starts_at: NDArray[np.int64]
    energy_kwh: FloatArray
    power_kw: FloatArray
    min_power_kw: FloatArray
    max_power_kw: FloatArray
    covered_share: FloatArray
    spread_kwh: FloatArray
    is_flat: NDArray[np.bool_]
    refused: FloatArray
    running_share: FloatArray
    maintenance_share: FloatArray
    production_count: FloatArray
    sensors: Mapping[str, FloatArray]
    sensor_spread: Mapping[str, FloatArray]


def read_quarters(
    connection: Connection,
    machine_id: UUID,
    energy_type: str,
    start: datetime,
    end: datetime,
    step_seconds: int,
) -> Quarters:
    """Reads the intervals that lie wholly in a period, one query a table.

    Args:
        connection: The database.
        machine_id: The machine.
        energy_type: The carrier.
        start: First instant of the period.
        end: The instant after its last.
        step_seconds: Length of an interval, a multiple of 900.
    """
    # Where fact tables can't carry triggers, aggregates are kept when they are read.
    rows(connection, "SELECT analytics.catch_up(%s)", (machine_id,))
    first = -(-int(start.timestamp()) // step_seconds)
    starts_at = np.arange(first, int(end.timestamp()) // step_seconds, dtype=np.int64) * step_seconds
    seconds = np.full(len(starts_at), float(step_seconds))
    grid = Grid(starts_at, seconds, step_seconds != _QUARTER_SECONDS, _QUARTER_SECONDS)
    reader = AggregateReader(connection, machine_id, energy_type, grid)
    energy = reader.energy((*ENERGY, *_POWER))
    made, _ = reader.production(PRODUCTION, with_shift=False)
    sensors = reader.environment(ENVIRONMENT)
    for source in ("production", "environment"):
        sensors |= reader.metadata(source, None)
    running, maintenance, count = (made.pop(name) for name in ("running", "maintenance", "production_count"))
    sensors |= {name: made[name] for name in ("speed_percent", "throughput_units_per_hour")}
    covered_share = np.nan_to_num(energy["covered_seconds"]) / step_seconds
    # Of a slower rhythm; the minutes that a last reading stands for before a gap are no mean power.
    is_told = (covered_share > _MOSTLY) & (energy["billing_kw"] > 0)
    billing = np.where(is_told, energy["billing_kw"], np.nan)
    return Quarters(
        step_seconds=step_seconds,
        starts_at=starts_at,
        energy_kwh=energy["energy_kwh"],
        power_kw=np.where(np.isnan(energy["power_kw"]), billing, energy["power_kw"]),
        min_power_kw=energy["min_power_kw"],
        max_power_kw=energy["max_power_kw"],
        covered_share=covered_share,
        spread_kwh=np.nan_to_num(energy["spread_kwh"]),
        is_flat=np.nan_to_num(energy["flat"]) * _QUARTER_SECONDS >= step_seconds,
        refused=np.nan_to_num(energy["refused"]),
        running_share=running,
        maintenance_share=maintenance,
        production_count=count,
        sensors={name: values for name, values in sensors.items() if not np.isnan(values).all()},
        sensor_spread=_spreads(connection, machine_id, grid),
    )


def _spreads(connection: Connection, machine_id: UUID, grid: Grid) -> dict[str, FloatArray]:
    """Standard deviations inside each interval, which no aggregate keeps; of sensors that have any."""
    if not len(grid.starts_at):
        return {}
    step = int(grid.seconds[0])
    found: dict[str, FloatArray] = {}
    for name in _RESTLESS:
        (packed,) = rows(
            connection,
            f"""
            SELECT string_agg(float8send(place) || float8send(spread), ''::bytea) AS packed
            FROM (
                SELECT floor((date_part('epoch', time) - %(start)s) / %(step)s)::float8 AS place,
                       stddev_samp({name})::float8 AS spread
                FROM environmental_data
                WHERE machine_id = %(machine_id)s AND {name} IS NOT NULL
                  AND time >= to_timestamp(%(start)s) AND time < to_timestamp(%(end)s)
                GROUP BY 1
            ) s WHERE spread IS NOT NULL
            """,  # noqa: S608 - names of this module
            {"machine_id": machine_id, "step": step, "start": grid.start, "end": grid.end},
        )
        if packed["packed"] is not None:
            table = matrix(packed["packed"], 2)
            found[name] = np.full(len(grid.starts_at), np.nan)
            found[name][table[:, 0].astype(np.intp)] = table[:, 1]
    return found
