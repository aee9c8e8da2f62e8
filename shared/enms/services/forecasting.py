"""Forecasts as they are asked for: stored ones are read without numpy, older ones brought up to date."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from enms.artifacts import ModelStore
from enms.database import forecast_models as models
from enms.database import forecast_reads
from enms.database.connection import Database, Row
from enms.errors import InvalidInputError
from enms.services import forecast_current
from enms.services.forecast_current import Current, ForecastQuestion
from enms.services.forecast_origins import LONGEST_SILENCE
from enms.services.forecast_quantiles import probability_over, quantile
from enms.services.forecast_shapes import CHOICES, PEAK_OF, SELECTED, Answer, model_shown
from enms.services.forecast_subjects import ENERGY_TYPE, find_subject

__all__ = ["ForecastQuestion", "demand", "forecast_models", "peak"]

_HOUR_SECONDS = 3_600
_MOMENT = timedelta(microseconds=1)
_MOST_MODELS = 1_000


def demand(database: Database, store: ModelStore, question: ForecastQuestion) -> Answer:
    """The coming load with its bands, and its peak.

    Raises:
        InvalidInputError: The horizon has no such model, or there is no reading to forecast from.
        NotFoundError: There is no such machine or factory.
        ConflictError: The model that is asked for by name isn't kept.
    """
    _check(question)
    current = forecast_current.current(database, store, question)
    highest = current
    if question.choice == SELECTED and PEAK_OF[question.horizon] != question.horizon:
        highest = forecast_current.current(database, store, question.of(PEAK_OF[question.horizon]))
    zone = ZoneInfo(current.row["timezone"])
    return {
        **_head(question, current, zone),
        "step_minutes": current.row["step_seconds"] // 60,
        "predictions": _predictions(current.row, zone),
        "peak_demand_predicted": {
            "timestamp": highest.row["peak_at"].astimezone(zone),
            "power_kw": _kw(highest.row["peak_power_kw"]),
        },
        **forecast_current.model_in_use(current.row, question.choice),
        **_age(current, zone),
    }


def peak(database: Database, store: ModelStore, question: ForecastQuestion, limit_kw: float | None) -> Answer:
    """The highest quarter hour to come, and how likely it is to pass a limit.

    Args:
        database: The database.
        store: Where forecasters are kept.
        question: Of which subject and horizon.
        limit_kw: The limit; None: this month's peak so far.

    Raises:
        InvalidInputError: There is no reading to forecast from.
        NotFoundError: There is no such machine or factory.
    """
    _check(question)
    current = forecast_current.current(database, store, question.of(PEAK_OF[question.horizon]))
    row, zone = current.row, ZoneInfo(current.row["timezone"])
    so_far_kw, so_far_at = _peak_so_far(database, question, row, zone)
    limit = limit_kw if limit_kw is not None else so_far_kw
    quantiles_kw = row["peak_quantiles_kw"]
    source = "given" if limit_kw is not None else "peak_so_far_this_month" if limit is not None else None
    return {
        **_head(question, current, zone),
        "timestamp": row["peak_at"].astimezone(zone),
        "power_kw": _kw(row["peak_power_kw"]),
        "interval_80": [_kw(quantile(quantiles_kw, share)) for share in (0.1, 0.9)],
        "interval_95": [_kw(quantile(quantiles_kw, share)) for share in (0.025, 0.975)],
        "limit_kw": limit,
        "limit_source": source,
        "probability_over_limit": None if limit is None else round(probability_over(quantiles_kw, limit), 4),
        "peak_so_far_this_month_kw": so_far_kw,
        "peak_so_far_this_month_at": so_far_at,
        **_age(current, zone),
    }


def forecast_models(
    database: Database,
    machine_id: UUID | None = None,
    factory_id: UUID | None = None,
    *,
    energy_type: str = ENERGY_TYPE,
    horizon: str | None = None,
    history: bool = False,
) -> Answer:
    """Models of a machine or a factory, or of all: those that serve, or former versions too.

    Raises:
        InvalidInputError: Both a machine and a factory are asked for.
        NotFoundError: There is no such machine or factory.
    """
    subject_id: UUID | None = None
    if machine_id is not None or factory_id is not None:
        subject_id = find_subject(database, machine_id, factory_id).id
    wanted = [horizon] if horizon else list(PEAK_OF)
    names = list(dict.fromkeys(name for each in wanted for name in (each, PEAK_OF[each])))
    found = models.listed(database, subject_id, energy_type, names, with_former=history, limit=_MOST_MODELS)
    return {"count": len(found), "models": [model_shown(row, row["subject_name"]) for row in found]}


def _check(question: ForecastQuestion) -> None:
    allowed = CHOICES[question.horizon]
    if question.choice not in allowed:
        raise InvalidInputError(
            f"model: {question.choice} is not kept for {question.horizon}; "
            f"there are {' and '.join(allowed)}.",
            parameter="model",
            given=question.choice,
            allowed=list(allowed),
        )


def _head(question: ForecastQuestion, current: Current, zone: ZoneInfo) -> Answer:
    return {
        f"{question.kind}_id": question.subject_id,
        f"{question.kind}_name": current.row["name"],
        "energy_type": question.energy_type,
        "timezone": zone.key,
        "horizon": question.horizon,
        "forecast_generated_at": current.row["made_at"].astimezone(zone),
    }


def _age(current: Current, zone: ZoneInfo) -> Answer:
    age = datetime.now(UTC) - current.row["made_at"]
    return {
        "state": current.state,
        "age_minutes": max(round(age.total_seconds() / 60, 1), 0.0),
        "notes": current.row["notes"],
    }


def _predictions(row: Row, zone: ZoneInfo) -> list[Answer]:
    starts_at = row["starts_at"]
    # Days have 23 to 25 hours: each step ends where the next begins.
    ends_at = [*starts_at[1:], row["ends_at"]]
    return [
        {
            "timestamp": start.astimezone(zone),
            "predicted_power_kw": _kw(power_kw),
            "confidence_interval_lower": _kw(lower_95_kw),
            "confidence_interval_upper": _kw(upper_95_kw),
            "lower_80_kw": _kw(lower_80_kw),
            "upper_80_kw": _kw(upper_80_kw),
            "energy_kwh": _kw(power_kw * (end - start).total_seconds() / _HOUR_SECONDS),
        }
        for start, end, power_kw, lower_95_kw, upper_95_kw, lower_80_kw, upper_80_kw in zip(
            starts_at,
            ends_at,
            row["power_kw"],
            row["lower_95_kw"],
            row["upper_95_kw"],
            row["lower_80_kw"],
            row["upper_80_kw"],
            strict=True,
        )
    ]


def _peak_so_far(
    database: Database, question: ForecastQuestion, row: Row, zone: ZoneInfo
) -> tuple[float, datetime] | tuple[None, None]:
    """The highest billing interval of the local month; of a subject that is long silent, of its last one."""
    now = datetime.now(UTC)
    at = now if now - row["origin_at"] <= 2 * LONGEST_SILENCE else row["origin_at"]
    # Readings that end with a month are that month's.
    month = (at - _MOMENT).astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    with database.connection() as connection:
        found = forecast_reads.peak_so_far(
            connection, question.kind, question.subject_id, question.energy_type, month.astimezone(UTC), at
        )
    return (None, None) if found is None else (_kw(found[0]), found[1].astimezone(zone))


def _kw(value: float) -> float:
    """More digits than a meter has tell nothing."""
    return round(value, 3)
