"""Deviation from the baseline: by hour or day, in total, and where a lasting change began."""

from datetime import date

import numpy as np

from enms.artifacts import ModelStore
from enms.database.connection import Database
from enms.errors import InvalidInputError
from enms.science.baseline.calendar import date_of
from enms.science.baseline.change_points import LastingChange, cusum, daily_sums, lasting_changes
from enms.science.baseline.deviation import Total, total_of, totals_by
from enms.science.baseline.names import Interval
from enms.services.baseline_requests import Question
from enms.services.judged import Held, hold
from enms.services.models import Answer

_DECIMALS = 6
_LEAST_STD_ERROR_KWH = 1e-12
_SEVERITIES = np.array(["normal", "warning", "critical"])
# A single interval's deviation in its own standard errors.
_SEVERE_FROM = (2.0, 3.0)


def deviation(database: Database, store: ModelStore, question: Question, step: Interval | None) -> Answer:
    """What a machine used beside what its active baseline expects.

    Args:
        database: The database.
        store: Where models lie.
        question: Machine and period.
        step: What is listed; None lists what the model predicts.

    Raises:
        ConflictError: The machine has no active baseline.
        InvalidInputError: The period can't be judged, or a daily model is asked for hours.
        NotFoundError: There is no such machine.
    """
    held = hold(database, store, question)
    if step == "hour" and held.comparison.data.interval == "day":
        raise InvalidInputError(
            "interval: the active baseline predicts by day: ask for days, or train one by hour.",
            parameter="interval",
            given="hour",
            allowed="day",
        )
    require_some(held)
    by_hour = (step or held.comparison.data.interval) == "hour"
    days = by_day(held)
    return {
        **held.head(),
        **totals(total_of(held.comparison)),
        **held.unjudged(),
        "extrapolated": held.extrapolated(),
        **({"hourly_deviations": _hours(held)} if by_hour else {"daily_deviations": _days(held)}),
        "cusum": _cusum(days),
        "lasting_change": _change(days),
    }


def totals(total: Total) -> Answer:
    """A sum in the names of the API."""
    return {
        "total_actual_kwh": total.actual_kwh,
        "total_predicted_kwh": total.predicted_kwh,
        "deviation_kwh": total.deviation_kwh,
        "deviation_percent": total.deviation_percent,
        "deviation_std_error_kwh": total.error.std_error,
        "deviation_sigma": total.z,
        "deviation_severity": total.severity,
    }


def by_day(held: Held) -> dict[date, float]:
    """Deviation of each local day of the period; NaN where too little of it could be judged."""
    all_days = held.all_days
    first, count = int(all_days.min()), int(all_days.max() - all_days.min()) + 1
    whole = np.bincount(all_days - first, minlength=count).astype(np.float64)
    # The period's ends may cut a day; what is missing there is not measured either.
    values = daily_sums(held.days - first, held.comparison.deviation_kwh, whole)
    return {date_of(first + i): value for i, value in enumerate(values.tolist())}


def changes(days: dict[date, float]) -> list[tuple[date, LastingChange]]:
    """Lasting changes, with the day on which each began."""
    dates = list(days)
    found = lasting_changes(np.array(list(days.values())))
    return [(dates[change.index], change) for change in found]


def require_some(held: Held) -> None:
    """Refuses a period of which nothing can be judged.

    Raises:
        InvalidInputError: It is one.
    """
    if held.usable.any():
        return
    reasons = "; ".join(f"{each.count} × {each.text}" for each in held.refusals)
    raise InvalidInputError(
        f"None of the period's {len(held.usable)} {held.comparison.data.interval}s can be judged: {reasons}.",
        parameter="start",
        given=held.period.start.isoformat(),
        allowed="a period with readings of energy and of the baseline's drivers",
    )


def _hours(held: Held) -> list[Answer]:
    comparison = held.comparison
    sigmas = comparison.deviation_kwh / np.maximum(comparison.std_error_kwh, _LEAST_STD_ERROR_KWH)
    hours = np.datetime_as_string(held.starts_at.astype("datetime64[s]"), timezone="UTC")
    with np.errstate(divide="ignore", invalid="ignore"):
        percents = 100 * comparison.deviation_kwh / comparison.predicted_kwh
    columns = zip(
        hours.tolist(),
        *(
            np.round(values, _DECIMALS).tolist()
            for values in (
                comparison.data.energy_kwh, comparison.predicted_kwh, comparison.deviation_kwh,
                percents, sigmas,
            )
        ),
        _SEVERITIES[np.digitize(np.abs(sigmas), _SEVERE_FROM)].tolist(),
        comparison.is_beyond.tolist(),
        strict=True,
    )  # fmt: skip
    return [
        {
            "hour": hour,
            "actual_kwh": actual,
            "predicted_kwh": predicted,
            "deviation_kwh": difference,
            "deviation_percent": percent,
            "sigma": sigma,
            "severity": severity,
            "is_extrapolated": beyond,
        }
        for hour, actual, predicted, difference, percent, sigma, severity, beyond in columns
    ]


def _days(held: Held) -> list[Answer]:
    found = totals_by(held.comparison, held.days)
    return [
        {
            "day": date_of(day),
            "judged_intervals": total.intervals,
            "actual_kwh": total.actual_kwh,
            "predicted_kwh": total.predicted_kwh,
            "deviation_kwh": total.deviation_kwh,
            "deviation_percent": total.deviation_percent,
            "sigma": total.z,
            "severity": total.severity,
        }
        for day, total in found.items()
    ]


def _cusum(days: dict[date, float]) -> list[Answer]:
    sums = cusum(np.array(list(days.values()))).tolist()
    return [{"day": day, "cusum_kwh": value} for day, value in zip(days, sums, strict=True)]


def _change(days: dict[date, float]) -> Answer | None:
    """The latest lasting change: the day on which the present state began."""
    found = changes(days)
    if not found:
        return None
    day, change = found[-1]
    return {
        "began_on": day,
        "size_kwh_per_day": change.size_kwh_per_day,
        "p_value": change.p_value,
    }
