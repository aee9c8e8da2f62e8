"""Savings against the baseline: energy, cost and emissions avoided, and how certain that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from enms.artifacts import ModelStore
from enms.database import adjustments
from enms.database.connection import Database, Row
from enms.database.prices import interval_rates
from enms.science.arrays import Flags, Positions, Values
from enms.science.baseline.calendar import day_of
from enms.science.baseline.deviation import Total, total_of, totals_by
from enms.science.baseline.uncertainty import ashrae_fractional_uncertainty
from enms.services import deviations
from enms.services.baseline_requests import Question
from enms.services.judged import Held, hold, instant
from enms.services.models import Answer

CONFIDENCES = (0.68, 0.80, 0.90)
# Savings that may as well be nothing at this confidence are told as not significant.
_SIGNIFICANT_AT = 0.90
_HOUR = 3_600
# A change that begins this near to one that a person has judged is the same.
_SAME_EVENT = timedelta(days=3)


@dataclass(frozen=True)
class _Adjusted:
    """What people's adjustments add to the expected energy of each judged interval, kWh."""

    kwh: Values
    applied: Sequence[Answer]


def savings(database: Database, store: ModelStore, question: Question) -> Answer:
    """What was saved against the baseline over a reporting period.

    Raises:
        ConflictError: The machine has no active baseline.
        InvalidInputError: The period can't be judged.
        NotFoundError: There is no such machine or model.
    """
    held = hold(database, store, question)
    deviations.require_some(held)
    total = total_of(held.comparison)
    with database.connection() as connection:
        judged = adjustments.overlapping(
            connection, held.machine.id, question.energy_type, held.machine.start, held.machine.end
        )
        known = adjustments.overlapping(connection, held.machine.id, question.energy_type)
        money = _money(connection, held, question.energy_type)
    adjusted = _adjusted(held, [row for row in judged if row["decision"] == "accepted"])
    avoided = held.comparison.predicted_kwh + adjusted.kwh - held.comparison.data.energy_kwh
    avoided_kwh = float(avoided.sum())
    return {
        **held.head(),
        "baseline_period": {name: held.document["training"][name] for name in ("start", "end")},
        "actual_kwh": total.actual_kwh,
        "baseline_kwh": total.predicted_kwh,
        "adjustments_kwh": float(adjusted.kwh.sum()),
        "adjusted_baseline_kwh": total.predicted_kwh + float(adjusted.kwh.sum()),
        "avoided_kwh": avoided_kwh,
        "avoided_percent": _percent(avoided_kwh, total.predicted_kwh + float(adjusted.kwh.sum())),
        **_certainty(held, total, avoided_kwh),
        **_worth(money, avoided),
        "within_range": _part(held, avoided, ~held.comparison.is_beyond),
        "extrapolated": _part(held, avoided, held.comparison.is_beyond) | held.extrapolated(),
        "months": _months(held, avoided),
        "adjustments": adjusted.applied,
        "proposed_events": _proposals(held, known),
        **held.unjudged(),
    }


def _certainty(held: Held, total: Total, avoided_kwh: float) -> Answer:
    """Half-widths of the interval around the avoided energy, ours and Guideline 14's beside it."""
    statistics = held.document["statistics"]
    by_ashrae = ashrae_fractional_uncertainty(
        cv_rmse=statistics["cv_rmse_percent"] / 100,
        observations=statistics["observations"],
        parameters=statistics["parameters"],
        lag_one_autocorrelation=statistics["lag_one_autocorrelation"],
        reporting_intervals=total.intervals,
        savings_fraction=avoided_kwh / total.predicted_kwh if total.predicted_kwh else 0.0,
        confidences=CONFIDENCES,
    )
    widths = {confidence: total.error.half_width(confidence) for confidence in CONFIDENCES}
    is_significant = abs(avoided_kwh) > widths[_SIGNIFICANT_AT]
    return {
        "uncertainty": [
            {
                "confidence": confidence,
                "half_width_kwh": width,
                "low_kwh": avoided_kwh - width,
                "high_kwh": avoided_kwh + width,
                "percent_of_savings": _percent(width, abs(avoided_kwh)),
                "ashrae_14_percent_of_savings": _finite(100 * by_ashrae[confidence]),
            }
            for confidence, width in widths.items()
        ],
        "is_significant": is_significant,
        "significance": (
            f"Shown at {_SIGNIFICANT_AT:.0%} confidence."
            if is_significant
            else f"Not significant: at {_SIGNIFICANT_AT:.0%} confidence it may as well be nothing."
        ),
    }


def _adjusted(held: Held, accepted: Sequence[Row]) -> _Adjusted:
    """Spreads each adjustment over the hours that it covers of the intervals that could be judged."""
    starts = held.starts_at.astype(np.float64)
    ends = starts + held.measured.quality.hours[held.usable] * _HOUR
    kwh = np.zeros(len(starts))
    applied = []
    for row in accepted:
        since = row["start_at"].timestamp()
        until = row["end_at"].timestamp() if row["end_at"] else np.inf
        hours = np.clip(np.minimum(ends, until) - np.maximum(starts, since), 0, None) / _HOUR
        kwh += hours * row["kwh_per_hour"]
        applied.append(
            {
                "adjustment_id": row["id"], "start": row["start_at"], "end": row["end_at"],
                "kwh_per_hour": row["kwh_per_hour"], "reason": row["reason"], "hours": float(hours.sum()),
                "kwh": float((hours * row["kwh_per_hour"]).sum()),
            }
        )  # fmt: skip
    return _Adjusted(kwh, applied)


@dataclass(frozen=True)
class _Money:
    rate_per_kwh: Values | None
    currency: str | None
    price_reason: str | None
    kg_co2_per_kwh: Values | None
    factor_reason: str | None
    has_defaults: bool


def _money(connection: Any, held: Held, energy_type: str) -> _Money:
    """Price and emission factor of each judged interval; a day's are the means of its hours."""
    starts, hours = held.starts_at, np.round(held.measured.quality.hours[held.usable]).astype(np.int64)
    owner = np.repeat(np.arange(len(starts)), hours)
    offset = np.arange(len(owner)) - np.repeat(np.cumsum(hours) - hours, hours)
    each_hour: Positions = starts[owner] + offset * _HOUR
    rates = interval_rates(connection, held.machine.factory_id, held.machine.timezone, energy_type, each_hour)

    def mean(values: Values | None) -> Values | None:
        return None if values is None else np.bincount(owner, values) / hours

    return _Money(
        mean(rates.rate_per_kwh),
        rates.currency,
        rates.price_reason,
        mean(rates.kg_co2_per_kwh),
        rates.factor_reason,
        bool(rates.has_default_rate.any() or rates.has_default_factor.any()),
    )


def _worth(money: _Money, avoided: Values) -> Answer:
    cost = None if money.rate_per_kwh is None else float(avoided @ money.rate_per_kwh)
    co2 = None if money.kg_co2_per_kwh is None else float(avoided @ money.kg_co2_per_kwh)
    return {
        "avoided_cost": cost,
        "currency": money.currency,
        "avoided_cost_reason": money.price_reason,
        "avoided_co2_kg": co2,
        "avoided_co2_reason": money.factor_reason,
        "has_default_rates": money.has_defaults,
    }


def _part(held: Held, avoided: Values, rows: Flags) -> Answer:
    """The part of the savings that lies inside, or outside, the drivers' range in training."""
    if not rows.any():
        return {"intervals": 0, "avoided_kwh": 0.0, "half_width_kwh": 0.0}
    total = total_of(held.comparison, rows)
    return {
        "intervals": total.intervals,
        "avoided_kwh": float(avoided[rows].sum()),
        "half_width_kwh": total.error.half_width(_SIGNIFICANT_AT),
    }


def _months(held: Held, avoided: Values) -> list[Answer]:
    """Each local month's EnPI: actual ÷ expected, adjustments included."""
    days = held.days.astype("datetime64[D]")
    months = days.astype("datetime64[M]").astype(np.int64)
    found = totals_by(held.comparison, months)
    sums = {month: float(avoided[months == month].sum()) for month in found}
    return [
        {
            "month": date(1970 + month // 12, month % 12 + 1, 1),
            "judged_intervals": total.intervals,
            "actual_kwh": total.actual_kwh,
            "baseline_kwh": total.actual_kwh + sums[month],
            "avoided_kwh": sums[month],
            "half_width_kwh": total.error.half_width(_SIGNIFICANT_AT),
            "enpi": total.actual_kwh / (total.actual_kwh + sums[month])
            if total.actual_kwh + sums[month] > 0
            else None,
        }
        for month, total in found.items()
    ]


def _proposals(held: Held, known: Sequence[Row]) -> list[Answer]:
    """Lasting changes that no driver explains and no person has judged yet."""
    proposed = []
    for day, change in deviations.changes(deviations.by_day(held)):
        start = _midnight(held, day)
        if any(abs(row["start_at"] - start) <= _SAME_EVENT for row in known):
            continue
        proposed.append(
            {
                "began_on": day,
                "start": start,
                "kwh_per_hour": change.size_kwh_per_day / 24,
                "size_kwh_per_day": change.size_kwh_per_day,
                "p_value": change.p_value,
                "text": f"Since {day} the machine uses {abs(change.size_kwh_per_day):.3g} kWh a day "
                f"{'more' if change.size_kwh_per_day > 0 else 'less'} than its drivers explain: accept or "
                "refuse it with POST baseline/adjustments.",
            }
        )
    return proposed


def _midnight(held: Held, day: date) -> datetime:
    """The first instant of the period on that local day."""
    return instant(int(held.measured.starts_at[held.all_days == day_of(day)][0]))


def _percent(part: float, whole: float) -> float | None:
    return 100 * part / whole if whole else None


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
