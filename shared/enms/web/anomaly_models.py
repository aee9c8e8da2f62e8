"""What answers about anomalies look like: the OpenAPI document is made of these."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from enms.web.models import TimePeriod

type AnomalyState = Literal["open", "acknowledged", "resolved", "false_alarm", "expected"]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AnomalyContribution(_Answer):
    """What one feature has to do with an anomaly."""

    feature: str = Field(description="its name, with its unit")
    label: str = Field(description="the same in words")
    share: float = Field(description="of the whole, 0 to 1")
    value: float | None = Field(description="mean over the anomaly")
    expected_value: float | None
    sigma: float | None = Field(description="distance in standard deviations, with its sign")
    unit: str | None


class Anomaly(_Answer):
    """An episode in which a machine is not as it should be."""

    id: UUID | None = Field(description="null: it was only told, not kept")
    machine_id: UUID
    machine_name: str
    factory_id: UUID
    factory_name: str
    energy_type: str
    detected_at: datetime = Field(description="its start")
    ended_at: datetime | None = Field(description="the instant after its end; null while it goes on")
    last_seen_at: datetime | None = Field(description="until when it was seen")
    anomaly_type: str = Field(
        description="power_spike, power_drop, efficiency_drop, baseload_increase, pressure_anomaly, "
        "temperature_spike, unusual_pattern, sensor_fault, data_gap; other programs have others"
    )
    severity: Literal["normal", "warning", "critical"] = Field(description="the worst that it came to")
    state: AnomalyState
    is_resolved: bool
    metric_name: str | None
    metric_unit: str | None
    metric_value: float | None = Field(description="mean over the anomaly; of energy the sum")
    expected_value: float | None
    deviation_percent: float | None = Field(description="of the expected value")
    deviation_std_dev: float | None = Field(description="in standard errors of the anomaly's mean")
    confidence_score: float | None = Field(description="probability that something is wrong, 0 to 1")
    detection_method: str | None = Field(description="what saw it most clearly")
    detection_methods: list[str] = Field(description="all that saw it")
    false_alarms_per_week: float | None = Field(
        description="how often the machine, sound, would show something as odd"
    )
    energy_kwh: float | None = Field(description="used more, or less, than expected so far")
    cost: float | None = Field(description="what that cost, at each hour's tariff")
    currency: str | None
    is_lasting: bool | None = Field(description="the level changed for good: a new baseline is due")
    summary: str | None = Field(description="one plain sentence")
    contributions: list[AnomalyContribution] = Field(description="the strongest first")
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    resolved_by: str | None
    resolution_notes: str | None
    created_at: datetime | None
    updated_at: datetime | None


class Anomalies(_Answer):
    """A page of anomalies."""

    total_count: int
    next_cursor: str | None = Field(description="of the next page; null on the last one")
    anomalies: list[Anomaly]


class AnomalyDetector(_Answer):
    """What looked."""

    id: UUID
    version: int
    trained_at: datetime
    has_baseline: bool = Field(description="whether the active baseline's deviations were looked at")
    features: list[str]


class HeldBack(_Answer):
    """What was found and isn't raised."""

    detected_at: datetime
    ended_at: datetime | None
    anomaly_type: str
    severity: Literal["warning", "critical"]
    metric_name: str | None
    deviation_percent: float | None
    code: Literal["false_alarm", "like_false_alarm", "suppressed"]
    reason: str = Field(description="why, in a sentence")
    anomaly_id: UUID | None = Field(description="the false alarm that it is like")
    suppression_id: UUID | None = Field(description="the planned stop that it lies in")


class DetectedAnomalies(_Answer):
    """What was found in a period."""

    machine_id: UUID
    machine_name: str
    time_period: TimePeriod
    energy_type: str
    detector: AnomalyDetector | None
    note: str | None = Field(description="why the confidence is capped, if so")
    anomalies_detected: int
    anomalies: list[Anomaly]
    held_back: list[HeldBack]


class AnomalyEvent(_Answer):
    """Something that happened to an anomaly."""

    event: str = Field(description="opened, extended, worsened, ended, acknowledged, resolved")
    actor: str
    note: str | None
    at: datetime
    detail: dict[str, Any] | None


class AnomalyHistory(_Answer):
    """What happened to an anomaly, in its order."""

    anomaly_id: UUID
    history: list[AnomalyEvent]


class AnomalySeries(_Answer):
    """A metric around an anomaly, by column, with the band in which it is expected."""

    metric_name: str
    unit: str | None
    interval_seconds: int
    starts_at: list[datetime]
    values: list[float | None]
    expected: list[float | None] | None = Field(description="null where nothing tells it")
    low: list[float | None] | None
    high: list[float | None] | None


class AnomalyDetails(Anomaly):
    """An anomaly with the series around it and its history."""

    series: AnomalySeries | None = Field(description="null where the machine's readings are gone")
    history: list[AnomalyEvent]


class Suppression(_Answer):
    """A planned stop."""

    id: UUID
    machine_id: UUID
    machine_name: str
    start: datetime
    end: datetime
    reason: str
    actor: str
    created_at: datetime
    withdrawn_at: datetime | None
    withdrawn_by: str | None


class Suppressions(_Answer):
    """Planned stops, the newest first."""

    total_count: int
    suppressions: list[Suppression]


class _Figures(_Answer):
    count: int
    open: int
    false_alarms: int
    energy_kwh: float | None
    cost: float | None = Field(description="null where nothing tells it, or currencies differ")
    currency: str | None


class FiguresOfKind(_Figures):
    """Anomalies of one kind."""

    anomaly_type: str


class FiguresOfMachine(_Figures):
    """Anomalies of one machine."""

    machine_id: UUID
    machine_name: str


class AnomalySummary(_Figures):
    """Anomalies that began in a period."""

    time_period: TimePeriod
    acknowledged: int
    resolved: int
    false_alarm_rate: float | None = Field(
        description="false alarms among those that people resolved; null while they resolved none"
    )
    by_kind: list[FiguresOfKind]
    by_machine: list[FiguresOfMachine]
