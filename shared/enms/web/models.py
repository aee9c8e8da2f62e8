"""What answers look like: the OpenAPI document is made of these; answers are not validated again."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field


class Explained(BaseModel):
    """A code for programs and a sentence for people."""

    code: str
    text: str


class TimePeriod(BaseModel):
    """The period as it was resolved: half-open, in UTC."""

    start: datetime
    end: datetime = Field(description="the instant after the last one that counts")
    hours: float = Field(description="rounded to 2 decimals")
    timezone: str = Field(description="the factory's zone, in which days and tariffs are meant")


class Subject(BaseModel):
    """The machine, or with `factory_id` the factory, that was asked about."""

    machine_id: UUID | None = None
    machine_name: str | None = None
    factory_id: UUID | None = None
    factory_name: str | None = None


class Quality(BaseModel):
    """How far figures can be trusted."""

    energy_type: str
    elapsed_hours: float = Field(description="length of the period's part up to now")
    coverage: float | None = Field(description="share (0 to 1) of the elapsed period with readings")
    readings: int = Field(description="rows in the period")
    refused_readings: int = Field(description="of them: negative, invalid or repeated; they count nothing")
    spread_readings: int = Field(description="of them: catch-up rows, spread over the gap before them")
    estimated_readings: int
    spread_kwh: float
    flat_hours: int = Field(description="hours in which every reading is the same")
    warnings: list[Explained]


class _Single(Subject, Quality):
    time_period_hours: float
    time_period: TimePeriod
    reason: Explained | None = Field(description="why a figure is null")


class SpecificEnergy(_Single):
    """SEC = energy ÷ units produced."""

    sec_kwh_per_unit: float | None
    total_energy_kwh: float | None
    total_production_units: int


class PeakDemand(_Single):
    """Peak demand."""

    peak_demand_kw: float | None = Field(description="largest average over any 15 minutes")
    peak_time: datetime | None = Field(description="start of those 15 minutes")
    avg_power_kw: float | None
    billing_peak_kw: float | None = Field(description="largest average over a quarter of the clock")
    billing_peak_time: datetime | None


class LoadFactor(_Single):
    """Load factor = average power ÷ 15-minute peak."""

    load_factor: float | None
    load_factor_percent: float | None
    avg_power_kw: float | None
    max_power_kw: float | None = Field(description="the rolling 15-minute peak")


class CostBand(BaseModel):
    """Energy priced by one tariff."""

    tariff: str
    rate_per_kwh: float
    currency: str
    energy_kwh: float
    cost: float


class DemandCharge(BaseModel):
    """Rate times billing peak of one calendar month."""

    month: date
    tariff: str
    rate_per_kw: float
    currency: str
    billing_peak_kw: float
    billing_peak_time: datetime
    cost: float


class EnergyCost(_Single):
    """Cost of energy alone, and the demand charge."""

    total_cost: float | None
    total_energy_kwh: float | None
    avg_rate_per_kwh: float | None
    currency: str | None
    bands: list[CostBand]
    demand_charge: float | None
    demand_charges: list[DemandCharge]


class CarbonShare(BaseModel):
    """Emissions by one factor."""

    region: str | None
    emission_factor: float
    valid_from: date | None
    valid_to: date | None
    energy_kwh: float
    co2_kg: float


class Carbon(_Single):
    """Emissions."""

    total_co2_kg: float | None
    total_energy_kwh: float | None
    emission_factor: float | None = Field(description="kg CO2 per kWh, weighted by energy")
    co2_per_unit_kg: float | None
    total_production_units: int
    region: str | None
    factors: list[CarbonShare]


class SecValue(BaseModel):
    """SEC."""

    value: float | None
    unit: str


class PeakDemandValue(BaseModel):
    """Peak demand in kW."""

    value: float | None
    unit: str
    timestamp: datetime | None
    billing_value: float | None
    billing_timestamp: datetime | None


class LoadFactorValue(BaseModel):
    """Load factor."""

    value: float | None
    percent: float | None


class EnergyCostValue(BaseModel):
    """Cost of energy alone; `kpi/energy-cost` has the demand charge."""

    value: float | None
    unit: str | None = Field(description="currency")
    per_unit: float | None
    avg_rate_per_kwh: float | None
    bands: list[CostBand]


class CarbonValue(BaseModel):
    """Emissions in kg CO2."""

    value: float | None
    unit: str
    per_unit: float | None
    emission_factor: float | None
    region: str | None
    factors: list[CarbonShare]


class KpiValues(BaseModel):
    """All key figures."""

    sec: SecValue
    peak_demand: PeakDemandValue
    load_factor: LoadFactorValue
    energy_cost: EnergyCostValue
    carbon_intensity: CarbonValue


class AllKpis(Subject, Quality):
    """All key figures of a period."""

    time_period: TimePeriod
    kpis: KpiValues
    total_energy_kwh: float | None
    total_production_units: int
    avg_power_kw: float | None
    reasons: dict[str, Explained] = Field(description="why figures are null, by their names")


class Chart(Subject):
    """What a chart is drawn of."""

    time_period: TimePeriod
    energy_type: str


class HistoryRow(BaseModel):
    """One interval of the factory's calendar; `previous_`: its counterpart in the period before."""

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


class History(Chart):
    """Key figures by interval."""

    interval: Literal["day", "week", "month"]
    history: list[HistoryRow]


class ComparisonRow(BaseModel):
    """A machine; its figures are those of `kpi/all`, `previous_`: those of the period before."""

    machine_id: UUID
    machine_name: str
    type: str
    energy_kwh: float | None
    share_of_energy: float | None = Field(
        description="share (0 to 1) of `total_energy_kwh`, which machines out of service may share in"
    )
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


class KpiComparison(BaseModel):
    """A page of a factory's active machines by name."""

    factory_id: UUID
    factory_name: str
    time_period: TimePeriod
    previous_period: TimePeriod = Field(
        description="as many days of the factory's calendar earlier as `time_period` touches"
    )
    energy_type: str
    total_energy_kwh: float | None = Field(description="the factory's in the period, as `kpi/all` has it")
    total_count: int
    limit: int
    offset: int
    machines: list[ComparisonRow]


class ProfileCell(BaseModel):
    """Mean power of one hour of one weekday."""

    weekday: int = Field(description="0 = Sunday")
    hour: int
    mean_power_kw: float
    hours: float = Field(description="how many such hours had readings")


class Profile(Chart):
    """Mean power by hour and weekday."""

    profile: list[ProfileCell]


class DurationPoint(BaseModel):
    """One point of a load duration curve."""

    share: float = Field(description="share of the metered time, 0 to 1")
    power_kw: float


class DurationCurve(Chart):
    """Load duration curve."""

    duration_curve: list[DurationPoint]


class Health(BaseModel):
    """State of the service."""

    status: Literal["healthy", "unhealthy"]
    service: str
    version: str
    timestamp: datetime
    database: Literal["connected", "disconnected", "not migrated"]
    scheduler: Literal["enabled", "disabled"]
    models_loaded: int | None = Field(description="active models; null when the database is gone")


class Factory(BaseModel):
    """A factory."""

    id: UUID
    name: str
    location: str | None
    timezone: str
    is_active: bool
    machines: int = Field(description="active machines")
    metadata: dict[str, Any]


class Factories(BaseModel):
    """All factories."""

    total_count: int
    factories: list[Factory]


class Machine(BaseModel):
    """A machine."""

    id: UUID
    name: str
    description: str | None
    type: str
    factory_id: UUID
    factory_name: str
    timezone: str
    rated_power_kw: float
    data_interval_seconds: int | None
    is_active: bool
    is_critical: bool
    status: str | None = Field(description="last operating mode that was reported")
    status_at: datetime | None


class Machines(BaseModel):
    """A page of machines."""

    total_count: int
    limit: int
    offset: int
    machines: list[Machine]


class MachineDetails(Machine):
    """A machine and what is recorded of it."""

    energy_types: list[str]
    first_reading_at: datetime | None
    last_reading_at: datetime | None
    metrics: list[str] = Field(description="what `series` can give for it")
    metadata: dict[str, Any]


class Series(BaseModel):
    """A metric over time, in columns."""

    machine_id: UUID
    machine_name: str
    metric: str
    unit: str | None
    energy_type: str | None
    time_period: TimePeriod
    interval_seconds: int = Field(description="width of a point")
    columns: list[str]
    data: dict[str, list[Any]] = Field(description="one list per column, all of one length")


class JobRun(BaseModel):
    """One run of a job."""

    id: UUID
    job: str
    trigger: Literal["schedule", "request", "command"]
    actor: str
    state: Literal["queued", "running", "succeeded", "partial", "failed"]
    scheduled_for: datetime | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    counts: dict[str, Any]
    parameters: dict[str, Any]
    error: str | None


class JobItem(BaseModel):
    """One thing that a run dealt with."""

    item: str
    state: Literal["queued", "running", "succeeded", "skipped", "failed"]
    detail: dict[str, Any]
    updated_at: datetime


class JobRunDetails(JobRun):
    """A run with its items."""

    items: list[JobItem]


class JobRuns(BaseModel):
    """A page of runs, newest first."""

    total_count: int
    limit: int
    offset: int
    runs: list[JobRun]


class Accepted(BaseModel):
    """A run that was asked for."""

    run_id: UUID
    job: str
    state: str
    location: str


class JobLag(BaseModel):
    """How far a job is behind the last closed step: of the detection an hour, of forecasts that of theirs."""

    machines: int = Field(description="active ones; of forecasts with the factories that have any")
    never_done: int = Field(description="of these, those that it never dealt with")
    behind: int = Field(description="of these, those whose last closed step it has not seen yet")
    done_until: datetime | None = Field(description="until where the machine is done that is furthest behind")
    hours: float | None = Field(description="from there to the last closed step")


class ScheduledJob(BaseModel):
    """A job and its rule."""

    job: str
    description: str
    rule: str = Field(description="EventBridge schedule, UTC")
    enabled: bool
    next_run_at: datetime | None
    last_run: JobRun | None
    lag: JobLag | None = Field(description="of detect-anomalies and forecasts; null for other jobs")


class SchedulerStatus(BaseModel):
    """What runs by itself."""

    enabled: bool
    timestamp: datetime
    jobs: list[ScheduledJob]
