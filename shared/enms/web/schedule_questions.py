"""What `forecast/optimal-schedule` is asked: the query and the body."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from enms.services.forecast_current import ForecastQuestion
from enms.services.periods import Moment
from enms.web.forecast_questions import SubjectQuery
from enms.web.parameters import PRINTABLE, EnergyType, moment

Name = Annotated[str, Field(min_length=1, max_length=100, pattern=PRINTABLE)]


class ProposalQuery(SubjectQuery):
    """Whose history, and how far to plan."""

    horizon: Literal["24h", "7d"] = Field("24h", description="how far to plan", examples=["24h"])

    def question(self) -> ForecastQuestion:
        """As the service takes it."""
        return ForecastQuestion(self.machine_id, self.factory_id, self.energy_type, self.horizon)


class ScheduleJob(BaseModel):
    """A job that can move. What its figures may be is checked where the job is named in the answer."""

    model_config = ConfigDict(extra="forbid")

    id: Name = Field(examples=["batch 12"])
    machine_id: UUID | None = Field(None, description="what it runs on, one job at a time")
    name: Name | None = Field(None, description="for people; it changes nothing")
    power_kw: float | None = Field(None, description="its power; or give profile_kw", examples=[80])
    profile_kw: list[float] | None = Field(
        None, max_length=10_000, description="mean power of each of its quarter hours"
    )
    duration_minutes: float | None = Field(None, description="how long it runs", examples=[120])
    earliest_start: Annotated[Moment, *moment("earliest_start")] | None = Field(
        None, description="the plan's start by default"
    )
    deadline: Annotated[Moment, *moment("deadline")] | None = Field(
        None, description="when it has to be done; the plan's end by default; a day counts wholly"
    )
    planned_start: Annotated[Moment, *moment("planned_start")] | None = Field(
        None, description="when it would start if nobody moved it; as soon as it can by default"
    )
    interruptible: bool = Field(False, description="whether it may pause")
    min_run_minutes: float | None = Field(None, description="how long it runs at least between two pauses")
    allowed_hours: list[Any] | None = Field(
        None,
        max_length=100,
        description="factory's hours in which it may run: [from, until], until itself outside and passing "
        "midnight where it is the smaller one; several of these; or the single hours where more than two",
        examples=[[22, 6]],
    )
    after: list[Name] | None = Field(
        None, max_length=200, description="ids of jobs that have to be done before it starts"
    )


class ScheduleBody(BaseModel):
    """Jobs, and the site that they run at."""

    model_config = ConfigDict(extra="forbid")

    factory_id: UUID
    start: Annotated[Moment, *moment("start")] = Field(
        description="start of the plan: an instant on a quarter hour, or a day of the factory"
    )
    end: Annotated[Moment, *moment("end")] = Field(description="its end, itself outside; a day counts wholly")
    jobs: list[ScheduleJob] = Field(max_length=10_000, description="at most 200")
    energy_type: EnergyType = "electrical"
    site_limit_kw: float | None = Field(None, description="what may be bought at most")
    margin: Literal["forecast", "none"] = Field(
        "forecast",
        description="`forecast` keeps the limit with what the other load may turn out higher by (its 90 % "
        "quantile)",
    )
    max_parallel: int | None = Field(None, description="how many of the jobs may run at once")
    carbon_price_per_kg: float = Field(0.0, description="price of emissions, in the tariffs' currency")
    demand_share: float = Field(
        1.0, description="share of the month's demand charge that counts: 1 is what the bill says"
    )
    solar_kw: list[float] | None = Field(
        None, max_length=10_000, description="what is made on site, for each quarter hour of the plan"
    )
    export_price_per_kwh: float = Field(0.0, description="what surplus of it is paid")
    base_load: Literal["forecast", "none"] = Field(
        "forecast", description="the load beside the jobs: as it is forecast, or none"
    )
    jobs_are_in_base: bool = Field(
        False,
        description="that load holds the jobs where they are planned, as it does those of a proposal: "
        "it is counted without them",
    )
    base_kw: list[float] | None = Field(
        None, max_length=10_000, description="that load as you know it, for each quarter hour"
    )
    time_limit_seconds: float = Field(10.0, description="how long to look, 1 to 15")

    def request(self) -> dict[str, Any]:
        """As the service takes it."""
        return self.model_dump()
