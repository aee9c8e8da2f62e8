"""What answers about baselines look like: the OpenAPI document is made of these."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from enms.web.models import TimePeriod

type Status = Literal["valid", "caution", "rejected"]
type Severity = Literal["normal", "warning", "critical"]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Period(_Answer):
    """A training period, half-open, UTC."""

    start: datetime
    end: datetime


class VerdictReason(_Answer):
    """One figure against its limit."""

    code: str
    severity: Status = Field(description="what it makes of the model")
    measured: float | None
    limit: float
    text: str


class Verdict(_Answer):
    """Whether a baseline may be used."""

    status: Status = Field(description="the worst of all reasons")
    reasons: list[VerdictReason]


class CoefficientDetails(_Answer):
    """One coefficient, in kWh per interval and unit of its driver."""

    name: str
    term: str
    value: float
    std_error: float | None = Field(description="by Newey and West: it survives autocorrelation")
    t_value: float | None
    p_value: float | None
    low: float | None = Field(description="95 % interval")
    high: float | None
    plain_std_error: float | None = Field(description="as if errors were independent")
    plain_t_value: float | None
    plain_p_value: float | None
    vif: float | None = Field(description="variance inflation factor")
    standardised: float | None
    contribution_percent: float | None


class Refusal(_Answer):
    """Why intervals were left out."""

    code: str
    driver: str | None
    count: int
    text: str


class Contender(_Answer):
    """A form that was tried."""

    form: str
    detail: str
    cv_rmse_percent: float | None = Field(description="out of time")
    text: str | None = Field(description="why it can't be fitted")


class Range(_Answer):
    """Smallest and largest value of a driver in training."""

    min: float
    max: float


class _Described(_Answer):
    model: Literal["linear", "change_point", "time_of_week_temperature"]
    interval: Literal["hour", "day"]
    energy_type: str
    drivers: list[str]
    training_period: Period
    training_samples: int
    r_squared: float
    adjusted_r_squared: float
    rmse: float = Field(description="kWh per interval")
    mae: float
    cv_rmse_percent: float | None
    intercept: float
    intercept_std_error: float | None = Field(description="by Newey and West")
    coefficients: dict[str, float]
    coefficient_details: list[CoefficientDetails]
    terms: list[dict[str, Any]] = Field(description="what the columns are made of, balance points included")
    ranges: dict[str, Range]
    verdict: Verdict
    diagnostics: dict[str, Any] = Field(
        description="adjusted R², F, Durbin-Watson, normality, influence, joint tests, …"
    )
    out_of_time: dict[str, Any] = Field(description="the same measures in time that the model hadn't seen")
    refused: list[Refusal]
    contenders: list[Contender]
    selection: dict[str, Any] | None = Field(
        description="driver sets that were tried, best first, and what was dropped with the reason"
    )


class Histogram(_Answer):
    """How the residuals of all intervals spread."""

    edges_kwh: list[float] = Field(description="limits of the bins; one more than there are counts")
    counts: list[int]


class Points(_Answer):
    """Actual and predicted energy, at most 500 intervals evenly spread, by column."""

    total: int = Field(description="how many intervals there are")
    starts_at: list[int] = Field(description="seconds since 1970")
    actual_kwh: list[float]
    predicted_kwh: list[float]
    cusum_kwh: list[float] = Field(
        description="actual less predicted, summed over all intervals up to and with this one"
    )
    drivers: dict[str, list[float]] = Field(description="each numeric driver's values")
    histogram: Histogram


class Signature(_Answer):
    """What is expected of an interval over a driver, on average over the other drivers' values."""

    driver: str
    x: list[float] = Field(description="ends and bends of a broken line, over the trained range")
    kwh: list[float]


class AnalyzedBaseline(_Described):
    """What training would give; nothing is kept."""

    machine_id: UUID
    points: Points
    signatures: list[Signature] = Field(description="one for each numeric driver")


class BaselineCharts(_Answer):
    """What charts of a version are drawn of, with the one driver whose values are kept."""

    model_id: UUID
    machine_id: UUID
    points: Points
    signatures: list[Signature]


class _Kept(_Described):
    model_id: UUID
    machine_id: UUID
    model_name: str
    model_version: int
    is_active: bool
    trained_at: datetime
    trained_by: str | None
    sha256: str


class TrainedBaseline(_Kept):
    """A baseline that is kept."""

    created: bool = Field(description="false: the same data and settings gave this model before")
    activated: bool
    activation: str = Field(description="why it is active, or why not")


class BaselineSummary(_Answer):
    """A version in a line of a list."""

    model_id: UUID
    machine_id: UUID
    machine_name: str
    energy_type: str
    model_name: str
    model_version: int
    model: str
    interval: str | None
    drivers: list[str]
    r_squared: float | None
    rmse: float | None
    mae: float | None
    training_samples: int
    training_period: Period
    verdict: Status | None
    is_active: bool
    is_usable: bool = Field(description="false: made by another program, which keeps no model")
    trained_at: datetime
    trained_by: str | None


class Baselines(_Answer):
    """A page of versions."""

    total_count: int
    limit: int
    offset: int
    models: list[BaselineSummary]


class BaselineEvent(_Answer):
    """Something that was done with a version."""

    event: Literal["trained", "activated", "deactivated"]
    actor: str
    reason: str | None
    run_id: UUID | None
    at: datetime


class BaselineDetails(BaseModel):
    """A version in full; of one that another program made, what its row tells."""

    model_config = ConfigDict(extra="allow")

    model_id: UUID
    machine_id: UUID
    machine_name: str
    energy_type: str
    model_version: int
    is_active: bool
    is_usable: bool
    events: list[BaselineEvent]


class DriverDetails(_Answer):
    """A driver over a period."""

    name: str
    kind: Literal["numeric", "degrees", "category"]
    unit: str | None
    coverage: float = Field(description="share of the period's intervals in which it is known")
    minimum: float | None
    maximum: float | None
    mean: float | None
    correlation: float | None = Field(description="with energy")
    levels: list[str]
    is_usable: bool
    is_automatic: bool = Field(description="whether automatic selection looks at it")
    reason: str | None = Field(description="why it can't be used, or isn't chosen by itself")


class _Zoned(_Answer):
    start: datetime
    end: datetime
    timezone: str


class BaselineDrivers(_Answer):
    """Every driver of a machine."""

    machine_id: UUID
    machine_name: str
    time_period: _Zoned
    energy_type: str
    interval: Literal["hour", "day"]
    intervals: int
    drivers: list[DriverDetails]


class UnjudgedInterval(_Answer):
    """An interval that could not be judged."""

    start: datetime
    code: str


class ExtrapolatedDriver(_Answer):
    """A driver that lay outside its range in training."""

    driver: str
    trained: Range
    intervals: int
    furthest: float = Field(description="how far outside, in its unit; below the range negative")


class Extrapolated(_Answer):
    """Where the baseline had to guess."""

    intervals: int
    drivers: list[ExtrapolatedDriver]


class _Held(_Answer):
    machine_id: UUID
    machine_name: str
    time_period: TimePeriod
    energy_type: str
    baseline_model_id: UUID
    baseline_model_version: int
    baseline_verdict: Status | None
    model_interval: Literal["hour", "day"]
    judged_intervals: int
    unjudged: list[Refusal]
    unjudged_intervals: list[UnjudgedInterval]


class HourDeviation(_Answer):
    """One hour."""

    hour: datetime
    actual_kwh: float
    predicted_kwh: float
    deviation_kwh: float
    deviation_percent: float | None = Field(description="of the predicted energy")
    sigma: float = Field(description="in standard errors of this single hour")
    severity: Severity
    is_extrapolated: bool


class DayDeviation(_Answer):
    """One local day."""

    day: date
    judged_intervals: int
    actual_kwh: float
    predicted_kwh: float
    deviation_kwh: float
    deviation_percent: float | None
    sigma: float
    severity: Severity


class CusumPoint(_Answer):
    """Deviation summed up to and with a day."""

    day: date
    cusum_kwh: float | None


class LastingChange(_Answer):
    """A change of level that no driver explains."""

    began_on: date
    size_kwh_per_day: float
    p_value: float


class Deviation(_Held):
    """What a machine used beside what its baseline expects: above zero where it used more."""

    total_actual_kwh: float
    total_predicted_kwh: float
    deviation_kwh: float
    deviation_percent: float | None
    deviation_std_error_kwh: float = Field(description="of the total, autocorrelation included")
    deviation_sigma: float
    deviation_severity: Severity = Field(description="warning from 2 σ, critical from 3 σ")
    extrapolated: Extrapolated
    hourly_deviations: list[HourDeviation] | None = None
    daily_deviations: list[DayDeviation] | None = None
    cusum: list[CusumPoint]
    lasting_change: LastingChange | None = Field(description="the latest one in the period")


class _Sum(_Answer):
    actual_kwh: float | None = Field(description="of the intervals that could be judged")
    predicted_kwh: float | None
    deviation_kwh: float | None
    deviation_percent: float | None
    deviation_std_error_kwh: float | None
    deviation_sigma: float | None
    deviation_severity: Severity | None


class Sparkline(_Answer):
    """Actual and expected energy over a period by column, at most 100 points."""

    interval: Literal["hour", "day"]
    intervals_per_point: int = Field(description="how many neighbours a point sums up")
    starts_at: list[int] = Field(description="seconds since 1970")
    actual_kwh: list[float | None] = Field(description="null where no interval could be judged")
    predicted_kwh: list[float | None]
    judged_intervals: list[int] = Field(description="how many intervals each point's sums are of")


class OverviewReason(_Answer):
    """Why a machine can't be judged."""

    code: Literal["no_model", "no_readings", "nothing_judged", "unreadable_model", "failed"]
    text: str


class OverviewMachine(_Sum):
    """A machine beside its active baseline."""

    machine_id: UUID
    machine_name: str
    type: str
    model_id: UUID | None
    model_version: int | None
    verdict: Status | None
    judged_intervals: int
    last_reading_at: datetime | None
    reason: OverviewReason | None = Field(description="why nothing could be judged")
    intervals: Sparkline | None


class OverviewTotal(_Sum):
    """The sum over the judged machines of this page, whose errors are taken as independent."""

    judged_machines: int
    machines: int = Field(description="active machines of the factory")


class BaselineOverview(_Answer):
    """A page of a factory's active machines beside their baselines."""

    factory_id: UUID
    factory_name: str
    time_period: TimePeriod
    energy_type: str
    total: OverviewTotal
    total_count: int
    limit: int
    offset: int
    machines: list[OverviewMachine]


class SavingsUncertainty(_Answer):
    """How certain the avoided energy is at one confidence."""

    confidence: float
    half_width_kwh: float
    low_kwh: float
    high_kwh: float
    percent_of_savings: float | None
    ashrae_14_percent_of_savings: float | None = Field(
        description="Guideline 14's formula with its correction for autocorrelation, for comparison"
    )


class SavingsPart(_Answer):
    """A part of the savings."""

    intervals: int
    avoided_kwh: float
    half_width_kwh: float = Field(description="at 90 % confidence")


class ExtrapolatedSavings(SavingsPart):
    """The part outside the drivers' range in training."""

    drivers: list[ExtrapolatedDriver]


class MonthOfSavings(_Answer):
    """One local month."""

    month: date
    judged_intervals: int
    actual_kwh: float
    baseline_kwh: float = Field(description="adjustments included")
    avoided_kwh: float
    half_width_kwh: float = Field(description="at 90 % confidence")
    enpi: float | None = Field(description="actual ÷ baseline: below 1 where energy was saved")


class AppliedAdjustment(_Answer):
    """An adjustment as far as it bears on the period."""

    adjustment_id: UUID
    start: datetime
    end: datetime | None
    kwh_per_hour: float
    reason: str
    hours: float
    kwh: float


class ProposedEvent(_Answer):
    """A lasting change that no person has judged yet."""

    began_on: date
    start: datetime
    kwh_per_hour: float
    size_kwh_per_day: float
    p_value: float
    text: str


class Savings(_Held):
    """What was avoided against the baseline."""

    baseline_period: Period
    actual_kwh: float
    baseline_kwh: float
    adjustments_kwh: float
    adjusted_baseline_kwh: float
    avoided_kwh: float
    avoided_percent: float | None
    uncertainty: list[SavingsUncertainty]
    is_significant: bool
    significance: str
    avoided_cost: float | None
    currency: str | None
    avoided_cost_reason: str | None
    avoided_co2_kg: float | None
    avoided_co2_reason: str | None
    has_default_rates: bool
    within_range: SavingsPart
    extrapolated: ExtrapolatedSavings
    months: list[MonthOfSavings]
    adjustments: list[AppliedAdjustment]
    proposed_events: list[ProposedEvent]


class DriverValue(_Answer):
    """A driver's value and how far it lies outside its range in training."""

    driver: str
    value: float
    trained: Range
    beyond_range: float


class Prediction(_Answer):
    """Expected energy of one interval."""

    machine_id: UUID
    machine_name: str
    energy_type: str
    baseline_model_id: UUID
    baseline_model_version: int
    interval: Literal["hour", "day"]
    predicted_kwh: float
    low_kwh: float
    high_kwh: float
    confidence: float
    is_extrapolated: bool
    drivers: list[DriverValue]


class Activation(_Answer):
    """Which version is the active one now."""

    model_id: UUID
    machine_id: UUID
    model_version: int
    former_version: int | None
    is_active: bool


class MachineHealth(_Answer):
    """The state of a machine's active baseline."""

    machine_id: UUID
    machine_name: str
    energy_type: str
    status: Literal["good", "retrain", "no_model", "unknown", "unreadable"]
    retrain: bool
    reasons: list[str]
    model_id: UUID | None = None
    model_version: int | None = None
    verdict: Status | None = None
    age_days: int | None = None
    judged_intervals: int | None = None
    recent_rmse: float | None = None
    trained_rmse: float | None = Field(None, description="out of time")
    error_ratio: float | None = None
    range_overlap: float | None = Field(
        None, description="share of recent intervals whose drivers lie within their range in training"
    )
    deviation_percent: float | None = None
    deviation_sigma: float | None = None
    deviation_severity: Severity | None = None


class BaselinesHealth(_Answer):
    """A page of machines."""

    total_count: int
    limit: int
    offset: int
    recent_days: int
    machines: list[MachineHealth]


class Adjustment(_Answer):
    """What a person said of an event that no driver explains."""

    adjustment_id: UUID
    machine_id: UUID
    energy_type: str
    start: datetime
    end: datetime | None
    kwh_per_hour: float
    reason: str
    decision: Literal["accepted", "refused"]
    actor: str
    created_at: datetime
    withdrawn_at: datetime | None
    withdrawn_by: str | None


class Adjustments(_Answer):
    """A machine's adjustments."""

    total_count: int
    adjustments: list[Adjustment]
