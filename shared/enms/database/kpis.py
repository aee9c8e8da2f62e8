"""KPIs of one machine or one factory: typed calls of the SQL functions `analytics.kpi_*`.

Every call takes a *subject* (the id of a machine or of a factory), a half-open period `[start, end)` and a
carrier (`energy_type`). What the figures mean is written once, in the migrations beside this module; here
rows become typed values.
Energy is in kWh (in the carrier's own unit where `energy_sources` says so), power in kW, instants in UTC.
A figure that can't be told is None, and `reason` says why: a key of `REASONS`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

from enms.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from enms.database.connection import Connection

ELECTRICAL = "electrical"

REASONS: Mapping[str, str] = {
    "no_readings": "No accepted reading of this carrier lies in the period.",
    "no_production": "Nothing was produced in the period, so there is no figure per unit.",
    "no_load": "The peak demand of the period is zero, so there is no load factor.",
    "no_window": "No 15-minute window of measured readings lies wholly inside the period.",
    "not_kwh": "The carrier's unit is not kWh, so its price and factor do not apply to the readings.",
    "no_price": "energy_sources has no price for this carrier; it is never priced as electricity.",
    "no_factor": "energy_sources has no carbon factor for this carrier; that of electricity never serves.",
    "several_currencies": "Tariffs of several currencies apply; the bands tell what each costs.",
}

WARNINGS: Mapping[str, str] = {
    "low_coverage": "Readings cover less than 90 % of the period; nothing is extrapolated.",
    "refused_readings": "Negative, invalid or repeated readings were refused and count nothing.",
    "spread_readings": "Energy of catch-up readings after a gap is spread over the gap and is an estimate.",
    "estimated_readings": "Some readings are flagged as estimated.",
    "flat_hours": "For some hours every reading carries the same value: the meter may be stuck.",
    "default_tariff": "No tariff covers some or all hours: the default rates price them "
    "(0.20 per kWh from 08:00 to 20:00 factory time, else 0.10).",
    "default_factor": "No carbon factor is valid on some or all days: the default 0.45 kg per kWh serves.",
    "default_region": "The region has no carbon factor for some or all days: the region 'default' serves.",
    "utc_zone": "The factory has no valid time zone: hours and days are those of UTC.",
}


@dataclass(frozen=True, kw_only=True)
class Kpi:
    """What every KPI carries: the subject, the period, and how far the readings can be trusted.

    Attributes:
        subject_id: The machine or factory asked for.
        subject_name: Its name.
        subject_kind: Which of the two it is.
        factory_id: The factory whose calendar, tariffs and region count.
        timezone: That factory's zone (UTC where it has no valid one).
        energy_type: The carrier.
        time_period_hours: Length of the whole period, rounded to 2 decimals.
        elapsed_hours: Length of its part up to now: what averages and coverage are judged by.
        coverage: Share (0 to 1) of the elapsed period with readings, for a factory the mean over its metered
            machines; None where nothing has elapsed.
        readings: Raw rows in the period, refused ones included.
        refused_readings: Of them, the ones that count nothing (negative, NaN, repeated).
        spread_readings: Of them, catch-up rows whose energy is spread over the gap before them.
        estimated_readings: Of them, flagged estimated or spread.
        spread_kwh: Of the energy, what comes from catch-up rows (estimated).
        flat_hours: Machine-hours in which every reading carries the same non-zero value.
        reason: Why a figure is None: a key of `REASONS`; None where all could be told.
        warnings: Keys of `WARNINGS`.
    """

    subject_id: UUID
    subject_name: str
    subject_kind: Literal["machine", "factory"]
    factory_id: UUID
    timezone: str
    energy_type: str
    time_period_hours: float
    elapsed_hours: float
    coverage: float | None
    readings: int
    refused_readings: int
    spread_readings: int
    estimated_readings: int
    spread_kwh: float
    flat_hours: int
    reason: str | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SpecificEnergy(Kpi):
    """SEC: energy per unit produced. Energy and production are summed independently of each other."""

    sec_kwh_per_unit: float | None
    total_energy_kwh: float | None
    total_production_units: int


@dataclass(frozen=True, kw_only=True)
class PeakDemand(Kpi):
    """The largest rolling 15-minute average; beside it the largest billing interval (quarter of the clock).

    `peak_time` and `billing_peak_time` are the starts of the two windows; a factory's are of the summed load.
    """

    peak_demand_kw: float | None
    peak_time: datetime | None
    avg_power_kw: float | None
    billing_peak_kw: float | None
    billing_peak_time: datetime | None


@dataclass(frozen=True, kw_only=True)
class LoadFactor(Kpi):
    """Average power over the rolling 15-minute peak (`max_power_kw`)."""

    load_factor: float | None
    load_factor_percent: float | None
    avg_power_kw: float | None
    max_power_kw: float | None


class CostBand(NamedTuple):
    """Energy and cost priced by one tariff at one rate."""

    tariff: str
    rate_per_kwh: float
    currency: str
    energy_kwh: float
    cost: float


class DemandCharge(NamedTuple):
    """Rate times billing peak of one factory-local calendar month, as far as the month lies in the period."""

    month: date
    tariff: str
    rate_per_kw: float
    currency: str
    billing_peak_kw: float
    billing_peak_time: datetime
    cost: float


@dataclass(frozen=True, kw_only=True)
class EnergyCost(Kpi):
    """Cost of the energy alone, its bands, and the demand charge apart from it.

    `demand_charge` is None where no tariff has one.
    """

    total_cost: float | None
    total_energy_kwh: float | None
    avg_rate_per_kwh: float | None
    currency: str | None
    bands: tuple[CostBand, ...]
    demand_charge: float | None
    demand_charges: tuple[DemandCharge, ...]


class CarbonShare(NamedTuple):
    """Energy and emissions of the part of the period in which one factor is valid; None dates are open."""

    region: str | None
    emission_factor: float
    valid_from: date | None
    valid_to: date | None
    energy_kwh: float
    co2_kg: float


@dataclass(frozen=True, kw_only=True)
class Carbon(Kpi):
    """Emissions; `emission_factor` (kg CO2 per kWh) is the energy-weighted mean where several are valid."""

    total_co2_kg: float | None
    total_energy_kwh: float | None
    emission_factor: float | None
    co2_per_unit_kg: float | None
    total_production_units: int
    region: str | None
    factors: tuple[CarbonShare, ...]


@dataclass(frozen=True, kw_only=True)
class AllKpis(Kpi):
    """All but the demand charge from one call, equal to the single calls'; `reasons` explains each None."""

    total_energy_kwh: float | None
    total_production_units: int
    avg_power_kw: float | None
    sec_kwh_per_unit: float | None
    peak_demand_kw: float | None
    peak_time: datetime | None
    billing_peak_kw: float | None
    billing_peak_time: datetime | None
    load_factor: float | None
    load_factor_percent: float | None
    total_cost: float | None
    avg_rate_per_kwh: float | None
    cost_per_unit: float | None
    currency: str | None
    bands: tuple[CostBand, ...]
    total_co2_kg: float | None
    emission_factor: float | None
    co2_per_unit_kg: float | None
    region: str | None
    factors: tuple[CarbonShare, ...]
    reasons: Mapping[str, str]


class HistoryRow(NamedTuple):
    """One day, ISO week or month of the factory's calendar, with its counterpart in the previous period."""

    interval_start: datetime
    interval_end: datetime
    local_date: date
    energy_kwh: float | None
    production_units: int
    sec_kwh_per_unit: float | None
    peak_demand_kw: float | None
    peak_time: datetime | None
    load_factor: float | None
    total_cost: float | None
    currency: str | None
    total_co2_kg: float | None
    coverage: float | None
    previous_energy_kwh: float | None
    previous_production_units: int
    previous_sec_kwh_per_unit: float | None
    previous_peak_demand_kw: float | None
    previous_load_factor: float | None
    previous_total_cost: float | None
    previous_total_co2_kg: float | None


class ComparisonRow(NamedTuple):
    """One machine beside the others of its factory, and beside its own period before.

    `share_of_energy` (0 to 1) is of what all of the factory's meters read in the period.
    """

    machine_id: UUID
    machine_name: str
    type: str
    energy_kwh: float | None
    share_of_energy: float | None
    production_units: int
    sec_kwh_per_unit: float | None
    peak_demand_kw: float | None
    load_factor: float | None
    total_cost: float | None
    currency: str | None
    total_co2_kg: float | None
    coverage: float | None
    previous_energy_kwh: float | None
    previous_production_units: int
    previous_sec_kwh_per_unit: float | None
    previous_peak_demand_kw: float | None
    previous_load_factor: float | None
    previous_total_cost: float | None
    previous_total_co2_kg: float | None


class Comparison(NamedTuple):
    """A page of a factory's active machines beside each other.

    `previous_start` and `previous_end` are the period as many days of the factory's calendar earlier as it
    touches; `total_energy_kwh` is the factory's, `machines` how many active ones there are.
    """

    previous_start: datetime
    previous_end: datetime
    total_energy_kwh: float | None
    machines: int
    rows: list[ComparisonRow]


class ProfileCell(NamedTuple):
    """Mean power of one local hour of one weekday (0 = Sunday), over `hours` hours of the period."""

    weekday: int
    hour: int
    mean_power_kw: float
    hours: float


class DurationPoint(NamedTuple):
    """Power that was met or exceeded during `share` (0 to 1) of the period's metered quarter hours."""

    share: float
    power_kw: float


def sec(
    connection: Connection, subject_id: UUID, start: datetime, end: datetime, energy_type: str = ELECTRICAL
) -> SpecificEnergy:
    """Specific energy consumption in `[start, end)`.

    Raises:
        NotFoundError: No machine and no factory has this id. (So do the other KPIs.)
    """
    return _from_row(SpecificEnergy, _kpi(connection, "kpi_sec", subject_id, start, end, energy_type))


def peak_demand(
    connection: Connection, subject_id: UUID, start: datetime, end: datetime, energy_type: str = ELECTRICAL
) -> PeakDemand:
    """Peak demand in `[start, end)`; windows lie wholly inside it."""
    return _from_row(PeakDemand, _kpi(connection, "kpi_peak_demand", subject_id, start, end, energy_type))


def load_factor(
    connection: Connection, subject_id: UUID, start: datetime, end: datetime, energy_type: str = ELECTRICAL
) -> LoadFactor:
    """Load factor in `[start, end)`."""
    return _from_row(LoadFactor, _kpi(connection, "kpi_load_factor", subject_id, start, end, energy_type))


def energy_cost(
    connection: Connection, subject_id: UUID, start: datetime, end: datetime, energy_type: str = ELECTRICAL
) -> EnergyCost:
    """Cost of the energy in `[start, end)`."""
    return _from_row(EnergyCost, _kpi(connection, "kpi_energy_cost", subject_id, start, end, energy_type))


def carbon(
    connection: Connection, subject_id: UUID, start: datetime, end: datetime, energy_type: str = ELECTRICAL
) -> Carbon:
    """Emissions of the energy in `[start, end)`."""
    return _from_row(Carbon, _kpi(connection, "kpi_carbon", subject_id, start, end, energy_type))


def all_kpis(
    connection: Connection, subject_id: UUID, start: datetime, end: datetime, energy_type: str = ELECTRICAL
) -> AllKpis:
    """All KPIs of `[start, end)` in one round trip."""
    row = _kpi(connection, "kpi_all", subject_id, start, end, energy_type)
    return _from_row(
        AllKpis, {**row, "reason": None if row["total_energy_kwh"] is not None else "no_readings"}
    )


def history(
    connection: Connection,
    subject_id: UUID,
    start: datetime,
    end: datetime,
    interval: Literal["day", "week", "month"],
    energy_type: str = ELECTRICAL,
) -> list[HistoryRow]:
    """KPIs of each factory-local day, ISO week (from Monday) or month that `[start, end)` touches.

    The first and the last are cut to the period. The `previous_` figures are those of as many intervals
    earlier as there are rows, so that the rows together stand beside the period before theirs.
    """
    _catch_up(connection, subject_id)
    rows = _rows(
        connection,
        "SELECT row_to_json(h) FROM analytics.kpi_history(%s, %s, %s, %s, %s) h",
        (str(subject_id), start, end, interval, energy_type),
    )
    return [_history_row(row) for (row,) in rows]


def comparison(
    connection: Connection,
    factory_id: UUID,
    start: datetime,
    end: datetime,
    energy_type: str,
    limit: int,
    offset: int,
) -> Comparison:
    """KPIs of a factory's active machines in `[start, end)` by name, each with those of the period before.

    Raises:
        NotFoundError: No factory has this id.
    """
    _catch_up(connection, factory_id)
    asked = {
        "factory_id": str(factory_id), "start": start, "end": end, "energy_type": energy_type,
        "limit": limit, "offset": offset,
    }  # fmt: skip
    found = _rows(connection, _COMPARISON, asked)
    if not found:
        raise NotFoundError(f"There is no factory {factory_id}.", given=str(factory_id))
    previous_start, previous_end, total_kwh, machines, *_ = found[0]
    rows = [
        _comparison_row(machine, current, previous, total_kwh)
        for *_, machine, current, previous in found
        if current is not None
    ]
    return Comparison(previous_start, previous_end, total_kwh, machines, rows)


def profile(
    connection: Connection, subject_id: UUID, start: datetime, end: datetime, energy_type: str = ELECTRICAL
) -> list[ProfileCell]:
    """Mean power by local hour and weekday, from the whole quarter hours of `[start, end)`."""
    _catch_up(connection, subject_id)
    rows = _rows(
        connection,
        "SELECT weekday, hour, mean_power_kw::float8, hours::float8"
        " FROM analytics.kpi_profile(%s, %s, %s, %s)",
        (str(subject_id), start, end, energy_type),
    )
    return [ProfileCell(*row) for row in rows]


def duration_curve(
    connection: Connection,
    subject_id: UUID,
    start: datetime,
    end: datetime,
    energy_type: str = ELECTRICAL,
    points: int = 200,
) -> list[DurationPoint]:
    """Load duration curve of the quarter hours in `[start, end)`: at most `points` points, extremes kept."""
    _catch_up(connection, subject_id)
    rows = _rows(
        connection,
        "SELECT share::float8, power_kw::float8 FROM analytics.kpi_duration_curve(%s, %s, %s, %s, %s)",
        (str(subject_id), start, end, energy_type, points),
    )
    return [DurationPoint(*row) for row in rows]


def fill_daily(connection: Connection, day: date, factory_ids: Sequence[UUID]) -> int:
    """Writes `analytics.kpi_daily` for a local day of these factories and all their machines; repeatable.

    Factories whose day has not closed yet are left out.

    Returns:
        The number of rows written (one a factory, one a machine; carrier electrical).
    """
    for factory_id in factory_ids:
        _catch_up(connection, factory_id)
    ids = [str(factory_id) for factory_id in factory_ids]
    ((written,),) = _rows(connection, "SELECT analytics.fill_kpi_daily(%s, %s::uuid[])", (day, ids))
    return int(written)


def _kpi(
    connection: Connection, function: str, subject_id: UUID, start: datetime, end: datetime, energy_type: str
) -> dict[str, Any]:
    """One row of a function `analytics.kpi_*`, its basis unfolded."""
    _catch_up(connection, subject_id)
    rows = _rows(connection, _CALLS[function], (str(subject_id), start, end, energy_type))
    if not rows:
        raise NotFoundError(f"No machine or factory has the id {subject_id}.", given=str(subject_id))
    row: dict[str, Any] = rows[0][0]
    return {**row.pop("basis"), **row}


def _catch_up(connection: Connection, subject_id: UUID) -> None:
    """Brings aggregates up to date where fact tables (hypertables) can't carry triggers that keep them."""
    if connection not in _HAS_TRIGGERS:
        ((is_hypertable,),) = _rows(connection, "SELECT analytics.is_hypertable('energy_readings')", ())
        _HAS_TRIGGERS[connection] = not is_hypertable
    if not _HAS_TRIGGERS[connection]:
        _rows(
            connection,
            "SELECT analytics.catch_up(id) FROM public.machines WHERE %s IN (id, factory_id)",
            (str(subject_id),),
        )


def _rows(
    connection: Connection, statement: str, parameters: tuple[object, ...] | Mapping[str, object]
) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def _from_row[K: Kpi](kind: type[K], row: dict[str, Any]) -> K:
    """Takes from a row what a KPI has; JSON's texts become identifiers, instants and tuples."""
    values = {name: row[name] for name in _FIELDS[kind]}
    values["subject_id"] = UUID(row["subject_id"])
    values["factory_id"] = UUID(row["factory_id"])
    values["warnings"] = tuple(row["warnings"])
    for name in ("peak_time", "billing_peak_time"):
        if values.get(name) is not None:
            values[name] = datetime.fromisoformat(values[name])
    if "bands" in values:
        values["bands"] = tuple(CostBand(**band) for band in row["bands"])
    if "demand_charges" in values:
        values["demand_charges"] = tuple(_demand_charge(charge) for charge in row["demand_charges"])
    if "factors" in values:
        values["factors"] = tuple(_carbon_share(share) for share in row["factors"])
    return kind(**values)


def _demand_charge(charge: dict[str, Any]) -> DemandCharge:
    month = date.fromisoformat(charge["month"])
    peak_time = datetime.fromisoformat(charge["billing_peak_time"])
    return DemandCharge(**{**charge, "month": month, "billing_peak_time": peak_time})


def _carbon_share(share: dict[str, Any]) -> CarbonShare:
    ends = {name: share[name] and date.fromisoformat(share[name]) for name in ("valid_from", "valid_to")}
    return CarbonShare(**{**share, **ends})


def _history_row(row: dict[str, Any]) -> HistoryRow:
    peak_time = row["current"]["peak_time"]
    return HistoryRow(
        interval_start=datetime.fromisoformat(row["interval_start"]),
        interval_end=datetime.fromisoformat(row["interval_end"]),
        local_date=date.fromisoformat(row["local_date"]),
        peak_time=peak_time and datetime.fromisoformat(peak_time),
        **_beside(row["current"], row["previous"]),
    )


def _comparison_row(
    machine: Mapping[str, Any],
    current: Mapping[str, Any],
    previous: Mapping[str, Any],
    total_kwh: float | None,
) -> ComparisonRow:
    energy_kwh = current["total_energy_kwh"]
    return ComparisonRow(
        machine_id=UUID(machine["id"]),
        machine_name=machine["name"],
        type=machine["type"],
        share_of_energy=energy_kwh / total_kwh if total_kwh and energy_kwh is not None else None,
        **_beside(current, previous),
    )


def _beside(current: Mapping[str, Any], previous: Mapping[str, Any]) -> dict[str, Any]:
    """A row of kpi_all, and what another one tells of the period before."""
    return {
        "energy_kwh": current["total_energy_kwh"],
        "production_units": current["total_production_units"],
        "sec_kwh_per_unit": current["sec_kwh_per_unit"],
        "peak_demand_kw": current["peak_demand_kw"],
        "load_factor": current["load_factor"],
        "total_cost": current["total_cost"],
        "currency": current["currency"],
        "total_co2_kg": current["total_co2_kg"],
        "coverage": current["basis"]["coverage"],
        "previous_energy_kwh": previous["total_energy_kwh"],
        "previous_production_units": previous["total_production_units"],
        "previous_sec_kwh_per_unit": previous["sec_kwh_per_unit"],
        "previous_peak_demand_kw": previous["peak_demand_kw"],
        "previous_load_factor": previous["load_factor"],
        "previous_total_cost": previous["total_cost"],
        "previous_total_co2_kg": previous["total_co2_kg"],
    }


# The previous period is that of kpi_history by days: as many local days earlier as the period touches.
_COMPARISON = """
    WITH factory AS (
        SELECT f.id, analytics.factory_zone(f.id) AS zone FROM public.factories f WHERE f.id = %(factory_id)s
    ),
    days AS (
        SELECT zone, last_date, 1 + last_date - (%(start)s AT TIME ZONE zone)::date AS n
        FROM factory, LATERAL (
            SELECT ((%(end)s - interval '1 microsecond') AT TIME ZONE zone)::date AS last_date) last
    ),
    before AS (
        SELECT ((%(start)s AT TIME ZONE zone) - n * interval '1 day') AT TIME ZONE zone AS start,
               least(analytics.local_midnight(zone, last_date + 1 - n),
                     ((%(end)s AT TIME ZONE zone) - n * interval '1 day') AT TIME ZONE zone) AS end
        FROM days
    ),
    machine AS (
        SELECT m.id, m.name, m.type::text AS type FROM public.machines m
        WHERE m.factory_id = %(factory_id)s AND m.is_active IS NOT FALSE
    )
    SELECT before.start, before.end, whole.total_energy_kwh::float8, (SELECT count(*) FROM machine),
           to_jsonb(page), to_jsonb(current), to_jsonb(previous)
    FROM before
    CROSS JOIN LATERAL analytics.kpi_sec(%(factory_id)s, %(start)s, %(end)s, %(energy_type)s) whole
    LEFT JOIN (SELECT * FROM machine ORDER BY name, id LIMIT %(limit)s OFFSET %(offset)s) page ON true
    LEFT JOIN LATERAL analytics.kpi_all(page.id, %(start)s, %(end)s, %(energy_type)s) current ON true
    LEFT JOIN LATERAL analytics.kpi_all(page.id, before.start, before.end, %(energy_type)s) previous ON true
    ORDER BY page.name, page.id
"""
_FIELDS: Mapping[type[Kpi], tuple[str, ...]] = {
    kind: tuple(field.name for field in fields(kind))
    for kind in (SpecificEnergy, PeakDemand, LoadFactor, EnergyCost, Carbon, AllKpis)
}
# Asked once a connection, so that a call stays one round trip.
_HAS_TRIGGERS: WeakKeyDictionary[Connection, bool] = WeakKeyDictionary()
# One JSON object a call: nested figures arrive in one piece, and numbers as floats.
_CALLS: Mapping[str, str] = {
    name: f"SELECT row_to_json(k) FROM analytics.{name}(%s, %s, %s, %s) k"  # noqa: S608 - these names
    for name in ("kpi_sec", "kpi_peak_demand", "kpi_load_factor", "kpi_energy_cost", "kpi_carbon", "kpi_all")
}
