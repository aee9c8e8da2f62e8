"""Endpoint group `anomaly`: finding anomalies, and what people do with them.

Services are imported where a route needs them: the lists answer without numpy.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Request, Response

from enms.database.connection import Database
from enms.services.anomaly_lists import Answer
from enms.settings import AnomalySettings
from enms.web.access import Caller, engineer, viewer
from enms.web.anomaly_questions import (
    ActiveQuery,
    DetectBody,
    NotesBody,
    RecentQuery,
    ResolutionBody,
    SummaryQuery,
    SuppressionBody,
    SuppressionsQuery,
)
from enms.web.app import DatabaseDependency, ModelStoreDependency, function_handler
from enms.web.parameters import documented, query
from enms.web.responses import JsonResponse, answers

router = APIRouter(prefix="/api/v1/anomaly", tags=["anomaly"])

_LIST: dict[int | str, dict[str, Any]] = answers("Anomalies")
_LIST[200]["content"]["text/csv"] = {"schema": {"type": "string"}}


@router.post("/detect", responses=answers("DetectedAnomalies"))
def detect(
    body: DetectBody,
    request: Request,
    background: BackgroundTasks,
    database: DatabaseDependency,
    store: ModelStoreDependency,
    caller: Annotated[Caller, engineer],
) -> JsonResponse:
    """Looks for anomalies in a period of a machine, and keeps what it finds."""
    from enms.services import detection

    settings: AnomalySettings = request.app.state.settings
    answer = detection.detect(database, store, settings, body.request(), caller.actor)
    if body.store:
        _publish_soon(background, database, settings)
    return JsonResponse(answer)


@router.get("/recent", responses=_LIST, openapi_extra=documented(RecentQuery), dependencies=[viewer])
def recent(
    asked: Annotated[RecentQuery, query(RecentQuery)], request: Request, database: DatabaseDependency
) -> Response:
    """Anomalies of the last 24 hours, or of the time that is asked for, the newest first."""
    from enms.services import anomaly_lists

    return _listed(request, anomaly_lists.recent(database, asked.wanted(), asked.limit, asked.cursor))


@router.get("/active", responses=_LIST, openapi_extra=documented(ActiveQuery), dependencies=[viewer])
def active(
    asked: Annotated[ActiveQuery, query(ActiveQuery)], request: Request, database: DatabaseDependency
) -> Response:
    """Anomalies that nobody has resolved, the dearest first."""
    from enms.services import anomaly_lists

    return _listed(request, anomaly_lists.active(database, asked.wanted(), asked.limit, asked.cursor))


@router.get(
    "/summary",
    responses=answers("AnomalySummary"),
    openapi_extra=documented(SummaryQuery),
    dependencies=[viewer],
)
def summary(
    asked: Annotated[SummaryQuery, query(SummaryQuery)], database: DatabaseDependency
) -> JsonResponse:
    """Counts, energy and money by kind and machine, and how many were false alarms."""
    from enms.services import anomaly_lists

    return JsonResponse(
        anomaly_lists.summary(database, asked.machine_id, asked.factory_id, asked.start, asked.end)
    )


@router.get(
    "/suppressions",
    responses=answers("Suppressions"),
    openapi_extra=documented(SuppressionsQuery),
    dependencies=[viewer],
)
def suppressions(
    asked: Annotated[SuppressionsQuery, query(SuppressionsQuery)], database: DatabaseDependency
) -> JsonResponse:
    """Planned stops."""
    from enms.services import anomaly_suppressions

    return JsonResponse(anomaly_suppressions.listed(database, asked.machine_id, asked.at))


@router.post("/suppressions", status_code=201, responses=answers("Suppression", 201))
def suppress(
    body: SuppressionBody, database: DatabaseDependency, caller: Annotated[Caller, engineer]
) -> JsonResponse:
    """Keeps a planned stop: nothing is raised in it."""
    from enms.services import anomaly_suppressions

    answer = anomaly_suppressions.add(
        database, body.machine_id, body.start, body.end, body.reason, caller.actor
    )
    return JsonResponse(answer, status_code=201)


@router.delete("/suppressions/{suppression_id}", responses=answers("Suppression"))
def withdraw(
    suppression_id: UUID, database: DatabaseDependency, caller: Annotated[Caller, engineer]
) -> JsonResponse:
    """Takes a planned stop back; it stays on record."""
    from enms.services import anomaly_suppressions

    return JsonResponse(anomaly_suppressions.withdraw(database, suppression_id, caller.actor))


@router.get("/{anomaly_id}", responses=answers("AnomalyDetails"), dependencies=[viewer])
def anomaly(anomaly_id: UUID, database: DatabaseDependency, store: ModelStoreDependency) -> JsonResponse:
    """One anomaly with the series around it, what drove it, and its history."""
    from enms.services import anomaly_pages

    return JsonResponse(anomaly_pages.page(database, store, anomaly_id))


@router.get("/{anomaly_id}/history", responses=answers("AnomalyHistory"), dependencies=[viewer])
def history(anomaly_id: UUID, database: DatabaseDependency) -> JsonResponse:
    """What happened to it: who did what, when, and why."""
    from enms.services import anomaly_lists

    return JsonResponse(anomaly_lists.history(database, anomaly_id))


@router.put("/{anomaly_id}/acknowledge", responses=answers("Anomaly"))
def acknowledge(
    anomaly_id: UUID,
    database: DatabaseDependency,
    caller: Annotated[Caller, engineer],
    body: NotesBody | None = None,
) -> JsonResponse:
    """Says that somebody looks after it."""
    from enms.services import anomaly_life

    notes = body.notes if body else None
    return JsonResponse(anomaly_life.acknowledge(database, anomaly_id, caller.actor, notes))


@router.put("/{anomaly_id}/resolve", responses=answers("Anomaly"))
def resolve(
    anomaly_id: UUID,
    body: ResolutionBody,
    request: Request,
    background: BackgroundTasks,
    database: DatabaseDependency,
    caller: Annotated[Caller, engineer],
) -> JsonResponse:
    """Closes it; from a false alarm detection learns."""
    from enms.services import anomaly_life

    answer = anomaly_life.resolve(database, anomaly_id, caller.actor, body.notes, body.outcome)
    _publish_soon(background, database, request.app.state.settings)
    return JsonResponse(answer)


def _listed(request: Request, page: Answer) -> Response:
    """A page as JSON, or as CSV for who prefers it; `Link` leads to the next page of a CSV."""
    vary = {"vary": "Accept"}
    if "text/csv" not in request.headers.get("accept", ""):
        return JsonResponse(page, headers=vary)
    from enms.services.anomaly_exports import anomalies_csv

    headers = vary | {"content-disposition": 'attachment; filename="anomalies.csv"'}
    if page["next_cursor"]:
        following = request.url.include_query_params(cursor=page["next_cursor"])
        headers["link"] = f'<?{following.query}>; rel="next"'
    return Response(anomalies_csv(page["anomalies"]), media_type="text/csv", headers=headers)


def _publish_soon(background: BackgroundTasks, database: Database, settings: AnomalySettings) -> None:
    """Has events sent once the answer is made; what can't be sent waits for the next detection."""
    from enms.services import anomaly_events

    background.add_task(anomaly_events.publish_waiting, database, settings.anomaly_bus)


handler = function_handler(router, AnomalySettings)
