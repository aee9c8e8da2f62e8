"""Detections whose findings a test tells, in hours from a Monday 00:00 in Berlin."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from enms.database import drivers
from enms.database.connection import Database
from enms.science.anomalies.findings import Episode
from enms.services import anomaly_store
from enms.services.anomaly_store import Detection, FoundEpisode, Kept

MONDAY = datetime(2026, 3, 1, 23, tzinfo=UTC)
STRONGEST = "power_kw"


def at(hours: float) -> datetime:
    """An instant, in hours from the Monday."""
    return MONDAY + timedelta(hours=hours)


def odd(
    start: float,
    end: float,
    kind: str = "efficiency_drop",
    *,
    goes_on: bool = False,
    percent: float | None = 10.0,
    feature: str = STRONGEST,
    cost: float | None = 3.0,
    **changes: Any,
) -> FoundEpisode:
    """An episode of more power than expected, from hour to hour."""
    given = {
        "severity": "warning",
        "methods": ("baseline_deviation", "cusum"),
        "metric_name": "energy_kwh",
        "metric_value": None if percent is None else 100.0 + percent,
        "expected_value": 100.0,
        "sigma": 2.5,
        "confidence": 0.8,
        "false_alarms_per_week": 0.2,
        "deviation_kwh": 10.0,
        "contributions": (),
        "is_lasting": False,
    }
    seconds = [int(at(hours).timestamp()) for hours in (start, end)]
    episode = Episode(
        start=seconds[0], end=seconds[1], is_ongoing=goes_on, kind=kind, peak_at=seconds[0],
        **(given | changes),
    )  # fmt: skip
    share = {"feature": feature, "label": feature, "unit": "kW", "share": 1.0, "value": 1.0,
             "expected_value": float("nan"), "sigma": 2.5}  # fmt: skip
    return FoundEpisode(
        episode=episode, summary="10 % more than expected.", metric_unit="kWh", contributions=[share],
        cost=cost, currency=None if cost is None else "EUR",
    )  # fmt: skip


@dataclass(frozen=True)
class Looks:
    """Looks at a machine.

    Attributes:
        database: Where findings are kept.
        machine_id: The machine.
    """

    database: Database
    machine_id: UUID

    def find(
        self,
        *found: FoundEpisode,
        over: tuple[float, float] | None = None,
        watermark: float | None = None,
        stores: bool = True,
        energy_type: str = "electrical",
        run_id: UUID | None = None,
    ) -> Kept:
        """Has found what is told, over hours from the first to the last of it unless they are given."""
        start, end = over or _over(found)
        machine = drivers.machine_context(self.database, self.machine_id, at(start), at(end))
        detection = Detection(
            machine=machine, energy_type=energy_type, start=at(start), end=at(end), detector_id=None,
            actor="detection", run_id=run_id,
        )  # fmt: skip
        with self.database.transaction() as connection:
            if not stores:
                return anomaly_store.preview(connection, detection, found)
            until = None if watermark is None else at(watermark)
            return anomaly_store.keep(connection, detection, found, watermark=until)

    def one(self, *found: FoundEpisode, **how: Any) -> dict[str, Any]:
        """The single anomaly that is kept of it."""
        kept = self.find(*found, **how)
        assert kept.held_back == []
        (anomaly,) = kept.anomalies
        return anomaly

    def stored(self) -> list[dict[str, Any]]:
        """All rows, with the version of each that PostgreSQL keeps."""
        return self.database.rows(
            "SELECT a.*, a.xmin::text AS xmin FROM anomalies a ORDER BY detected_at, created_at"
        )

    def events(self) -> list[tuple[str, str]]:
        """What happened, and what is to be published, in order."""
        return [
            (row["what"], row["event"])
            for row in self.database.rows(
                "SELECT 'history' AS what, event, id FROM analytics.anomaly_history UNION ALL"
                " SELECT 'outbox', event, id FROM analytics.anomaly_outbox ORDER BY 1, 3"
            )
        ]


def hour_of(anomaly: dict[str, Any], name: str = "detected_at") -> float | None:
    """An instant of an anomaly, in hours from the Monday."""
    return None if anomaly[name] is None else (anomaly[name] - MONDAY) / timedelta(hours=1)


def span(anomaly: dict[str, Any]) -> tuple[float | None, float | None, float | None]:
    """From when to when it was seen, and when it was over."""
    return hour_of(anomaly), hour_of(anomaly, "last_seen_at"), hour_of(anomaly, "ended_at")


def _over(found: Sequence[FoundEpisode]) -> tuple[float, float]:
    first = min(each.episode.start for each in found)
    last = max(each.episode.end for each in found)
    monday = MONDAY.timestamp()
    return (first - monday) / 3600, (last - monday) / 3600
