"""Key figures of a machine or a factory over a period, in the names that callers of the API know."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from enms.database import kpis
from enms.database.connection import Connection, Database
from enms.database.subjects import Subject, SubjectKind, not_found
from enms.errors import NotFoundError
from enms.services import periods
from enms.services.periods import Moment, Period

type Answer = dict[str, Any]
Interval = Literal["day", "week", "month"]
type _Query[Figures: kpis.Kpi] = Callable[[Connection, UUID, datetime, datetime, str], Figures]

_SHARED = frozenset(field.name for field in fields(kpis.Kpi))


@dataclass(frozen=True, slots=True)
class KpiRequest:
    """What a figure is asked of.

    Attributes:
        kind: Whether it is a machine or a factory.
        subject_id: Its id.
        start: An instant, or a day of the factory.
        end: Likewise; a day counts wholly.
        energy_type: The carrier.
    """

    kind: SubjectKind
    subject_id: UUID
    start: Moment
    end: Moment
    energy_type: str = kpis.ELECTRICAL


def specific_energy(database: Database, request: KpiRequest) -> Answer:
    """Energy per unit produced (SEC)."""
    return _single(database, request, kpis.sec)


def peak_demand(database: Database, request: KpiRequest) -> Answer:
    """The largest average over any 15 minutes, and over the billing intervals."""
    return _single(database, request, kpis.peak_demand)


def load_factor(database: Database, request: KpiRequest) -> Answer:
    """Average power over the 15-minute peak."""
    return _single(database, request, kpis.load_factor)


def energy_cost(database: Database, request: KpiRequest) -> Answer:
    """Cost of the energy, its bands, and the demand charge apart from it."""
    return _single(database, request, kpis.energy_cost)


def carbon(database: Database, request: KpiRequest) -> Answer:
    """Emissions of the energy."""
    return _single(database, request, kpis.carbon)


def all_kpis(database: Database, request: KpiRequest) -> Answer:
    """All of them at once; each figure equals the single call's."""
    figures, period = _figures(database, request, kpis.all_kpis)
    return {
        **_subject(figures),
        "time_period": _time_period(period, figures.timezone),
        "kpis": {
            "sec": {"value": figures.sec_kwh_per_unit, "unit": "kWh/unit"},
            "peak_demand": {
                "value": figures.peak_demand_kw,
                "unit": "kW",
                "timestamp": figures.peak_time,
                "billing_value": figures.billing_peak_kw,
                "billing_timestamp": figures.billing_peak_time,
            },
            "load_factor": {"value": figures.load_factor, "percent": figures.load_factor_percent},
            "energy_cost": {
                "value": figures.total_cost,
                "unit": figures.currency,
                "per_unit": figures.cost_per_unit,
                "avg_rate_per_kwh": figures.avg_rate_per_kwh,
                "bands": _dicts(figures.bands),
            },
            "carbon_intensity": {
                "value": figures.total_co2_kg,
                "unit": "kg CO2",
                "per_unit": figures.co2_per_unit_kg,
                "emission_factor": figures.emission_factor,
                "region": figures.region,
                "factors": _dicts(figures.factors),
            },
        },
        "total_energy_kwh": figures.total_energy_kwh,
        "total_production_units": figures.total_production_units,
        "avg_power_kw": figures.avg_power_kw,
        **_quality(figures),
        "reasons": {name: _text(kpis.REASONS, code) for name, code in figures.reasons.items()},
    }


def history(database: Database, request: KpiRequest, interval: Interval) -> Answer:
    """The figures of each day, ISO week or month, with those of the interval before it."""
    subject, period = _calendar(database, request)
    with database.connection() as lent:
        found = kpis.history(
            lent, subject.id, period.start, period.end, interval, request.energy_type
        )  # fmt: skip
    return _chart(subject, period, request) | {"interval": interval, "history": _dicts(found)}


def comparison(
    database: Database,
    factory_id: UUID,
    start: Moment,
    end: Moment,
    energy_type: str,
    limit: int,
    offset: int,
) -> Answer:
    """A factory's active machines beside each other, each with the figures of the period before.

    Raises:
        InvalidInputError: The period means nothing.
        NotFoundError: There is no such factory.
    """
    factory, period = periods.in_calendar(database, "factory", factory_id, start, end)
    with database.connection() as lent:
        found = kpis.comparison(lent, factory.id, period.start, period.end, energy_type, limit, offset)
    previous = periods.Period(found.previous_start, found.previous_end)
    return {
        "factory_id": factory.id,
        "factory_name": factory.name,
        "time_period": _time_period(period, factory.timezone),
        "previous_period": _time_period(previous, factory.timezone),
        "energy_type": energy_type,
        "total_energy_kwh": found.total_energy_kwh,
        "total_count": found.machines,
        "limit": limit,
        "offset": offset,
        "machines": _dicts(found.rows),
    }


def profile(database: Database, request: KpiRequest) -> Answer:
    """Mean power by hour of the day and weekday, local time."""
    subject, period = _calendar(database, request)
    with database.connection() as lent:
        found = kpis.profile(lent, subject.id, period.start, period.end, request.energy_type)
    return _chart(subject, period, request) | {"profile": _dicts(found)}


def duration_curve(database: Database, request: KpiRequest) -> Answer:
    """Power that is met or exceeded during each share of the period."""
    subject, period = _calendar(database, request)
    with database.connection() as lent:
        found = kpis.duration_curve(lent, subject.id, period.start, period.end, request.energy_type)
    return _chart(subject, period, request) | {"duration_curve": _dicts(found)}


def _single[Figures: kpis.Kpi](database: Database, request: KpiRequest, query: _Query[Figures]) -> Answer:
    figures, period = _figures(database, request, query)
    return {
        **_subject(figures),
        **{name: _plain(getattr(figures, name)) for name in _own_names(figures)},
        "time_period_hours": figures.time_period_hours,
        "time_period": _time_period(period, figures.timezone),
        **_quality(figures),
        "reason": _text(kpis.REASONS, figures.reason) if figures.reason else None,
    }


def _figures[Figures: kpis.Kpi](
    database: Database, request: KpiRequest, query: _Query[Figures]
) -> tuple[Figures, Period]:
    """One round trip where both ends are instants: the figures bring the subject's name along."""
    if isinstance(request.start, datetime) and isinstance(request.end, datetime):
        period = periods.of_instants(request.start, request.end)
    else:
        _, period = _calendar(database, request)
    with database.connection() as lent:
        try:
            figures = query(lent, request.subject_id, period.start, period.end, request.energy_type)
        except NotFoundError:
            raise not_found(request.kind, request.subject_id) from None
    if figures.subject_kind != request.kind:
        raise not_found(request.kind, request.subject_id)
    return figures, period


def _calendar(database: Database, request: KpiRequest) -> tuple[Subject, Period]:
    return periods.in_calendar(database, request.kind, request.subject_id, request.start, request.end)


def _subject(figures: kpis.Kpi) -> Answer:
    kind = figures.subject_kind
    return {f"{kind}_id": figures.subject_id, f"{kind}_name": figures.subject_name}


def _chart(subject: Subject, period: Period, request: KpiRequest) -> Answer:
    return {
        f"{subject.kind}_id": subject.id,
        f"{subject.kind}_name": subject.name,
        "time_period": _time_period(period, subject.timezone),
        "energy_type": request.energy_type,
    }


def _time_period(period: Period, timezone: str) -> Answer:
    return {"start": period.start, "end": period.end, "hours": period.hours, "timezone": timezone}


def _quality(figures: kpis.Kpi) -> Answer:
    """How far the figures can be trusted: with every answer."""
    return {
        "energy_type": figures.energy_type,
        "elapsed_hours": figures.elapsed_hours,
        "coverage": figures.coverage,
        "readings": figures.readings,
        "refused_readings": figures.refused_readings,
        "spread_readings": figures.spread_readings,
        "estimated_readings": figures.estimated_readings,
        "spread_kwh": figures.spread_kwh,
        "flat_hours": figures.flat_hours,
        "warnings": [_text(kpis.WARNINGS, code) for code in figures.warnings],
    }


def _text(texts: Mapping[str, str], code: str) -> Answer:
    return {"code": code, "text": texts[code]}


def _own_names(figures: kpis.Kpi) -> list[str]:
    return [field.name for field in fields(figures) if field.name not in _SHARED]


def _plain(value: object) -> object:
    # A named tuple would be written as a JSON array.
    return _dicts(value) if isinstance(value, tuple) else value


def _dicts(found: Iterable[Any]) -> list[Answer]:
    return [row._asdict() for row in found]
