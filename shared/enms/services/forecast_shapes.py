"""Models of forecasts as the API shows them."""

from typing import Any

from enms.database.connection import Row

type Answer = dict[str, Any]

SELECTED = "selected"
# The horizons of the API, and what is kept beside the selected model: those that people know by name.
CHOICES = {"1h": (SELECTED, "arima"), "24h": (SELECTED, "prophet"), "7d": (SELECTED, "prophet")}
# Which forecast tells a horizon's peak, and what plans stand on.
PEAK_OF = {"1h": "1h", "24h": "24h", "7d": "7d-hourly"}


def model_shown(row: Row, name: str) -> Answer:
    """A version of a machine's or factory's model.

    Args:
        row: Of `database.forecast_models`.
        name: The machine's or factory's name.
    """
    kind = "machine" if row["machine_id"] is not None else "factory"
    return {
        f"{kind}_id": row["subject_id"],
        f"{kind}_name": name,
        "id": row["id"],
        "energy_type": row["energy_type"],
        "horizon": row["horizon"],
        "version": row["version"],
        "is_active": row["is_active"],
        "chosen": row["chosen"],
        "reason": row["reason"],
        "choices": row["choices"],
        "backtest": row["backtest"],
        "regressors": row["regressors"],
        "trained_from": row["trained_from"],
        "trained_to": row["trained_to"],
        "trained_at": row["trained_at"],
        "trained_by": row["trained_by"],
    }


def left_out_shown(left_out: dict[str, str]) -> list[Answer]:
    """Regressors that aren't used, with the reason."""
    return [{"name": name, "reason": reason} for name, reason in sorted(left_out.items())]


def coverage_shown(row: Row) -> Answer:
    """How much there was to learn from."""
    return {
        "days_of_history": round(row["days_of_history"], 2),
        "share_of_readings": round(row["share_of_readings"], 4),
    }
