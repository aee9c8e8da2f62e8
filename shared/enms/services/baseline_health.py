"""Whether baselines still describe their machines, and which of them want training anew."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np

from enms.artifacts import ModelStore
from enms.database import catalog
from enms.database.catalog import MachineFilter
from enms.database.connection import Database, Row
from enms.database.drivers import machine_context
from enms.errors import EnmsError, InvalidInputError
from enms.science.baseline.deviation import total_of
from enms.science.baseline.model import Baseline
from enms.services import models
from enms.services.judged import Held, held_against
from enms.services.models import Answer
from enms.services.periods import Period

RECENT_DAYS = 28
_OLDEST_DAYS = 400
_MOST_ERROR_RATIO = 1.5
_LEAST_OVERLAP = 0.8
_LEAST_INTERVALS = {"hour": 72, "day": 7}


def health(
    database: Database, store: ModelStore, wanted: MachineFilter, energy_type: str, limit: int, offset: int
) -> Answer:
    """A page of machines, each with the state of its active baseline."""
    total, page = catalog.machines(database, wanted, limit, offset)
    return {
        "total_count": total,
        "limit": limit,
        "offset": offset,
        "recent_days": RECENT_DAYS,
        "machines": [_of(database, store, machine, energy_type) for machine in page],
    }


def health_of(database: Database, store: ModelStore, machine_id: UUID, energy_type: str) -> Answer:
    """The state of one machine's active baseline, as a page of one.

    Raises:
        NotFoundError: There is no such machine.
    """
    now = datetime.now(UTC)
    machine = machine_context(database, machine_id, now, now)
    row = {"id": machine.id, "name": machine.name}
    return {
        "total_count": 1,
        "limit": 1,
        "offset": 0,
        "recent_days": RECENT_DAYS,
        "machines": [_of(database, store, row, energy_type)],
    }


def _of(database: Database, store: ModelStore, machine: Row, energy_type: str) -> Answer:
    head = {"machine_id": machine["id"], "machine_name": machine["name"], "energy_type": energy_type}
    row = models.active_row(database, machine["id"], energy_type)
    if row is None:
        return head | _state("no_model", ["It has no active baseline: train one."])
    try:
        held = _recent(database, store, machine["id"], row)
    except InvalidInputError as error:
        return head | _model(row) | _state("unknown", [error.message])
    except EnmsError as error:
        return head | _model(row) | _state("unreadable", [error.message])
    return head | _model(row) | _judged(held, row)


def _recent(database: Database, store: ModelStore, machine_id: UUID, row: Row) -> Held:
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    period = Period(end - timedelta(days=RECENT_DAYS), end)
    document = models.document(store, row)
    machine = machine_context(database, machine_id, period.start, period.end)
    machine = replace(machine, start=period.start, end=period.end)
    return held_against(database, machine, period, row, document, Baseline.from_document(document))


def _judged(held: Held, row: Row) -> Answer:
    comparison = held.comparison
    count = len(comparison.data)
    least = _LEAST_INTERVALS[comparison.data.interval]
    if count < least:
        what = f"{count} {comparison.data.interval}s of the last {RECENT_DAYS} days"
        return _state("unknown", [f"{what} can be judged, {least} are needed."])
    total = total_of(comparison)
    trained = held.document["out_of_time"]["rmse"]
    recent = float(np.sqrt(np.mean(comparison.deviation_kwh**2)))
    ratio = recent / trained if trained else None
    overlap = 1 - float(comparison.is_beyond.mean())
    reasons = []
    if ratio is not None and ratio > _MOST_ERROR_RATIO:
        reasons.append(
            f"Its error of late is {ratio:.2f} times that of its training; {_MOST_ERROR_RATIO:g} at most."
        )
    if total.severity == "critical":
        reasons.append(
            f"The machine uses {abs(total.deviation_percent or 0):.1f} % "
            f"{'more' if total.deviation_kwh > 0 else 'less'} than expected, {abs(total.z):.1f} σ: "
            "find out why before a new baseline makes it the usual."
        )
    if overlap < _LEAST_OVERLAP:
        reasons.append(f"Drivers lie within their trained range in {overlap:.0%} of the time only.")
    if _age_days(row) > _OLDEST_DAYS:
        reasons.append(f"It was trained {_age_days(row)} days ago; {_OLDEST_DAYS} at most.")
    return {
        **_state("retrain" if reasons else "good", reasons),
        "judged_intervals": count,
        "recent_rmse": recent,
        "trained_rmse": trained,
        "error_ratio": ratio,
        "range_overlap": overlap,
        "deviation_percent": total.deviation_percent,
        "deviation_sigma": total.z,
        "deviation_severity": total.severity,
    }


def _model(row: Row) -> Answer:
    return {
        "model_id": row["id"],
        "model_version": row["model_version"],
        "verdict": row["verdict"],
        "age_days": _age_days(row),
    }


def _age_days(row: Row) -> int:
    trained_until: datetime = row["training_end_date"]
    return (datetime.now(UTC) - trained_until).days


def _state(status: str, reasons: list[str]) -> Answer:
    return {"status": status, "retrain": status in ("retrain", "no_model"), "reasons": reasons}
