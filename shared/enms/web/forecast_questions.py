"""What endpoint group `forecast` is asked: queries and bodies."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from enms.services.periods import Moment
from enms.services.regressor_checks import MOST_VALUES, NewRegressor, NewValue
from enms.web.parameters import PRINTABLE, EnergyType, moment

HorizonName = Literal["1h", "24h", "7d"]

_HORIZON = Field(description="`1h` in quarter hours, `24h` in hours, `7d` in local days", examples=["24h"])


class SubjectQuery(BaseModel):
    """A machine, or a factory as a whole."""

    model_config = ConfigDict(extra="forbid")

    machine_id: UUID | None = Field(None, description="the machine; or give factory_id")
    factory_id: UUID | None = Field(None, description="the factory: its summed load, forecast as a whole")
    energy_type: EnergyType = "electrical"


class DemandQuery(SubjectQuery):
    """Which forecast."""

    horizon: HorizonName = _HORIZON
    model: Literal["selected", "arima", "prophet"] = Field(
        "selected",
        description="`selected`: what proved best; `arima` (of `1h`) and `prophet` (of `24h` and `7d`) are "
        "kept beside it",
    )


class HistoryQuery(SubjectQuery):
    """In the steps of which forecast."""

    horizon: HorizonName = _HORIZON


class PeakQuery(SubjectQuery):
    """Which coming peak, and beside which limit."""

    horizon: Literal["24h", "7d"] = Field(description="how far to look", examples=["24h"])
    limit_kw: float | None = Field(
        None,
        gt=0,
        le=1e9,
        allow_inf_nan=False,
        description="contract demand, say; this month's peak so far by default",
    )


class ForecastModelsQuery(SubjectQuery):
    """Which models."""

    horizon: HorizonName | None = Field(None, description="all horizons by default")
    history: bool = Field(False, description="former versions too")


class AccuracyQuery(SubjectQuery):
    """Of which forecasts."""

    horizon: HorizonName = _HORIZON
    choice: Literal["selected", "arima", "prophet"] = Field("selected", description="of which model")
    start: Annotated[Moment, *moment("start")] | None = Field(
        None, description="first origin, or its day; four weeks before the end by default"
    )
    end: Annotated[Moment, *moment("end")] | None = Field(
        None, description="the instant after the last origin, or its day; now by default"
    )


class RegressorsQuery(BaseModel):
    """Which regressors, over which time."""

    model_config = ConfigDict(extra="forbid")

    machine_id: UUID | None = Field(None, description="the machine; or give factory_id")
    factory_id: UUID | None = Field(None, description="what holds for the whole factory")
    start: AwareDatetime | None = Field(None, description="first instant, with offset from UTC")
    end: AwareDatetime | None = Field(None, description="the instant after the last")
    name: Annotated[str, Field(max_length=100, pattern=PRINTABLE)] | None = None


class ForecastTrainBody(BaseModel):
    """What to train, and whether to wait for it."""

    model_config = ConfigDict(extra="forbid")

    machine_id: UUID | None = Field(None, description="the machine; or give factory_id")
    factory_id: UUID | None = Field(None, description="the factory as a whole")
    energy_type: EnergyType = "electrical"
    horizon: HorizonName = _HORIZON
    wait: bool = Field(
        True, description="false doesn't wait; what takes longer than a request may goes on as a run"
    )


class RegressorValue(BaseModel):
    """A value and when it holds."""

    model_config = ConfigDict(extra="forbid")

    start: Annotated[Moment, *moment("values.start")] = Field(
        description="first instant, with offset from UTC, or a day of the factory"
    )
    end: Annotated[Moment, *moment("values.end")] = Field(
        description="the instant after the last; a day counts wholly"
    )
    value: float = Field(
        description="in a unit of its own that stays the same; of a planned stop the share of the load that "
        "it takes away"
    )


class RegressorsBody(BaseModel):
    """What is known of the time to come: of a machine, or of a whole factory."""

    model_config = ConfigDict(extra="forbid")

    machine_id: UUID | None = Field(None, description="the machine; or give factory_id")
    factory_id: UUID | None = Field(None, description="the whole factory")
    name: str = Field(description="what it is called in answers", examples=["outdoor_temp_c"])
    kind: Literal["schedule", "temperature", "planned_stop", "other"]
    source: str | None = Field(None, description="where it comes from")
    history: bool = Field(
        False, description="true: the values lie in the past, and are only to be learned from"
    )
    values: list[RegressorValue] = Field(max_length=MOST_VALUES)

    def request(self) -> NewRegressor:
        """As the service takes it."""
        return NewRegressor(
            machine_id=self.machine_id,
            factory_id=self.factory_id,
            name=self.name,
            kind=self.kind,
            values=[NewValue(each.start, each.end, each.value) for each in self.values],
            source=self.source,
            is_history=self.history,
        )
