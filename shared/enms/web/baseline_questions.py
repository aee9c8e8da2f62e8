"""What endpoint group `baseline` is asked: queries and bodies."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from enms.errors import InvalidInputError
from enms.services.baseline_requests import FactoryQuestion, Question, TrainingRequest
from enms.services.periods import Moment
from enms.web.parameters import PRINTABLE, EnergyType, FactoryQuery, PeriodQuery, moment

Interval = Literal["hour", "day"]
_PAGE_LIMIT = Field(50, ge=1, le=500)
_PAGE_OFFSET = Field(0, ge=0, le=1_000_000)
DriverName = Annotated[str, Field(min_length=1, max_length=120, pattern=PRINTABLE)]
DriverNames = Annotated[list[DriverName], Field(min_length=1, max_length=60)]

# PostgreSQL's texts hold no NUL.
Sentence = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")]
_REASON = Field(None, description="kept with the model")


def _drivers(given: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """One complaint of a wrong list, in place of one for each kind of value that it might have been."""
    try:
        return check(given)
    except ValidationError:
        allowed = "`auto`, or a list of 1 to 60 names of drivers"
        raise InvalidInputError(
            f"drivers: give {allowed}.", parameter="drivers", given=given, allowed=allowed
        ) from None


class TrainingBody(BaseModel):
    """What is to be trained, or analysed."""

    model_config = ConfigDict(extra="forbid")

    machine_id: UUID
    start_date: Annotated[Moment, *moment("start_date")] = Field(
        description="start of the training period", examples=["2026-01-01"]
    )
    end_date: Annotated[Moment, *moment("end_date")] = Field(
        description="its end, itself outside; a day counts wholly", examples=["2026-03-31"]
    )
    drivers: Annotated[Literal["auto"] | DriverNames, WrapValidator(_drivers)] = Field(
        "auto", description="names of drivers, or `auto` to have them chosen"
    )
    model: Literal["linear", "change_point", "time_of_week_temperature", "auto"] = "linear"
    interval: Interval = "hour"
    energy_type: EnergyType = "electrical"

    def request(self, **more: Any) -> TrainingRequest:
        """As the service takes it."""
        drivers = None if self.drivers == "auto" else tuple(dict.fromkeys(self.drivers))
        return TrainingRequest(
            self.machine_id, self.start_date, self.end_date, drivers, self.model, self.interval,
            self.energy_type, **more,
        )  # fmt: skip


class TrainBody(TrainingBody):
    """What is to be trained and kept."""

    force: bool = Field(
        False, description="train anew what is there, and make it active whatever the verdict"
    )
    reason: Sentence | None = _REASON


class PeriodOfMachine(PeriodQuery):
    """A machine's period beside its baseline."""

    machine_id: UUID
    energy_type: EnergyType = "electrical"
    model_id: UUID | None = Field(None, description="a certain version; the active one by default")

    def question(self) -> Question:
        """As the services take it."""
        return Question(self.machine_id, self.start, self.end, self.energy_type, self.model_id)


class DeviationQuery(PeriodOfMachine):
    """What is listed beside the total."""

    interval: Interval | None = Field(None, description="hours or days; the model's own by default")


class OverviewQuery(FactoryQuery):
    """A factory's machines beside their baselines."""

    limit: int = Field(100, ge=1, le=100)

    def question(self) -> FactoryQuestion:
        """As the service takes it."""
        return FactoryQuestion(
            self.factory_id, self.start, self.end, self.energy_type, self.limit, self.offset
        )


class DriversQuery(PeriodQuery):
    """A machine's period whose drivers are asked for."""

    machine_id: UUID
    interval: Interval = "hour"
    energy_type: EnergyType = "electrical"


class ModelsQuery(BaseModel):
    """Which models."""

    model_config = ConfigDict(extra="forbid")

    machine_id: UUID | None = None
    energy_type: EnergyType | None = None
    active: bool | None = None
    limit: int = _PAGE_LIMIT
    offset: int = _PAGE_OFFSET


class HealthQuery(BaseModel):
    """Whose baselines."""

    model_config = ConfigDict(extra="forbid")

    machine_id: UUID | None = None
    factory_id: UUID | None = None
    energy_type: EnergyType = "electrical"
    limit: int = Field(50, ge=1, le=100)
    offset: int = _PAGE_OFFSET


class AdjustmentsQuery(BaseModel):
    """Which adjustments."""

    model_config = ConfigDict(extra="forbid")

    machine_id: UUID
    energy_type: EnergyType = "electrical"
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    withdrawn: bool = Field(False, description="whether those that were withdrawn are listed too")


class AdjustmentBody(BaseModel):
    """What a person says of an event that no driver explains."""

    model_config = ConfigDict(extra="forbid")

    machine_id: UUID
    start: AwareDatetime = Field(description="since when, with offset from UTC")
    end: AwareDatetime | None = Field(None, description="first instant without it; none while it lasts")
    kwh_per_hour: float = Field(
        allow_inf_nan=False, description="how much more the machine uses because of it; negative: less"
    )
    reason: Annotated[Sentence, Field(min_length=3)]
    decision: Literal["accepted", "refused"] = Field(
        "accepted", description="`refused` adjusts nothing and keeps the event from being proposed again"
    )
    energy_type: EnergyType = "electrical"


class ActivationBody(BaseModel):
    """Why a version is made the active one."""

    model_config = ConfigDict(extra="forbid")

    reason: Sentence | None = _REASON
