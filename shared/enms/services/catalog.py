"""What there is: factories, machines, and their series."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from enms.database import catalog
from enms.database.catalog import MachineFilter
from enms.database.connection import Database
from enms.database.series import DAY_SECONDS, Metric, read_series
from enms.database.subjects import not_found
from enms.errors import InvalidInputError
from enms.services.periods import Moment, Period, in_calendar

type Answer = dict[str, Any]
type SeriesInterval = Literal["1min", "5min", "10min", "15min", "30min", "1h", "3h", "6h", "1d"]

MOST_POINTS = 2000
COLUMNS = ("time", "value", "min", "max", "readings")

_WIDTHS: Mapping[SeriesInterval, int] = {
    "1min": 60,
    "5min": 300,
    "10min": 600,
    "15min": 900,
    "30min": 1800,
    "1h": 3600,
    "3h": 10_800,
    "6h": 21_600,
    "1d": DAY_SECONDS,
}
METRICS: Mapping[str, Metric] = {
    "power_kw": Metric("energy", "power_kw", "kW"),
    "energy_kwh": Metric("energy", "energy_kwh", "kWh", "sum"),
    "production_count": Metric("production", "production_count", "units", "sum"),
    "production_count_good": Metric("production", "production_count_good", "units", "sum"),
    "production_count_bad": Metric("production", "production_count_bad", "units", "sum"),
    "throughput_units_per_hour": Metric("production", "throughput_units_per_hour", "units/h"),
    "speed_percent": Metric("production", "speed_percent", "%"),
    "downtime_seconds": Metric("production", "downtime_seconds", "s", "sum"),
    "material_moisture_percent": Metric("production", "material_moisture_percent", "%", is_metadata=True),
    "outdoor_temp_c": Metric("environment", "outdoor_temp_c", "°C"),
    "indoor_temp_c": Metric("environment", "indoor_temp_c", "°C"),
    "machine_temp_c": Metric("environment", "machine_temp_c", "°C"),
    "outdoor_humidity_percent": Metric("environment", "outdoor_humidity_percent", "%"),
    "indoor_humidity_percent": Metric("environment", "indoor_humidity_percent", "%"),
    "pressure_bar": Metric("environment", "pressure_bar", "bar"),
    "pressure_setpoint_bar": Metric("environment", "pressure_setpoint_bar", "bar"),
    "flow_rate_m3h": Metric("environment", "flow_rate_m3h", "m³/h"),
    "supply_air_temp_c": Metric("environment", "supply_air_temp_c", "°C"),
    "return_air_temp_c": Metric("environment", "return_air_temp_c", "°C"),
    "cop": Metric("environment", "cop", None),
    "vibration_mm_s": Metric("environment", "vibration_mm_s", "mm/s"),
}


@dataclass(frozen=True, slots=True)
class SeriesRequest:
    """A metric that is asked for.

    Attributes:
        machine_id: The machine.
        metric: A key of `METRICS`, or `production.<key>` or `environment.<key>` for a number in `metadata`.
        start: An instant, or a day of the factory.
        end: Likewise; a day counts wholly.
        interval: Width of a point; None takes the finest that keeps to `MOST_POINTS`.
        energy_type: The carrier, for power and energy.
    """

    machine_id: UUID
    metric: str
    start: Moment
    end: Moment
    interval: SeriesInterval | None
    energy_type: str


def factories(database: Database) -> Answer:
    """All factories."""
    found = catalog.factories(database)
    return {"total_count": len(found), "factories": found}


def machines(database: Database, wanted: MachineFilter, limit: int, offset: int) -> Answer:
    """A page of the machines that fit a filter."""
    total, page = catalog.machines(database, wanted, limit, offset)
    return {"total_count": total, "limit": limit, "offset": offset, "machines": page}


def machine(database: Database, machine_id: UUID) -> Answer:
    """A machine, and what is recorded of it.

    Raises:
        NotFoundError: There is none with this id.
    """
    found = catalog.machine(database, machine_id)
    if found is None:
        raise not_found("machine", machine_id)
    return found | {"metrics": [*METRICS, *found.pop("drivers")]}


def series(database: Database, request: SeriesRequest) -> Answer:
    """A metric over time: at most `MOST_POINTS` points, wider than asked where it takes that.

    Raises:
        InvalidInputError: The metric or the period can't be used.
        NotFoundError: There is no such machine.
    """
    metric = _metric(request.metric)
    subject, period = in_calendar(database, "machine", request.machine_id, request.start, request.end)
    width = _width(period, request.interval)
    points = read_series(
        database,
        subject.id,
        metric,
        period.start,
        period.end,
        width,
        energy_type=request.energy_type,
        zone=subject.timezone,
    )
    columns = zip(*points, strict=True) if points else ((),) * len(COLUMNS)
    return {
        "machine_id": subject.id,
        "machine_name": subject.name,
        "metric": request.metric,
        "unit": metric.unit,
        "energy_type": request.energy_type if metric.source == "energy" else None,
        "time_period": {
            "start": period.start,
            "end": period.end,
            "hours": period.hours,
            "timezone": subject.timezone,
        },
        "interval_seconds": width,
        "columns": COLUMNS,
        "data": dict(zip(COLUMNS, columns, strict=True)),
    }


def _metric(name: str) -> Metric:
    if name in METRICS:
        return METRICS[name]
    source, _, key = name.partition(".")
    if key and source == "production":
        return Metric("production", key, None, is_metadata=True)
    if key and source == "environment":
        return Metric("environment", key, None, is_metadata=True)
    allowed = [*METRICS, "production.<key in metadata>", "environment.<key in metadata>"]
    raise InvalidInputError(
        f"metric: there is no {name!r}; there are {', '.join(allowed)}.",
        parameter="metric",
        given=name,
        allowed=allowed,
    )


def _width(period: Period, interval: SeriesInterval | None) -> int:
    """The width that was asked for, or the next wider one that keeps to the most points."""
    asked = _WIDTHS[interval] if interval else 0
    # One point more than whole widths fit: the period may begin and end inside one.
    room = (period.end - period.start) / (MOST_POINTS - 1)
    fitting = (width for width in _WIDTHS.values() if width >= asked and timedelta(seconds=width) >= room)
    return next(fitting, DAY_SECONDS)
