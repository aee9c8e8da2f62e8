"""Anomalies as the API shows them."""

from typing import Any, Literal

from enms.database.connection import Row

type Answer = dict[str, Any]
type State = Literal["open", "acknowledged", "resolved", "false_alarm", "expected"]

UNRESOLVED: tuple[State, ...] = ("open", "acknowledged")


def shown(row: Row) -> Answer:
    """A row of `database.anomaly_lists` as an anomaly; other programs' rows lack what only ours have."""
    # What others keep in `metadata` may be anything.
    metadata: dict[str, Any] = row["metadata"] if row["origin"] == "enms" else {}
    method = row["detection_method"]
    return {
        "id": row["id"],
        "machine_id": row["machine_id"],
        "machine_name": row["machine_name"],
        "factory_id": row["factory_id"],
        "factory_name": row["factory_name"],
        "energy_type": row["energy_type"],
        "detected_at": row["detected_at"],
        "ended_at": row["ended_at"],
        "last_seen_at": row["last_seen_at"],
        "anomaly_type": row["anomaly_type"],
        "severity": row["severity"],
        "state": row["state"],
        "is_resolved": row["state"] not in UNRESOLVED,
        "metric_name": row["metric_name"],
        "metric_unit": metadata.get("metric_unit"),
        "metric_value": row["metric_value"],
        "expected_value": row["expected_value"],
        "deviation_percent": row["deviation_percent"],
        "deviation_std_dev": row["deviation_std_dev"],
        "confidence_score": row["confidence_score"],
        "detection_method": method,
        "detection_methods": metadata.get("methods", [method] if method else []),
        "false_alarms_per_week": row["false_alarms_per_week"],
        "energy_kwh": row["energy_kwh"],
        "cost": row["cost"],
        "currency": row["currency"],
        "is_lasting": row["is_lasting"],
        "summary": metadata.get("summary"),
        "contributions": metadata.get("contributions", []),
        "acknowledged_at": row["acknowledged_at"],
        "acknowledged_by": row["acknowledged_by"],
        "resolved_at": row["resolved_at"],
        "resolved_by": row["resolved_by"],
        "resolution_notes": row["resolution_notes"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }
