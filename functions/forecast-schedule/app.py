"""Endpoint group `forecast-schedule`: which loads to move so that the bill is least.

Apart from the group `forecast`, whose functions need no solver.
"""

from typing import Annotated

from fastapi import APIRouter

from enms.settings import ForecastScheduleSettings
from enms.web.access import viewer
from enms.web.app import DatabaseDependency, function_handler
from enms.web.parameters import documented, query
from enms.web.responses import JsonResponse, answers
from enms.web.schedule_questions import ProposalQuery, ScheduleBody

router = APIRouter(prefix="/api/v1/forecast", tags=["forecast"])


@router.get(
    "/optimal-schedule",
    responses=answers("LoadSchedule"),
    openapi_extra=documented(ProposalQuery),
    dependencies=[viewer],
)
def proposed_schedule(
    asked: Annotated[ProposalQuery, query(ProposalQuery)], database: DatabaseDependency
) -> JsonResponse:
    """What could be saved by moving the share of the load that history shows to be movable: an assumption."""
    # Imported here: it loads numpy.
    from enms.services import load_schedules

    return JsonResponse(load_schedules.proposed_schedule(database, asked.question()))


@router.post("/optimal-schedule", responses=answers("LoadSchedule"), dependencies=[viewer])
def optimal_schedule(body: ScheduleBody, database: DatabaseDependency) -> JsonResponse:
    """When to run jobs so that energy, demand and carbon cost least; nothing is kept."""
    from enms.services import load_schedules

    return JsonResponse(load_schedules.optimal_schedule(database, body.request()))


handler = function_handler(router, ForecastScheduleSettings)
