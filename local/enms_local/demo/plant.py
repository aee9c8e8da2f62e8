"""What the demo factory is made of, and the coefficients that its energy follows."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

FACTORY = "Demo Factory"
TIMEZONE = "Europe/Berlin"
LOCATION = "Hamburg"
FACTORY_METADATA = {"country": "DE", "carbon_region": "DE", "contract_demand_kw": 400}
DEFAULT_SEED = 20260101

COOLING_BASE_C = 18.0
HEATING_BASE_C = 15.0
_NAMESPACE = uuid.UUID("6f1a4e0e-5d0b-4a52-9d3e-0f4c6f1f2a70")
FACTORY_ID = uuid.uuid5(_NAMESPACE, FACTORY)


@dataclass(frozen=True)
class DemoMachine:
    """One machine. Its hourly energy is linear in its drivers, with noise.

    Attributes:
        name: Unique in the factory.
        type: A value of the enum `machine_type`.
        rated_power_kw: What is on its plate.
        intercept_kwh: kWh per hour with all drivers at zero.
        coefficients: kWh per hour and unit of a driver, by the driver's name.
        noise_kwh: Standard deviation of the hourly energy around the line.
        units_per_hour: Production at full speed.
        is_critical: Whether production stops with it.
        works_saturday: Whether the early shift works on Saturdays too.
    """

    name: str
    type: str
    rated_power_kw: float
    intercept_kwh: float
    coefficients: Mapping[str, float]
    noise_kwh: float
    units_per_hour: float
    is_critical: bool = False
    works_saturday: bool = field(default=False)

    @property
    def id(self) -> uuid.UUID:
        """The same on every machine that the demo is loaded on."""
        return uuid.uuid5(_NAMESPACE, f"{FACTORY}/{self.name}")


MACHINES = (
    DemoMachine(
        "Compressor-1", "compressor", 90, -14.0,
        {"operating_hours": 12.0, "production_count": 0.09, "pressure_bar": 4.2, "outdoor_temp_c": 0.12},
        1.3, 240, is_critical=True, works_saturday=True,
    ),
    DemoMachine(
        "HVAC-1", "hvac", 60, 8.0,
        {"operating_hours": 7.0, "cooling_degrees": 1.7, "heating_degrees": 1.2},
        1.0, 240, works_saturday=True,
    ),
    DemoMachine(
        "Injection-Molding-1", "injection_molding", 110, 0.5,
        {"operating_hours": 18.0, "production_count": 0.22, "material_moisture_percent": 0.9},
        1.8, 180, is_critical=True,
    ),
    DemoMachine(
        "Injection-Molding-2", "injection_molding", 85, 0.5,
        {"operating_hours": 14.0, "production_count": 0.19, "material_moisture_percent": 0.7},
        1.5, 150,
    ),
    DemoMachine(
        "Conveyor-1", "conveyor", 15, 1.2,
        {"operating_hours": 3.0, "production_count": 0.012},
        0.25, 420, works_saturday=True,
    ),
    DemoMachine(
        "Pump-1", "pump", 45, 4.0,
        {"operating_hours": 6.0, "production_count": 0.055, "outdoor_temp_c": 0.2},
        0.8, 240,
    ),
    DemoMachine(
        "Motor-1", "motor", 75, 3.0,
        {"operating_hours": 9.0, "production_count": 0.28, "material_moisture_percent": 0.35},
        1.4, 130,
    ),
    DemoMachine(
        "Boiler-1", "boiler", 50, 6.0,
        {"operating_hours": 4.0, "production_count": 0.07, "heating_degrees": 0.9},
        0.9, 210, works_saturday=True,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class DemoTariff:
    """A row of energy_tariffs; days 0 = Sunday."""

    name: str
    rate_per_kwh: float
    start_hour: int
    end_hour: int
    applicable_days: tuple[int, ...]


CURRENCY = "EUR"
DEMAND_CHARGE_PER_KW = 11.5
VALID_FROM = date(2024, 1, 1)
TARIFFS = (
    DemoTariff("day", 0.21, 6, 22, (1, 2, 3, 4, 5)),
    DemoTariff("weekend", 0.16, 6, 22, (0, 6)),
    DemoTariff("night", 0.14, 22, 6, (0, 1, 2, 3, 4, 5, 6)),
)
# kg CO2 per kWh of electricity consumed in Germany, rounded: a demo's figure, not one to report.
CARBON_FACTOR = ("DE", 0.36)
