"""Query parameters that several endpoint groups share."""

import re
from datetime import date, datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, WithJsonSchema

from enms.database.subjects import SubjectKind
from enms.errors import InvalidInputError
from enms.services.periods import Moment

_ALLOWED_MOMENTS = (
    "an instant with offset (2026-03-27T08:00:00Z, 2026-03-27T08:00:00+01:00) "
    "or a day of the factory (2026-03-27)"
)
_YEARS = range(1970, 2200)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
# `+` means a space in a query string: who wrote +01:00 without quoting it gets what they meant.
_UNQUOTED_PLUS = re.compile(r" (?=\d{2}:?\d{2}$)")


def parse_moment(parameter: str, text: object) -> Moment:
    """Reads an ISO 8601 instant with offset, or a plain date.

    Raises:
        InvalidInputError: It is neither; or an instant without offset, which could mean anything.
    """
    if not isinstance(text, str):
        raise _refused(parameter, text, "is no text")
    try:
        moment: Moment
        if _DAY.fullmatch(text):
            moment = date.fromisoformat(text)
        else:
            moment = datetime.fromisoformat(_UNQUOTED_PLUS.sub("+", text))
    except ValueError:
        raise _refused(parameter, text, "can't be read as a time") from None
    if isinstance(moment, datetime) and moment.utcoffset() is None:
        raise _refused(parameter, text, "has no offset from UTC")
    if moment.year not in _YEARS:
        raise _refused(parameter, text, f"lies outside the years {_YEARS.start} to {_YEARS.stop - 1}")
    return moment


def _refused(parameter: str, given: object, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"{parameter}: {given!r} {why}; give {_ALLOWED_MOMENTS}.",
        parameter=parameter,
        given=given,
        allowed=_ALLOWED_MOMENTS,
    )


# PostgreSQL's texts hold no NUL.
PRINTABLE = r"^[^\x00-\x1f]+$"

EnergyType = Annotated[
    str,
    Field(
        min_length=1, max_length=50, pattern=r"^[\w .-]+$", description="carrier; electricity is `electrical`"
    ),
]


def moment(parameter: str) -> tuple[PlainValidator, WithJsonSchema]:
    """What makes a field a moment: its validator, and its schema for the document."""
    return PlainValidator(partial(parse_moment, parameter)), WithJsonSchema({"type": "string"})


class PeriodQuery(BaseModel):
    """A period that is asked for; an unknown parameter may be a slip of the pen and is refused."""

    model_config = ConfigDict(extra="forbid")

    start: Annotated[Moment, *moment("start")] = Field(
        description=f"start of the period: {_ALLOWED_MOMENTS}; a day means its 00:00",
        examples=["2026-03-27T00:00:00Z"],
    )
    end: Annotated[Moment, *moment("end")] = Field(
        description="end of the period, itself outside it; a day means the 00:00 that ends it",
        examples=["2026-03-28T00:00:00Z"],
    )


class FactoryQuery(PeriodQuery):
    """A page of a factory's active machines over a period."""

    factory_id: UUID
    energy_type: EnergyType = "electrical"
    offset: int = Field(0, ge=0, le=1_000_000)


class SubjectQuery(PeriodQuery):
    """A machine or a factory over a period."""

    machine_id: UUID | None = Field(None, description="the machine; or give factory_id")
    factory_id: UUID | None = Field(None, description="the factory: figures of its summed load")
    energy_type: EnergyType = "electrical"

    def subject(self) -> tuple[SubjectKind, UUID]:
        """Kind and id of what is asked about.

        Raises:
            InvalidInputError: Both ids or neither were given.
        """
        if self.machine_id and not self.factory_id:
            return "machine", self.machine_id
        if self.factory_id and not self.machine_id:
            return "factory", self.factory_id
        raise InvalidInputError(
            "machine_id: give either machine_id or factory_id.",
            parameter="machine_id",
            given=f"{self.machine_id}, and factory_id {self.factory_id}" if self.machine_id else None,
            allowed="either machine_id or factory_id",
        )


def query(model: type[BaseModel]) -> Any:
    """A dependency that reads a model from the query, by pydantic alone.

    FastAPI's own way takes three times as long at each request.
    """

    async def read(request: Request) -> BaseModel:
        try:
            return model.model_validate(dict(request.query_params))
        except ValidationError as invalid:
            found = [{**error, "loc": ("query", *error["loc"])} for error in invalid.errors()]
            raise RequestValidationError(found) from None

    return Depends(read)


def documented(model: type[BaseModel]) -> dict[str, Any]:
    """The same parameters for the OpenAPI document: a route's `openapi_extra`."""
    schema = model.model_json_schema()
    required = schema.get("required", ())
    return {
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": name in required,
                "description": described.pop("description", ""),
                "schema": described,
            }
            for name, described in schema["properties"].items()
        ]
    }
