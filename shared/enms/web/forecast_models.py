"""What answers about forecasts look like: the OpenAPI document is made of these."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

_Horizon = Literal["1h", "24h", "7d"]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _OfSubject(_Answer):
    machine_id: UUID | None = Field(None, description="left out of answers about a factory")
    machine_name: str | None = None
    factory_id: UUID | None = Field(None, description="left out of answers about a machine")
    factory_name: str | None = None
    energy_type: str


class ForecastStep(_Answer):
    """What is foretold of one step."""

    timestamp: datetime = Field(description="the step's start, with the offset of the factory's zone")
    predicted_power_kw: float = Field(description="mean power of the step")
    confidence_interval_lower: float = Field(description="lower end of the 95 % band, kW")
    confidence_interval_upper: float = Field(description="its upper end")
    lower_80_kw: float = Field(description="lower end of the 80 % band")
    upper_80_kw: float
    energy_kwh: float = Field(description="power times the step's real length: 23 to 25 hours of a day")


class PredictedPeak(_Answer):
    """The highest quarter hour that is expected: the figure of `forecast/peak`."""

    timestamp: datetime
    power_kw: float = Field(description="mean power of that quarter hour")


class ForecastModelInUse(_Answer):
    """What made the forecast."""

    id: UUID | None = Field(description="null: no model was trained yet, it is what little can tell at once")
    version: int | None
    choice: str
    members: list[str] = Field(description="the candidates whose mean it is")
    trained_at: datetime | None
    reason: str = Field(description="why this one")


class BacktestRow(_Answer):
    """How one candidate did at past origins, each seen with what lay before it only."""

    name: str
    mase: float | None = Field(description="mean absolute error ÷ that of the seasonal naive in training")
    ratio_to_naive: float | None = Field(description="its MASE ÷ the better seasonal naive's")
    mape_percent: float | None
    smape_percent: float | None
    bias_kw: float | None = Field(description="above zero: too much was foretold")
    coverage_80: float | None = Field(description="share of steps inside the 80 % band, 0 to 1")
    coverage_95: float | None
    width_80_kw: float | None
    fit_s: float | None = Field(None, description="seconds of one fit")
    predict_s: float | None = Field(None, description="seconds of one forecast")
    is_chosen: bool


class Backtest(_Answer):
    """The table by which the model was chosen."""

    origins: int
    scale_kw: float | None = Field(description="by which errors are divided to make MASE")
    models: list[BacktestRow]


class LeftOut(_Answer):
    """What was not used, and why."""

    name: str
    reason: str


class ForecastCoverage(_Answer):
    """What the model had to learn from."""

    days_of_history: float
    share_of_readings: float | None = Field(description="steps with readings among all of them, 0 to 1")


class Forecast(_OfSubject):
    """A forecast with its bands."""

    timezone: str
    horizon: _Horizon
    step_minutes: int = Field(description="1440 stands for local days of 23 to 25 hours")
    forecast_generated_at: datetime
    predictions: list[ForecastStep]
    peak_demand_predicted: PredictedPeak
    model: ForecastModelInUse
    backtest: Backtest
    coverage: ForecastCoverage
    regressors_used: list[str]
    regressors_left_out: list[LeftOut]
    state: Literal["stored", "updated"] = Field(
        description="`stored`: made by the job; `updated`: it was older than its step, and this request took "
        "in the readings since, without a new fit"
    )
    age_minutes: float
    notes: list[str]


class ForecastPeak(_OfSubject):
    """The coming peak, and how likely it is to pass a limit."""

    timezone: str
    horizon: Literal["24h", "7d"]
    timestamp: datetime
    power_kw: float = Field(description="mean power of the highest quarter hour")
    interval_80: list[float] = Field(description="its lower and upper end, kW")
    interval_95: list[float]
    limit_kw: float | None
    limit_source: Literal["given", "peak_so_far_this_month"] | None
    probability_over_limit: float | None = Field(description="share of possible courses that pass it, 0 to 1")
    peak_so_far_this_month_kw: float | None
    peak_so_far_this_month_at: datetime | None = Field(description="start of that billing interval")
    forecast_generated_at: datetime
    state: Literal["stored", "updated"]
    age_minutes: float
    notes: list[str]


class ForecastModel(_OfSubject):
    """A model that was trained."""

    id: UUID
    version: int
    horizon: str
    is_active: bool
    chosen: list[str]
    reason: str
    choices: list[str] = Field(description="what `model` may be asked for")
    backtest: Backtest
    regressors: list[str]
    trained_from: datetime
    trained_to: datetime
    trained_at: datetime
    trained_by: str


class ForecastModels(_Answer):
    """Models, the newest first."""

    count: int
    models: list[ForecastModel]


class TrainedForecast(_OfSubject):
    """The table of the backtest, and what was chosen."""

    horizon: _Horizon
    model: ForecastModel
    backtest: Backtest
    reason: str
    created: bool = Field(description="false: the same data gave this model before")


class _Accuracy(_Answer):
    scored: int = Field(description="forecasts whose truth has arrived")
    mase: float | None
    ratio_to_naive: float | None
    skill_percent: float | None = Field(description="how much better than the better seasonal naive")
    mape_percent: float | None
    bias_kw: float | None
    coverage_80: float | None
    coverage_95: float | None
    moved_percent: float | None = Field(
        description="how much a forecast of the same step moved from one issue to the next"
    )


class AccuracyByLead(_Accuracy):
    """So many steps ahead."""

    lead: int


class AccuracyByWeek(_Accuracy):
    """Of one week."""

    week: str


class ForecastAccuracy(_OfSubject, _Accuracy):
    """How good forecasts were."""

    timezone: str
    horizon: _Horizon
    choice: str
    issues: int = Field(description="forecasts that were made")
    by_lead: list[AccuracyByLead]
    by_week: list[AccuracyByWeek]
    in_words: str
    is_degraded: bool = Field(description="it has become worse than its proof: it is trained again")
    notes: list[str]


class ReceivedRegressor(_Answer):
    """What was taken."""

    name: str
    kind: str
    stored: int
    replaced: int = Field(description="former values that lay in the period")
    begins_at: datetime = Field(serialization_alias="from", description="start of the first value")
    until: datetime = Field(description="end of the last one")


class KnownValue(_Answer):
    """A value and when it holds."""

    start: datetime
    end: datetime
    value: float


class Regressor(_Answer):
    """What is known under one name."""

    name: str
    kind: Literal["schedule", "temperature", "planned_stop", "other"]
    machine_id: UUID | None = Field(description="null: it holds for the whole factory")
    source: str | None
    received_at: datetime
    begins_at: datetime = Field(serialization_alias="from")
    until: datetime
    values: list[KnownValue]


class Regressors(_Answer):
    """What is known of a period."""

    count: int
    start: datetime
    end: datetime
    regressors: list[Regressor]


class ForecastHistory(_OfSubject):
    """What was measured before the forecast, in its steps."""

    timezone: str
    horizon: _Horizon
    step_minutes: int
    history: list["PastStep"]


class PastStep(_Answer):
    """The mean power of a past step; null where it isn't known."""

    timestamp: datetime
    power_kw: float | None
