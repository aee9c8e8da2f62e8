"""What endpoint group `anomaly` is asked: queries and bodies."""

from dataclasses import replace
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from enms.database.anomaly_lists import AnomalyFilter
from enms.services.anomaly_requests import DetectionRequest
from enms.services.periods import Moment
from enms.web.parameters import PRINTABLE, EnergyType, moment

# PostgreSQL's texts hold no NUL.
Sentence = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")]
Cursor = Annotated[
    str,
    Field(max_length=1000, pattern=PRINTABLE, description="`next_cursor` of the page before, unchanged"),
]
_PAGE_LIMIT = Field(50, ge=1, le=500)
_NOTES = Field(None, description="kept in its history")


class DetectBody(BaseModel):
    """Where and when to look for anomalies."""

    model_config = ConfigDict(extra="forbid")

    machine_id: UUID
    start: Annotated[Moment, *moment("start")] = Field(
        description="start of the period: an instant with offset, or a day of the factory",
        examples=["2026-03-27T00:00:00Z"],
    )
    end: Annotated[Moment, *moment("end")] = Field(
        description="its end, itself outside; a day counts wholly", examples=["2026-03-28T00:00:00Z"]
    )
    contamination: float = Field(
        0.1,
        gt=0,
        le=0.5,
        allow_inf_nan=False,
        description="share of intervals that the forest may take for odd: less gives the same candidates "
        "or fewer, more never loosens the budget",
    )
    store: bool = Field(True, description="false tells what is found, and keeps nothing")
    budget: Literal["on", "off"] = Field(
        "on",
        description="`off` tells every candidate of 2 σ and 3 σ, whatever the budget of false alarms, and "
        "keeps none",
    )
    energy_type: EnergyType = "electrical"

    def request(self) -> DetectionRequest:
        """As the service takes it."""
        return DetectionRequest(
            machine_id=self.machine_id,
            start=self.start,
            end=self.end,
            contamination=self.contamination,
            energy_type=self.energy_type,
            with_budget=self.budget == "on",
            is_stored=self.store,
        )


class ActiveQuery(BaseModel):
    """Which unresolved anomalies, and which page of them."""

    model_config = ConfigDict(extra="forbid")

    machine_id: UUID | None = None
    factory_id: UUID | None = None
    severity: Literal["warning", "critical"] | None = None
    anomaly_type: Annotated[str, Field(max_length=100, pattern=PRINTABLE)] | None = Field(
        None, description="kind, such as `power_spike`"
    )
    state: Literal["open", "acknowledged", "resolved", "false_alarm", "expected"] | None = None
    limit: int = _PAGE_LIMIT
    cursor: Cursor | None = None

    def wanted(self) -> AnomalyFilter:
        """As the service takes it."""
        return AnomalyFilter(
            machine_id=self.machine_id,
            factory_id=self.factory_id,
            severity=self.severity,
            anomaly_type=self.anomaly_type,
            state=self.state,
        )


class RecentQuery(ActiveQuery):
    """Which anomalies, and which page of them."""

    since: AwareDatetime | None = Field(
        None, description="first instant of `detected_at`, with offset from UTC; 24 hours ago by default"
    )
    until: AwareDatetime | None = Field(None, description="the instant after its last")

    def wanted(self) -> AnomalyFilter:
        """As the service takes it."""
        return replace(super().wanted(), since=self.since, until=self.until)


class SummaryQuery(BaseModel):
    """Of what, and of which period."""

    model_config = ConfigDict(extra="forbid")

    machine_id: UUID | None = None
    factory_id: UUID | None = None
    start: Annotated[Moment, *moment("start")] | None = Field(
        None, description="start of the period, or its first day; 30 days before its end by default"
    )
    end: Annotated[Moment, *moment("end")] | None = Field(
        None, description="its end, itself outside, or its last day; now by default"
    )


class NotesBody(BaseModel):
    """What somebody says who looks after an anomaly."""

    model_config = ConfigDict(extra="forbid")

    notes: Sentence | None = _NOTES


class ResolutionBody(NotesBody):
    """How an anomaly came out."""

    outcome: Literal["fixed", "false_alarm", "expected"] = Field(
        description="`fixed`: it was real and is gone; `false_alarm`: nothing was wrong, and its like isn't "
        "raised again; `expected`: it was planned, or is right as it is"
    )


class SuppressionsQuery(BaseModel):
    """Which planned stops."""

    model_config = ConfigDict(extra="forbid")

    machine_id: UUID | None = None
    at: AwareDatetime | None = Field(None, description="those that hold at this instant; all by default")


class SuppressionBody(BaseModel):
    """A planned stop: a period in which nothing is raised."""

    model_config = ConfigDict(extra="forbid")

    machine_id: UUID
    start: AwareDatetime = Field(description="its first instant, with offset from UTC")
    end: AwareDatetime = Field(description="the instant after its last")
    reason: Annotated[Sentence, Field(min_length=3)]
