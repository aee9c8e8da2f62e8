"""Two machines of the demo over weeks in which clocks change, minute by minute, and what went wrong since."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from enms.artifacts import ModelStore
from enms.database import demo as tables
from enms.database.connection import Database
from enms.services import detection, training
from enms.services.anomaly_requests import DetectionRequest
from enms.services.baseline_requests import TrainingRequest
from enms.services.periods import Moment
from enms.settings import DetectionSettings
from enms_local.demo import load, plant
from enms_local.demo.plant import DemoMachine

ZONE = ZoneInfo(plant.TIMEZONE)
COMPRESSOR, PUMP = (each for each in plant.MACHINES if each.name in ("Compressor-1", "Pump-1"))
# Local days; the last is not in it. In the compressor's weeks clocks go back, in the pump's forward.
AUTUMN = (datetime(2025, 9, 22, tzinfo=ZONE), datetime(2025, 11, 3, tzinfo=ZONE))
SPRING = (datetime(2026, 2, 16, tzinfo=ZONE), datetime(2026, 3, 30, tzinfo=ZONE))


def local(text: str) -> datetime:
    """A moment of the factory's clock as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


def fill(url: str, weeks: Sequence[tuple[DemoMachine, datetime, datetime]]) -> None:
    """Puts the factory and some machines' readings over [start, end) into a migrated database."""
    with closing(load.open_database(url)) as database, database.transaction() as connection:
        metadata = {**plant.FACTORY_METADATA, "demo_seed": plant.DEFAULT_SEED}
        tables.add_factory(
            connection, plant.FACTORY_ID, plant.FACTORY, plant.LOCATION, plant.TIMEZONE, metadata
        )
        for tariff in plant.TARIFFS:
            tables.add_tariff(connection, {
                "factory_id": plant.FACTORY_ID, "name": tariff.name, "rate_per_kwh": tariff.rate_per_kwh,
                "currency": plant.CURRENCY, "start_hour": tariff.start_hour, "end_hour": tariff.end_hour,
                "applicable_days": list(tariff.applicable_days), "valid_from": plant.VALID_FROM,
                "demand_charge_per_kw": 0,
            })  # fmt: skip
        with tables.triggers_off(connection):
            for machine, start, end in weeks:
                tables.add_machine(connection, {
                    "id": machine.id, "factory_id": plant.FACTORY_ID, "name": machine.name,
                    "type": machine.type, "rated_power_kw": machine.rated_power_kw,
                    "is_critical": machine.is_critical,
                })  # fmt: skip
                load.write(connection, start.astimezone(UTC), end.astimezone(UTC), [machine])
        for machine, *_ in weeks:
            tables.refresh_aggregates(connection, machine.id)


@dataclass
class DemoPlant:
    """That factory in a database of the test's own, with a bucket for detectors.

    Attributes:
        url: The database.
        database: The same as our functions have it.
        store: The bucket.
        settings: Of whoever looks for anomalies.
    """

    url: str
    database: Database
    store: ModelStore
    settings: DetectionSettings = field(default_factory=DetectionSettings)

    def inject(
        self, kind: str, start: str, hours: float, size: float = 0.25, machine: DemoMachine = COMPRESSOR
    ) -> None:
        """Lets a fault have happened, from a moment of the factory's clock on."""
        assert load.inject(self.url, machine.name, kind, local(start), hours, size)

    def train_baseline(
        self, start: str, end: str, drivers: tuple[str, ...] = tuple(COMPRESSOR.coefficients), **changes: Any
    ) -> Mapping[str, Any]:
        """Trains the compressor's baseline on local moments, the last not in it, and has it used."""
        request = TrainingRequest(
            COMPRESSOR.id, local(start), local(end), drivers, force=True, reason="A test.", **changes
        )
        trained = training.train(self.database, self.store, self.settings, request, "tester")
        assert trained["activated"]
        return trained

    def detect(
        self, start: str | Moment, end: str | Moment, machine: DemoMachine | UUID = COMPRESSOR, **changes: Any
    ) -> dict[str, Any]:
        """Looks at a period; texts are moments of the factory's clock."""
        first, last = (local(each) if isinstance(each, str) else each for each in (start, end))
        machine_id = machine if isinstance(machine, UUID) else machine.id
        asked = DetectionRequest(machine_id=machine_id, start=first, end=last, **changes)
        return detection.detect(self.database, self.store, self.settings, asked, "tester")

    def stored(self) -> list[dict[str, Any]]:
        """All anomalies, with the version of each row that PostgreSQL keeps."""
        return self.database.rows(
            "SELECT a.*, a.xmin::text AS xmin FROM anomalies a ORDER BY detected_at, created_at"
        )


def hours(count: float) -> timedelta:
    """So many hours."""
    return timedelta(hours=count)
