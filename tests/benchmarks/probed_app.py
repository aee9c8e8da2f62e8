"""The development application and one route more, which does nothing but ask the database for a one."""

from fastapi import FastAPI

from enms.web.access import viewer
from enms.web.app import DatabaseDependency
from enms.web.responses import JsonResponse
from enms_local.development import create_app as create_development_app


def create_app() -> FastAPI:
    """The application to measure."""
    app = create_development_app()

    @app.get("/probe", dependencies=[viewer])
    def probe(database: DatabaseDependency) -> JsonResponse:
        return JsonResponse(database.row("SELECT 1 AS one"))

    return app
