"""What answers about schedules look like: the OpenAPI document is made of these."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ScheduleCost(_Answer):
    """Cost of the whole load over the plan."""

    energy: float = Field(description="by time of use, less what surplus is paid")
    demand: float = Field(description="months' demand charges, on the peak or the month's so far")
    carbon: float = Field(description="emissions at their price")
    total: float


class ScheduledRun(_Answer):
    """A job's run, in one piece; a job that pauses has several."""

    job_id: str
    start: datetime
    end: datetime
    power_kw: float = Field(description="mean power")
    now_start: datetime | None = Field(None, description="where the job stood before")
    now_end: datetime | None = None


class PlannedJob(_Answer):
    """A job as it was understood."""

    id: str
    name: str | None
    machine_id: UUID | None
    power_kw: float | None
    profile_kw: list[float] | None
    duration_minutes: float
    earliest_start: datetime
    deadline: datetime
    planned_start: datetime
    interruptible: bool
    min_run_minutes: float | None
    allowed_hours: list[Any] | None
    after: list[str] | None
    why: str | None = Field(description="of a proposed job: what of the history suggests it")


class UnmovedJob(_Answer):
    """A job that stands where it stood."""

    job_id: str
    reason: str


class TariffBand(_Answer):
    """A time of one price."""

    start: datetime
    end: datetime
    name: str
    rate_per_kwh: float


class ScheduleLoad(_Answer):
    """The whole load before and after, in quarter hours."""

    now: list[float]
    then: list[float] | None


class ScheduleMargin(_Answer):
    """What is kept below the site's limit."""

    kw: float = Field(description="at most, over the plan's quarter hours")
    cost: float | None = Field(description="at least so much would be saved without it")


class ScheduleClash(_Answer):
    """A constraint that can't be kept together with the others named."""

    constraint: str
    text: str


class ScheduleRelaxation(_Answer):
    """The smallest change of one constraint after which there is a schedule."""

    constraint: str
    amount: float | None
    unit: str | None
    text: str


class LoadSchedule(_Answer):
    """Which loads to move, and what that saves."""

    machine_id: UUID | None = None
    machine_name: str | None = None
    factory_id: UUID | None = None
    factory_name: str | None = None
    energy_type: str
    timezone: str
    currency: str
    start: datetime
    end: datetime
    step_minutes: int
    is_assumption: bool = Field(description="jobs were proposed from the history")
    status: Literal["optimal", "feasible", "infeasible", "unknown"] = Field(
        description="`optimal`: proven to half a per cent; `feasible`: the best found in the time there was; "
        "`unknown`: none was found in it"
    )
    gap: float | None = Field(
        description="share of the jobs' energy and the demand charge that a better one might save at most"
    )
    solve_seconds: float
    schedule: list[ScheduledRun]
    cost_now: ScheduleCost
    cost_then: ScheduleCost | None
    saving: float | None
    kwh_moved: float | None
    co2_saved_kg: float | None
    peak_now_kw: float
    peak_then_kw: float | None
    peak_so_far_this_month_kw: float | None
    site_limit_kw: float | None
    margin: ScheduleMargin | None
    unmoved: list[UnmovedJob]
    clashes: list[ScheduleClash]
    relaxation: ScheduleRelaxation | None = Field(description="the first of `relaxations`")
    relaxations: list[ScheduleRelaxation]
    jobs: list[PlannedJob]
    bands: list[TariffBand]
    load_kw: ScheduleLoad
    notes: list[str]
