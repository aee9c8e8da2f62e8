"""How good forecasts were, in figures and in words."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from enms.database import forecast_accuracy, forecast_models
from enms.database.connection import Database, Row
from enms.database.forecast_accuracy import LEAST_SHARE_OF_RATED, AccuracyQuestion
from enms.services import forecast_periods
from enms.services.anomaly_shapes import Answer
from enms.services.forecast_degradation import RECENT, Live, Promised, is_degraded, why_degraded
from enms.services.forecast_subjects import ENERGY_TYPE, Subject
from enms.services.periods import Moment

__all__ = ["RECENT", "Live", "Promised", "accuracy", "is_degraded", "why_degraded"]

SELECTED = "selected"
USUAL = timedelta(weeks=4)
_DIGITS = 4
_STEP_IN_WORDS = {"1h": "quarter hour", "24h": "hour", "7d": "day", "7d-hourly": "hour"}
_EVEN_PERCENT = 1
_UNITS = {"weeks": timedelta(weeks=1), "days": timedelta(days=1), "hours": timedelta(hours=1)}


def accuracy(
    database: Database,
    subject: Subject,
    horizon: str,
    start: Moment | None = None,
    end: Moment | None = None,
    choice: str = SELECTED,
    energy_type: str = ENERGY_TYPE,
) -> Answer:
    """How good a subject's forecasts of a period were, over all, by lead and by local week.

    Args:
        database: The database.
        subject: Whose forecasts.
        horizon: How far they look, by name.
        start: The first origin, or its day; None: four weeks before the end.
        end: The instant after the last origin, or its day; None: now.
        choice: Of which model.
        energy_type: Of which carrier.

    Raises:
        InvalidInputError: The period means nothing.
    """
    zone = ZoneInfo(subject.timezone)
    now = datetime.now(UTC)
    until = now if end is None else forecast_periods.instant(end, zone, is_end=True)
    since = until - USUAL if start is None else forecast_periods.instant(start, zone)
    question = AccuracyQuestion(
        subject_id=subject.id,
        energy_type=energy_type,
        horizon=horizon,
        choice=choice,
        start=forecast_periods.checked(since, until)[0],
        end=until,
        zone=subject.timezone,
        rated_power_kw=subject.rated_power_kw,
    )
    whole, *parts = forecast_accuracy.of_subject(database, question)
    model = forecast_models.active(database, subject.id, energy_type, [horizon]).get(horizon)
    why = _why_degraded(database, model, choice, now - RECENT)
    return {
        **subject.shown(),
        "energy_type": energy_type,
        "timezone": subject.timezone,
        "horizon": horizon,
        "choice": choice,
        "issues": whole["issues"],
        **_figures(whole),
        "by_lead": [{"lead": row["lead"], **_figures(row)} for row in parts if row["lead"] is not None],
        "by_week": [{"week": row["week"], **_figures(row)} for row in parts if row["week"] is not None],
        "in_words": in_words(whole, horizon, _naive_in_words(model), until if end is None else None, zone),
        "is_degraded": why is not None,
        "notes": _notes(whole, subject, why),
    }


def in_words(whole: Row, horizon: str, naive: str, now: datetime | None, zone: ZoneInfo) -> str:
    """The sentence that says how good forecasts were.

    Args:
        whole: The figures over all.
        horizon: How far they looked, by name.
        naive: When the load was that they are held against, such as `last week`.
        now: The end of a period that reaches to the present; None: of another period.
        zone: In whose days that is told.
    """
    if not whole["scored"]:
        return "nothing can be said yet: a forecast is held against the load once that has come"
    span = _span(whole["first_at"], whole["last_at"], now, zone)
    against = f"the same {_STEP_IN_WORDS[horizon]} {naive}"
    skill = skill_percent(whole["ratio_to_naive"])
    if skill is None:
        return f"{span}: {against} isn't known, so there is nothing to hold the forecasts against"
    if abs(skill) < _EVEN_PERCENT:
        return f"{span}: as good as {against}"
    return f"{span}: {abs(skill):.0f} % {'better' if skill > 0 else 'worse'} than {against}"


def skill_percent(ratio_to_naive: float | None) -> float | None:
    """How much smaller errors are than the naive's."""
    return None if ratio_to_naive is None else 100 * (1 - ratio_to_naive)


def _why_degraded(database: Database, model: Row | None, choice: str, since: datetime) -> str | None:
    if model is None:
        return None
    with database.connection() as connection:
        found = forecast_accuracy.of_models(connection, [model["id"]], since, choice)
    return why_degraded(Live.of(found[0]), Promised.of(model["backtest"], choice)) if found else None


def _naive_in_words(model: Row | None) -> str:
    """When the load was that the better seasonal naive of a model's backtest repeats."""
    rows = {row["name"]: row["mase"] for row in model["backtest"].get("models", ())} if model else {}
    day, week = rows.get("seasonal naive (day)"), rows.get("seasonal naive (week)")
    return "the day before" if day is not None and (week is None or day < week) else "last week"


def _span(first_at: datetime, last_at: datetime, now: datetime | None, zone: ZoneInfo) -> str:
    if now is None:
        first, last = first_at.astimezone(zone).date(), last_at.astimezone(zone).date()
        return f"{first}" if first == last else f"{first} to {last}"
    past = max(now - first_at, timedelta(hours=2))
    unit = next(each for each in _UNITS if past >= 2 * _UNITS[each])
    return f"last {past / _UNITS[unit]:.0f} {unit}"


def _figures(row: Mapping[str, Any]) -> Answer:
    skill = skill_percent(row["ratio_to_naive"])
    return {
        "scored": row["scored"],
        "mase": _rounded(row["mase"]),
        "ratio_to_naive": _rounded(row["ratio_to_naive"]),
        "skill_percent": None if skill is None else round(skill, 1),
        "mape_percent": _rounded(row["mape_percent"]),
        "bias_kw": _rounded(row["bias_kw"]),
        "coverage_80": _rounded(row["coverage_80"]),
        "coverage_95": _rounded(row["coverage_95"]),
        "moved_percent": _rounded(row["moved_percent"]),
    }


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else float(f"{figure:.{_DIGITS}g}")


def _notes(whole: Row, subject: Subject, why: str | None) -> list[str]:
    notes = []
    if not whole["issues"]:
        notes.append("No forecast was made in this period.")
    elif not whole["scored"]:
        notes.append("Forecasts were made, but of none of them the load is known yet.")
    if whole["mape_percent"] is not None and subject.rated_power_kw:
        least_kw = LEAST_SHARE_OF_RATED * subject.rated_power_kw
        notes.append(f"mape_percent is of loads above {least_kw:g} kW, a tenth of the rated power.")
    if why:
        notes.append(f"The model has become worse than its proof: {why}. It is trained again.")
    return notes
