"""The drivers that are known by name: unit, what is possible, what physics demands."""

from collections.abc import Mapping
from dataclasses import dataclass

OUTDOOR_TEMPERATURE = "outdoor_temp_c"
HEATING_DEGREES = "heating_degrees"
COOLING_DEGREES = "cooling_degrees"
OPERATING_HOURS = "operating_hours"
CALENDAR = ("weekday", "shift", "working_day")
CALENDAR_OF_MODELS = ("hour_of_week",)

_CONSEQUENCE = "It follows from the machine's energy use rather than causing it."


@dataclass(frozen=True)
class Driver:
    """What is known of a driver.

    Attributes:
        unit: Its unit.
        low: Below this a value is impossible.
        high: Above this a value is impossible.
        sign: What more of it does to energy: 1 never less, -1 never more, 0 either.
        rests: Whether it may be the same for hours by nature (a count, a set point), as no sensor is.
        not_chosen: Why automatic selection leaves it alone; None where it may take it.
    """

    unit: str | None = None
    low: float = float("-inf")
    high: float = float("inf")
    sign: int = 0
    rests: bool = False
    not_chosen: str | None = None


DRIVERS: Mapping[str, Driver] = {
    "production_count": Driver("units", rests=True, low=0, sign=1),
    OUTDOOR_TEMPERATURE: Driver("°C", low=-60, high=60),
    HEATING_DEGREES: Driver("K", rests=True, low=0, sign=1),
    COOLING_DEGREES: Driver("K", rests=True, low=0, sign=1),
    OPERATING_HOURS: Driver("h", rests=True, low=0, high=25, sign=1),
    "material_moisture_percent": Driver("%", low=0, high=100, sign=1),
    "pressure_bar": Driver("bar", low=-1, high=1000, sign=1),
    "pressure_setpoint_bar": Driver("bar", rests=True, low=-1, high=1000, sign=1),
    "flow_rate_m3h": Driver("m³/h", low=0, sign=1),
    "outdoor_humidity_percent": Driver("%", low=0, high=100),
    "indoor_temp_c": Driver("°C", low=-60, high=80),
    "indoor_humidity_percent": Driver("%", low=0, high=100),
    "supply_air_temp_c": Driver("°C", low=-60, high=200),
    "return_air_temp_c": Driver("°C", low=-60, high=200),
    "production_count_good": Driver(
        "units", rests=True, low=0, sign=1, not_chosen="production_count counts them too."
    ),
    "production_count_bad": Driver(
        "units", rests=True, low=0, not_chosen="production_count counts them too."
    ),
    "throughput_units_per_hour": Driver(
        "units/h", rests=True, low=0, sign=1, not_chosen="production_count is the same, summed."
    ),
    "speed_percent": Driver(
        "%", rests=True, low=0, sign=1, not_chosen="production_count is the same, summed."
    ),
    "downtime_seconds": Driver(
        "s", rests=True, low=0, not_chosen="operating_hours is the same, the other way round."
    ),
    "machine_temp_c": Driver("°C", low=-60, high=1500, not_chosen=_CONSEQUENCE),
    "vibration_mm_s": Driver("mm/s", low=0, not_chosen=_CONSEQUENCE),
    "cop": Driver(None, low=0, not_chosen=_CONSEQUENCE),
}
_UNKNOWN = Driver()


def driver(name: str) -> Driver:
    """What is known of a driver; nothing, for a key of somebody's metadata."""
    return DRIVERS.get(name, _UNKNOWN)
