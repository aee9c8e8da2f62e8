"""What charts of a baseline are drawn of, thinned to what a chart can show."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import numpy as np

from enms.artifacts import ModelStore
from enms.database.connection import Database
from enms.science.arrays import Positions, Values
from enms.science.baseline.build import Built
from enms.science.baseline.model import Baseline
from enms.science.baseline.signature import Signature, signature
from enms.science.diagnostics.histogram import histogram
from enms.services import models
from enms.services.models import Answer

_MOST_POINTS = 500
_KWH_DECIMALS = 6
_DRIVER_DIGITS = 6


def charts_of(database: Database, store: ModelStore, baseline_id: UUID) -> Answer:
    """The charts of a version that is kept, with the one driver whose values are kept with it.

    Raises:
        ConflictError: Another program made it, which keeps no document.
        NotFoundError: There is none with this id.
    """
    row = models.row_of(database, baseline_id)
    content = models.document(store, row)
    return {"model_id": row["id"], "machine_id": row["machine_id"]} | kept_charts(content)


def kept_charts(content: Mapping[str, Any]) -> Answer:
    """The charts of a model's document; without drivers where it is of a version that kept none."""
    residuals = content["residuals"]
    kept = residuals.get("strongest_driver")
    drivers = {kept["name"]: np.array(kept["values"])} if kept else {}
    return _charts(residuals, Baseline.from_document(content), drivers)


def charts(built: Built, residuals: Mapping[str, Any]) -> Answer:
    """The charts of a baseline that was just built, with all of its numeric drivers.

    Args:
        built: The baseline.
        residuals: What its document keeps of them, by column.
    """
    drivers = {name: built.data.drivers[name] for name in built.fit.ranges}
    return _charts(residuals, Baseline.of(built), drivers)


def _charts(residuals: Mapping[str, Any], baseline: Baseline, drivers: Mapping[str, Values]) -> Answer:
    actual, predicted = np.array(residuals["actual_kwh"]), np.array(residuals["predicted_kwh"])
    mean_kwh = float(predicted.mean())
    lines = [
        signature(baseline.terms, baseline.coefficients, name, values, mean_kwh)
        for name, values in drivers.items()
    ]
    return {
        "points": _points(np.array(residuals["starts_at"]), actual, predicted, drivers),
        "signatures": [_line(each) for each in lines],
    }


def _points(
    starts_at: Positions, actual_kwh: Values, predicted_kwh: Values, drivers: Mapping[str, Values]
) -> Answer:
    """Evenly spread intervals, the first and the last among them; sum and histogram are of all intervals."""
    total = len(starts_at)
    residuals_kwh = np.round(actual_kwh - predicted_kwh, _KWH_DECIMALS)
    # Every so many would meet the same hours of each day, where that divides 24.
    shown = np.linspace(0, total - 1, min(total, _MOST_POINTS)).round().astype(np.int64)
    return {
        "total": total,
        "starts_at": starts_at[shown].tolist(),
        "actual_kwh": actual_kwh[shown].tolist(),
        "predicted_kwh": predicted_kwh[shown].tolist(),
        "cusum_kwh": _rounded(np.cumsum(residuals_kwh)[shown]),
        "drivers": {name: _significant(values[shown]) for name, values in drivers.items()},
        "histogram": _histogram(residuals_kwh),
    }


def _histogram(residuals_kwh: Values) -> Answer:
    found = histogram(residuals_kwh)
    return {"edges_kwh": _rounded(found.edges), "counts": found.counts.tolist()}


def _line(found: Signature) -> Answer:
    return {"driver": found.driver, "x": _significant(found.x), "kwh": _rounded(found.kwh)}


def _rounded(kwh: Values) -> list[float]:
    rounded: list[float] = (np.round(kwh, _KWH_DECIMALS) + 0.0).tolist()
    return rounded


def _significant(values: Values) -> list[float]:
    return [float(f"{value:.{_DRIVER_DIGITS}g}") for value in values.tolist()]
