"""What jobs meet at a site: the load beside them, prices, the month's peak so far, and the limit's margin."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

import numpy as np

from enms.database import forecast_reads, kpis
from enms.database import load_schedules as stored
from enms.database.connection import Connection, Database, Row
from enms.errors import InvalidInputError
from enms.science.arrays import Positions, Values
from enms.science.baseline.calendar import local_time
from enms.science.load_shifting.plan import Site
from enms.services.forecast_shapes import PEAK_OF, SELECTED
from enms.services.forecast_subjects import Subject
from enms.services.schedule_prices import plan_prices
from enms.services.schedule_times import QUARTER_SECONDS, QUARTERS_OF_DAY, PlanTimes, quarter_of_day

_PROFILE = timedelta(days=28)
_HOURS_OF_WEEK = 168
_SATURDAY = 5


@dataclass(frozen=True)
class Base:
    """The load beside the jobs.

    Attributes:
        power_kw: Shape (n,).
        margin_kw: What it may turn out higher: its 90 % quantile's distance, shape (n,).
        notes: Where it comes from.
    """

    power_kw: Values
    margin_kw: Values
    notes: tuple[str, ...]


@dataclass(frozen=True)
class SiteFound:
    """A site with what an answer tells of it.

    Attributes:
        site: As the science takes it, its limit with the margin taken off.
        unmargined_limit_kw: The limit without it, shape (n,); None without a limit or margin.
        currency: Of all prices.
        so_far_kw: The month's highest quarter hour before the plan; None without readings.
        margin_kw: The margin at most; None without a limit.
        notes: For the reader.
    """

    site: Site
    unmargined_limit_kw: Values | None
    currency: str
    so_far_kw: float | None
    margin_kw: float | None
    notes: tuple[str, ...]


def site_of(database: Database, subject: Subject, times: PlanTimes, asked: Mapping[str, Any]) -> SiteFound:
    """Reads what a plan meets.

    Args:
        database: The database.
        subject: Whose load the jobs come on top of.
        times: The plan's quarter hours.
        asked: A body's fields.

    Raises:
        InvalidInputError: A figure means nothing, or the tariffs have several currencies.
    """
    _check_figures(asked, times)
    energy_type = asked.get("energy_type") or kpis.ELECTRICAL
    forecast = forecast_reads.newest(database, subject.kind, subject.id, energy_type, PEAK_OF["7d"], SELECTED)
    with database.connection() as connection:
        priced = plan_prices(connection, subject, times, energy_type)
        base = _base(connection, subject, times, asked, forecast)
    _check_export(asked, priced.prices.rate_per_kwh)
    limit, unmargined = _limits(asked, base)
    site = Site(
        prices=priced.prices,
        base_kw=base.power_kw,
        solar_kw=np.array(asked.get("solar_kw") or [0.0] * times.quarters),
        kg_per_kwh=priced.kg_per_kwh,
        carbon_price_per_kg=asked.get("carbon_price_per_kg") or 0.0,
        export_price_per_kwh=asked.get("export_price_per_kwh") or 0.0,
        demand_share=1.0 if asked.get("demand_share") is None else asked["demand_share"],
        so_far=priced.so_far,
        limit_kw=limit,
        most_at_once=asked.get("max_parallel"),
    )
    months = [each.peak_kw for each in priced.so_far.values()]
    margin_kw = None if limit is None else float(base.margin_kw.max())
    return SiteFound(site, unmargined, priced.currency, months[0] if months else None, margin_kw, base.notes)


def _base(
    connection: Connection,
    subject: Subject,
    times: PlanTimes,
    asked: Mapping[str, Any],
    row: Row | None,
) -> Base:
    nothing = np.zeros(times.quarters)
    if asked.get("base_kw") is not None:
        return Base(np.array(asked["base_kw"], dtype=np.float64), nothing, ())
    if asked.get("base_load") == "none":
        return Base(nothing, nothing, ("The jobs are looked at by themselves: no other load counts.",))
    energy_type = asked.get("energy_type") or kpis.ELECTRICAL
    power_kw, margin_kw = _of_forecast(row, times)
    if asked.get("margin") == "none":
        margin_kw = nothing
    notes = []
    covered = ~np.isnan(power_kw)
    if covered.any():
        power_kw = power_kw * _within_hours(connection, subject, times, energy_type)
        made = row["made_at"].astimezone(times.zone) if row else None
        share = "" if covered.all() else f" for {100 * covered.mean():.0f} % of the plan"
        notes.append(
            f"The load that doesn't move is the forecast of {made:%Y-%m-%d %H:%M}{share}, "
            "inside its hours as in the last four weeks."
        )
    if not covered.all():
        usual_kw = _of_week(connection, subject, times, energy_type)
        power_kw = np.where(covered, power_kw, usual_kw)
        if usual_kw.any():
            notes.append("Where no forecast reaches, that load is the same hour's mean of four weeks.")
        elif not covered.any():
            notes.append(f"{subject.name} has no readings to forecast from: the jobs are the only load.")
    return Base(power_kw, np.nan_to_num(margin_kw), tuple(notes))


def _of_forecast(row: Row | None, times: PlanTimes) -> tuple[Values, Values]:
    """Power and margin from a stored forecast, NaN where it doesn't reach, each of shape (n,)."""
    power_kw, margin_kw = (np.full(times.quarters, np.nan) for _ in range(2))
    if row is None or row["origin_at"] is None:
        return power_kw, margin_kw
    edges = np.array([at.timestamp() for at in (*row["starts_at"], row["ends_at"])])
    step = np.searchsorted(edges, times.starts_at, side="right") - 1
    inside = (step >= 0) & (step < len(edges) - 1)
    forecast_kw, upper_kw = np.array(row["power_kw"]), np.array(row["upper_80_kw"])
    power_kw[inside] = forecast_kw[step[inside]]
    margin_kw[inside] = (upper_kw - forecast_kw)[step[inside]]
    return power_kw, margin_kw


def _within_hours(connection: Connection, subject: Subject, times: PlanTimes, energy_type: str) -> Values:
    """The usual load of each quarter ÷ that of its hour, on working days and on weekends, shape (n,)."""
    end = min(times.start, datetime.now(UTC)).replace(minute=0, second=0, microsecond=0)
    loads_kw = stored.quarter_loads(connection, subject.machine_ids, energy_type, end - _PROFILE, end)
    seconds = QUARTER_SECONDS * np.arange(loads_kw.shape[1], dtype=np.int64)
    starts_at = int((end - _PROFILE).timestamp()) + seconds
    known = ~np.isnan(loads_kw).all(axis=0)
    place = _quarter_of_kind(starts_at[known], subject.timezone)
    sums = np.bincount(place, np.nansum(loads_kw[:, known], axis=0), 2 * QUARTERS_OF_DAY)
    counts = np.bincount(place, minlength=2 * QUARTERS_OF_DAY)
    usual_kw = (sums / np.maximum(counts, 1)).reshape(-1, 4)
    hourly_kw = usual_kw.mean(axis=1, keepdims=True)
    is_told = (counts.reshape(-1, 4) > 0).all(axis=1, keepdims=True) & (hourly_kw > 0)
    factors = np.divide(usual_kw, hourly_kw, out=np.ones_like(usual_kw), where=is_told)
    within: Values = factors.ravel()[_quarter_of_kind(times.starts_at, subject.timezone)]
    return within


def _quarter_of_kind(starts_at: Positions, zone: str) -> Positions:
    """The quarter of the local day, those of weekends behind those of working days, shape (n,)."""
    local = local_time(starts_at, zone)
    return quarter_of_day(starts_at, zone) + QUARTERS_OF_DAY * (local.weekdays >= _SATURDAY)


def _of_week(connection: Connection, subject: Subject, times: PlanTimes, energy_type: str) -> Values:
    """The usual load of each quarter's hour of the week, 0 where it is not known, shape (n,)."""
    end = min(times.start, datetime.now(UTC)).replace(minute=0, second=0, microsecond=0)
    cells = kpis.profile(connection, subject.id, end - _PROFILE, end, energy_type)
    by_hour = np.zeros(_HOURS_OF_WEEK)
    for cell in cells:
        # The table counts from Sunday, the calendar from Monday.
        by_hour[(cell.weekday - 1) % 7 * 24 + cell.hour] = cell.mean_power_kw
    local = local_time(times.starts_at, subject.timezone)
    usual: Values = by_hour[local.weekdays * 24 + local.hours]
    return usual


def _limits(asked: Mapping[str, Any], base: Base) -> tuple[Values | None, Values | None]:
    """The limit with the margin taken off, and without; the latter None where there is no margin."""
    limit_kw = asked.get("site_limit_kw")
    if limit_kw is None:
        return None, None
    whole = np.full(len(base.power_kw), float(limit_kw))
    return whole - base.margin_kw, whole if base.margin_kw.any() else None


def _check_export(asked: Mapping[str, Any], rate_per_kwh: Values) -> None:
    """Refuses what would make it pay to use no energy of one's own."""
    price, least = asked.get("export_price_per_kwh") or 0.0, float(rate_per_kwh.min())
    if price > least:
        raise InvalidInputError(
            f"export_price_per_kwh: {price} lies above {least:g}, the lowest price of energy in the plan.",
            parameter="export_price_per_kwh",
            given=price,
            allowed=f"at most {least:g}",
        )


def _check_figures(asked: Mapping[str, Any], times: PlanTimes) -> None:
    for name, least, most in (
        ("site_limit_kw", 0.0, 1e9),
        ("max_parallel", 1, 1e6),
        ("carbon_price_per_kg", 0.0, 1e6),
        ("export_price_per_kwh", 0.0, 1e6),
        ("demand_share", 0.0, 1.0),
    ):
        value = asked.get(name)
        if value is not None and not (isfinite(value) and least <= value <= most):
            raise InvalidInputError(
                f"{name}: {value} given; allowed: {least:g} to {most:g}.",
                parameter=name,
                given=value,
                allowed=f"{least:g} to {most:g}",
            )
    for name in ("solar_kw", "base_kw"):
        series = asked.get(name)
        if series is None:
            continue
        if len(series) != times.quarters or not all(isfinite(each) and each >= 0 for each in series):
            raise InvalidInputError(
                f"{name}: {len(series)} figures given; the plan has {times.quarters} quarter hours, and none "
                "is below 0.",
                parameter=name,
                given=len(series),
                allowed=f"{times.quarters} figures, none below 0",
            )
