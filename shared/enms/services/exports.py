"""A model's coefficients and residuals as CSV (RFC 4180), for spreadsheets and an auditor's own tools."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from enms.artifacts import ModelStore
from enms.database.connection import Database
from enms.science.baseline.fit import CONFIDENCE
from enms.science.diagnostics.distributions import t_quantile, two_sided_p
from enms.services import models
from enms.services.csv_files import csv_text
from enms.services.periods import moment_text

_COEFFICIENT = (
    "name", "term", "value", "std_error", "t_value", "p_value", "low", "high", "plain_std_error",
    "plain_t_value", "plain_p_value", "vif", "standardised", "contribution_percent",
)  # fmt: skip
_RESIDUAL = ("starts_at", "local_time", "actual_kwh", "predicted_kwh", "residual_kwh")


def coefficients_of(database: Database, store: ModelStore, baseline_id: UUID) -> str:
    """A model's coefficients as CSV.

    Raises:
        ConflictError: The model was made by another program, which keeps no document.
        DamagedArtifactError: The document's bytes are not those that were written.
        NotFoundError: There is no such model, or the bucket has it no more.
    """
    return coefficients_csv(models.document(store, models.row_of(database, baseline_id)))


def residuals_of(database: Database, store: ModelStore, baseline_id: UUID) -> str:
    """A model's residuals as CSV.

    Raises:
        ConflictError: The model was made by another program, which keeps no document.
        DamagedArtifactError: The document's bytes are not those that were written.
        NotFoundError: There is no such model, or the bucket has it no more.
    """
    return residuals_csv(models.document(store, models.row_of(database, baseline_id)))


def coefficients_csv(content: Mapping[str, Any]) -> str:
    """One row for each coefficient, the intercept first.

    Args:
        content: The model's document.
    """
    rows = ([each.get(name) for name in _COEFFICIENT] for each in with_intercept(content))
    return csv_text(_COEFFICIENT, rows)


def residuals_csv(content: Mapping[str, Any]) -> str:
    """One row for each interval of the training: instant, factory's time, actual, predicted, residual.

    Args:
        content: The model's document.
    """
    zone = ZoneInfo(content["machine"]["timezone"])
    found = content["residuals"]
    rows = (
        [
            moment_text(datetime.fromtimestamp(at, UTC)),
            _local(at, zone),
            actual,
            predicted,
            round(actual - predicted, 6),
        ]
        for at, actual, predicted in zip(
            found["starts_at"], found["actual_kwh"], found["predicted_kwh"], strict=True
        )
    )
    return csv_text(_RESIDUAL, rows)


def with_intercept(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All coefficients with their figures, the intercept first; what the document lacks of it is left out."""
    coefficients = content["coefficients"]
    value, std_error = content["intercept"], content["intercept_std_error"]
    first: dict[str, Any] = {"name": "intercept", "term": "intercept", "value": value, "std_error": std_error}
    if std_error:
        freedom = max(content["training"]["samples"] - len(coefficients) - 1, 1)
        reach = t_quantile((1 + CONFIDENCE) / 2, freedom) * std_error
        t_value = value / std_error
        first |= {
            "t_value": _rounded(t_value),
            "p_value": _rounded(float(two_sided_p(t_value, freedom))),
            "low": _rounded(value - reach),
            "high": _rounded(value + reach),
        }
    return [first, *(dict(each) for each in coefficients)]


def _rounded(value: float) -> float:
    """At the document's twelve digits."""
    return float(f"{value:.12g}")


def _local(seconds: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(seconds, zone).isoformat()
