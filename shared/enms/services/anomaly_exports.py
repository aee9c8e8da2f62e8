"""A page of anomalies as CSV."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from enms.services.csv_files import csv_text
from enms.services.periods import moment_text

_COLUMNS = (
    "id", "factory_name", "machine_id", "machine_name", "energy_type", "detected_at", "ended_at",
    "last_seen_at", "anomaly_type", "severity", "state", "metric_name", "metric_unit", "metric_value",
    "expected_value", "deviation_percent", "deviation_std_dev", "confidence_score", "detection_method",
    "false_alarms_per_week", "energy_kwh", "cost", "currency", "is_lasting", "summary", "acknowledged_at",
    "acknowledged_by", "resolved_at", "resolved_by", "resolution_notes",
)  # fmt: skip


def anomalies_csv(anomalies: Iterable[Mapping[str, Any]]) -> str:
    """One row for each anomaly.

    Args:
        anomalies: As the API shows them.
    """
    return csv_text(_COLUMNS, ([_cell(each[name]) for name in _COLUMNS] for each in anomalies))


def _cell(value: object) -> object:
    return moment_text(value) if isinstance(value, datetime) else value
