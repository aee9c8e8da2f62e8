"""Machines whose load is known to the last quarter hour."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from integration.baselines.works import FACTORY, MACHINE, Works

from enms.artifacts import ModelStore
from enms.database.connection import Database
from enms.science.forecasting.horizons import HORIZONS
from enms.services import forecast_training
from enms.services.forecast_subjects import Subject, find_subject
from enms.settings import TrainingSettings

SECOND = UUID("c0000000-0000-4000-8000-000000000002")
THIRD = UUID("c0000000-0000-4000-8000-000000000003")
QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)


def add_machine(
    works: Works,
    machine_id: UUID,
    name: str,
    *,
    factory_id: UUID = FACTORY,
    interval_seconds: int = 900,
    rated_power_kw: float = 100,
    zone: str = "Europe/Berlin",
) -> None:
    """A machine that reports each quarter hour, unless it is told otherwise."""
    if not works.rows("SELECT 1 FROM machines WHERE id = %s", (machine_id,)):
        works.add_machine(machine_id, name, factory_id=factory_id, zone=zone)
    works.rows(
        "UPDATE machines SET data_interval_seconds = %s, rated_power_kw = %s WHERE id = %s",
        (interval_seconds, rated_power_kw, machine_id),
    )


def draw(
    works: Works,
    start: datetime,
    end: datetime,
    power_kw: Callable[[datetime], float],
    *,
    machine_id: UUID = MACHINE,
    step: timedelta = QUARTER,
) -> None:
    """Readings of a period, `power_kw` by the beginning of each step."""
    works.draw(start, [power_kw(at) for at in steps(start, end, step)], step=step, machine_id=machine_id)


def steps(start: datetime, end: datetime, step: timedelta) -> Iterable[datetime]:
    """The beginnings of the steps of a period."""
    return (start + n * step for n in range((end - start) // step))


def utc(*parts: int) -> datetime:
    """An instant."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def weekly(at: datetime) -> float:
    """A load of working hours (UTC), 6:00 to 18:00 on weekdays, on a base of 10 kW."""
    return 50.0 if at.weekday() < 5 and 6 <= at.hour < 18 else 10.0


def this_hour() -> datetime:
    """The end of the last closed hour."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def past_days(days: int) -> tuple[datetime, datetime]:
    """So many days up to some hours from now: readings to come make tests independent of when they run."""
    end = this_hour() + 3 * HOUR
    return end - timedelta(days=days), end


@dataclass(frozen=True)
class Plant:
    """Two machines of a factory and what services take."""

    database: Database
    store: ModelStore
    works: Works
    settings: TrainingSettings = field(default_factory=lambda: TrainingSettings.model_construct())

    def machine(self, machine_id: UUID = MACHINE) -> Subject:
        return find_subject(self.database, machine_id, None)

    def factory(self) -> Subject:
        return find_subject(self.database, None, FACTORY)

    def train(self, subject: Subject, *horizons: str) -> dict[str, Any]:
        return forecast_training.train(
            self.database,
            self.store,
            self.settings,
            subject,
            [HORIZONS[name] for name in horizons],
            "electrical",
            "anna",
        )

    def rows(self, statement: str, values: Any = ()) -> list[dict[str, Any]]:
        return self.database.rows(statement, values)

    def move_back(self, by: timedelta) -> None:
        """Has all forecasts made earlier, as if time had passed since."""
        self.rows(
            """
            UPDATE analytics.forecast_issues
            SET origin_at = origin_at - %(by)s, ends_at = ends_at - %(by)s, made_at = made_at - %(by)s,
                peak_at = peak_at - %(by)s,
                starts_at = ARRAY(SELECT at - %(by)s FROM unnest(starts_at) at ORDER BY at)
            """,
            {"by": by},
        )
