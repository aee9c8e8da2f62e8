"""Endpoint group `catalog`: health, documentation, factories, machines and their series."""

import csv
import io
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from enms.database.catalog import MachineFilter
from enms.services import catalog
from enms.services import health as health_service
from enms.services.catalog import SeriesInterval, SeriesRequest
from enms.services.periods import moment_text
from enms.settings import CatalogSettings
from enms.web import documentation
from enms.web.access import viewer
from enms.web.app import DatabaseDependency, function_handler
from enms.web.parameters import PRINTABLE, EnergyType, PeriodQuery
from enms.web.responses import JsonResponse, answers

router = APIRouter(dependencies=[viewer])

MachineType = Literal[
    "compressor", "hvac", "motor", "pump", "injection_molding", "conveyor", "boiler", "other"
]
OperatingMode = Literal["idle", "running", "maintenance", "fault", "offline"]


_SERIES_ANSWERS = answers("Series")
_SERIES_ANSWERS[200]["content"]["text/csv"] = {"schema": {"type": "string"}}


class MachinesQuery(BaseModel):
    """Which machines."""

    model_config = ConfigDict(extra="forbid")

    factory_id: UUID | None = None
    factory: str | None = Field(None, pattern=PRINTABLE, description="the factory's name")
    type: MachineType | None = None
    active: bool | None = None
    status: OperatingMode | None = Field(None, description="last operating mode")
    limit: int = Field(50, ge=1, le=500)
    offset: int = Field(0, ge=0, le=1_000_000)


class SeriesQuery(PeriodQuery):
    """Which metric over which period."""

    metric: str = Field(
        "power_kw", max_length=100, pattern=PRINTABLE, description="one of the machine's `metrics`"
    )
    interval: SeriesInterval | None = Field(
        None, description="width of a point; wider where 2 000 points don't suffice"
    )
    energy_type: EnergyType = "electrical"


@router.get(
    "/health",
    responses=answers("Health") | answers("Health", 503, "Something that the service needs is gone"),
    tags=["service"],
)
def health(request: Request, database: DatabaseDependency) -> JsonResponse:
    """Whether the service can do its work; 503 with the same body when it can't."""
    state = health_service.health(database, request.app.state.settings)
    return JsonResponse(state, status_code=200 if state["status"] == "healthy" else 503)


@router.get("/docs", include_in_schema=False)
def docs() -> Response:
    """The API's documentation to try it out."""
    return documentation.page()


@router.get("/docs/{asset}", include_in_schema=False)
def docs_asset(asset: str) -> Response:
    """What the documentation is made of: no other server is asked."""
    return documentation.asset(asset)


@router.get("/openapi.json", include_in_schema=False)
def openapi() -> Response:
    """The API's description for programs."""
    return documentation.openapi()


@router.get("/api/v1/factories", responses=answers("Factories"), tags=["catalog"])
def factories(database: DatabaseDependency) -> JsonResponse:
    """All factories."""
    return JsonResponse(catalog.factories(database))


@router.get("/api/v1/machines", responses=answers("Machines"), tags=["catalog"])
def machines(asked: Annotated[MachinesQuery, Query()], database: DatabaseDependency) -> JsonResponse:
    """Machines by factory, type, activity and last operating mode; a page at a time."""
    wanted = MachineFilter(**asked.model_dump(exclude={"limit", "offset"}))
    return JsonResponse(catalog.machines(database, wanted, asked.limit, asked.offset))


@router.get("/api/v1/machines/{machine_id}", responses=answers("MachineDetails"), tags=["catalog"])
def machine(machine_id: UUID, database: DatabaseDependency) -> JsonResponse:
    """One machine, and what is recorded of it."""
    return JsonResponse(catalog.machine(database, machine_id))


@router.get(
    "/api/v1/machines/{machine_id}/series",
    responses=_SERIES_ANSWERS,
    tags=["catalog"],
)
def series(
    machine_id: UUID,
    asked: Annotated[SeriesQuery, Query()],
    database: DatabaseDependency,
    accept: Annotated[str, Header()] = "application/json",
) -> Response:
    """A metric over time, at most 2 000 points; CSV with `Accept: text/csv`."""
    request = SeriesRequest(
        machine_id, asked.metric, asked.start, asked.end, asked.interval, asked.energy_type
    )
    found = catalog.series(database, request)
    return _csv(found["data"]) if "text/csv" in accept else JsonResponse(found)


def _csv(columns: dict[str, list[object]]) -> Response:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for time, *rest in zip(*columns.values(), strict=True):
        writer.writerow([moment_text(time), *rest])
    return Response(text.getvalue(), media_type="text/csv")


handler = function_handler(router, CatalogSettings)
