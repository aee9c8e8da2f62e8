"""What a baseline expects at given values of its drivers."""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from uuid import UUID

import numpy as np

from enms.artifacts import ModelStore
from enms.database.connection import Database
from enms.database.drivers import machine_context
from enms.errors import InvalidInputError
from enms.science.baseline.calendar import categories, local_time
from enms.science.baseline.model import Baseline
from enms.science.baseline.observations import Category, Observations
from enms.science.baseline.terms import Indicators
from enms.science.baseline.uncertainty import interval_std_errors
from enms.science.diagnostics.distributions import t_quantile
from enms.services import models
from enms.services.models import Answer
from enms.services.observations import holiday_country

CONFIDENCE = 0.95
_HOUR = 3_600


def predict(
    database: Database,
    store: ModelStore,
    machine_id: UUID,
    energy_type: str,
    values: Mapping[str, str],
    at: datetime | None,
) -> Answer:
    """Expected energy of one interval, with its 95 % interval and what lies out of range.

    Args:
        database: The database.
        store: Where models lie.
        machine_id: The machine.
        energy_type: The carrier.
        values: A value for each driver of the active model, as text; calendar terms may be given by level.
        at: When: what calendar terms are taken from.

    Raises:
        ConflictError: The machine has no active baseline.
        InvalidInputError: A driver's value is missing, unknown or no number.
        NotFoundError: There is no such machine.
    """
    moment = at or datetime.now(UTC)
    machine = machine_context(database, machine_id, moment, moment)
    row, document = models.active_model(database, store, machine_id, energy_type)
    baseline = Baseline.from_document(document)
    _refuse_unknown(values, baseline)
    seconds = np.array([int(moment.timestamp())], dtype=np.int64)
    local = local_time(seconds, machine.timezone)
    data = Observations(
        baseline.interval,
        seconds // _HOUR if baseline.interval == "hour" else local.days,
        np.full(1, np.nan),
        {name: _number(name, values) for name in baseline.ranges},
        _levels(baseline, values, categories(local, holiday_country(machine), None) if at else {}),
    )
    expected = float(baseline.predict_kwh(data)[0])
    errors = baseline.errors
    freedom = max(errors.observations - errors.parameters, 1)
    reach = t_quantile((1 + CONFIDENCE) / 2, freedom) * float(
        interval_std_errors(errors, baseline.covariance, baseline.design(data))[0]
    )
    beyond = {name: float(distance[0]) for name, distance in baseline.beyond_range(data).items()}
    return {
        "machine_id": machine.id,
        "machine_name": machine.name,
        "energy_type": energy_type,
        "baseline_model_id": row["id"],
        "baseline_model_version": row["model_version"],
        "interval": baseline.interval,
        "predicted_kwh": expected,
        "low_kwh": expected - reach,
        "high_kwh": expected + reach,
        "confidence": CONFIDENCE,
        "is_extrapolated": any(beyond.values()),
        "drivers": [
            {
                "driver": name,
                "value": float(data.drivers[name][0]),
                "trained": document["ranges"][name],
                "beyond_range": beyond[name],
            }
            for name in baseline.ranges
        ],
    }


def _refuse_unknown(values: Mapping[str, str], baseline: Baseline) -> None:
    unknown = sorted(set(values) - set(baseline.needed))
    if unknown:
        raise InvalidInputError(
            f"{unknown[0]}: the baseline has no such driver; it has {', '.join(baseline.needed)}.",
            parameter=unknown[0],
            given=values[unknown[0]],
            allowed=list(baseline.needed),
        )


def _number(name: str, values: Mapping[str, str]) -> np.typing.NDArray[np.float64]:
    if name not in values:
        raise InvalidInputError(
            f"{name}: the baseline needs a value for it.", parameter=name, given=None, allowed="a number"
        )
    try:
        value = float(values[name])
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise InvalidInputError(
            f"{name}: {values[name]!r} is no number.", parameter=name, given=values[name], allowed="a number"
        )
    return np.array([value])


def _levels(
    baseline: Baseline, values: Mapping[str, str], by_calendar: Mapping[str, Category]
) -> dict[str, Category]:
    """The level of each categorical term: as given, else by the calendar."""
    found: dict[str, Category] = {}
    for term in baseline.terms:
        if not isinstance(term, Indicators):
            continue
        levels = (term.reference, *term.levels)
        given = values.get(term.category)
        if given is None and term.category in by_calendar:
            category = by_calendar[term.category]
            given = category.levels[int(category.codes[0])]
        if given not in levels:
            raise InvalidInputError(
                f"{term.category}: {'nothing' if given is None else repr(given)} was given; the baseline "
                f"knows {', '.join(levels)} (or give `at`).",
                parameter=term.category,
                given=given,
                allowed=list(levels),
            )
        found[term.category] = Category(levels, np.array([levels.index(given)], dtype=np.int64))
    return found
