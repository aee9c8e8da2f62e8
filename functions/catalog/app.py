"""Endpoint group `catalog`: health, documentation, and what there is: factories, machines and their series."""

from fastapi import APIRouter, Request

from enms.services import health as health_service
from enms.settings import CatalogSettings
from enms.web.models import Health
from enms.web.access import viewer
from enms.web.app import DatabaseDependency, function_handler
from enms.web.responses import JsonResponse

router = APIRouter()


@router.get(
    "/health",
    response_model=Health,
    responses={503: {"model": Health}},
    dependencies=[viewer],
    tags=["service"],
)
def health(request: Request, database: DatabaseDependency) -> JsonResponse:
    """Whether the service can do its work; 503 with the same body when it can't."""
    state = health_service.health(database, request.app.state.settings)
    return JsonResponse(state, status_code=200 if state["status"] == "healthy" else 503)


handler = function_handler(router, CatalogSettings)
