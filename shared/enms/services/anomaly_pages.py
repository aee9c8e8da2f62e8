"""One anomaly in full: with the series around it, what was expected, and its history."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from enms.artifacts import DamagedArtifactError, ModelStore
from enms.database import detectors
from enms.database.connection import Database, Row
from enms.database.drivers import MachineContext, machine_context
from enms.observability import logger
from enms.science.anomalies.band import Band, band
from enms.science.anomalies.detector import Detector
from enms.services import anomaly_lists
from enms.services.anomaly_series import (
    baseline_in_use,
    closed_end,
    deviations_of,
    history_start,
    over,
    read_series,
)
from enms.services.anomaly_words import unit_of
from enms.services.detectors import loaded
from enms.services.models import Answer

_LEAST_AROUND, _MOST_AROUND = timedelta(hours=12), timedelta(days=3)
# Of a long episode its last part is charted.
_LONGEST_SHOWN = timedelta(days=21)
_DECIMALS = 6


def page(database: Database, store: ModelStore, anomaly_id: UUID) -> Answer:
    """An anomaly with its history and chart; the chart is None where no detector of ours found it.

    Raises:
        NotFoundError: There is no such anomaly.
    """
    row = anomaly_lists.row_of(database, anomaly_id)
    return anomaly_lists.in_full(database, row) | {"series": _series(database, store, row)}


def _series(database: Database, store: ModelStore, row: Row) -> Answer | None:
    detector = _detector(database, store, row)
    if detector is None or row["metric_name"] is None:
        return None
    machine = _around(database, row)
    wide = over(machine, history_start(machine.start, detector.lookback_seconds), machine.end)
    with database.connection() as connection:
        series = read_series(connection, wide, row["energy_type"])
    baseline = baseline_in_use(database, store, machine, row["energy_type"])
    deviations = deviations_of(database, wide, baseline)
    chart = band(detector, series, deviations, row["metric_name"]) or band(detector, series, None, "power_kw")
    metric = row["metric_name"] if row["metric_name"] != "energy_kwh" or deviations else "power_kw"
    return None if chart is None else _charted(chart, metric, int(machine.start.timestamp()))


def _detector(database: Database, store: ModelStore, row: Row) -> Detector | None:
    """The detector that found it; failing that, the one in use; None where no detector of ours found it."""
    if row["detector_id"] is None:
        return None
    found = detectors.get(database, row["detector_id"])
    in_use = detectors.active(database, row["machine_id"], row["energy_type"])
    for each in (found, in_use):
        if each is not None:
            try:
                return loaded(store, each)
            except DamagedArtifactError:
                logger.exception("detector can't be read", extra={"anomaly_id": str(row["id"])})
    return None


def _around(database: Database, row: Row) -> MachineContext:
    """The machine over the episode and some hours before and after it."""
    end = row["ended_at"] or row["last_seen_at"]
    around = min(max(end - row["detected_at"], _LEAST_AROUND), _MOST_AROUND)
    start = max(row["detected_at"] - around, end - _LONGEST_SHOWN)
    machine = machine_context(database, row["machine_id"], start, end + around)
    closed = closed_end(machine, machine.end, datetime.now(UTC))
    return over(machine, start.replace(minute=0, second=0, microsecond=0), closed)


def _charted(chart: Band, metric_name: str, first: int) -> Answer:
    rows = chart.starts_at >= first
    columns: dict[str, Any] = {
        name: None if values is None else _numbers(values[rows])
        for name, values in (
            ("values", chart.values),
            ("expected", chart.expected),
            ("low", chart.low),
            ("high", chart.high),
        )
    }
    starts_at = np.datetime_as_string(chart.starts_at[rows].astype("datetime64[s]"), timezone="UTC")
    return {
        "metric_name": metric_name,
        "unit": unit_of(metric_name),
        "interval_seconds": chart.interval_seconds,
        "starts_at": starts_at.tolist(),
        **columns,
    }


def _numbers(values: np.ndarray) -> list[float | None]:
    rounded = np.round(values, _DECIMALS)
    return [None if value != value else value for value in rounded.tolist()]
