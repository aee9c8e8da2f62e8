"""The application of an endpoint group, and its Lambda handler."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.middleware.cors import CORSMiddleware

from enms import __version__, observability
from enms.artifacts import ModelStore
from enms.database.connection import Database
from enms.services.connect import connect, model_store
from enms.settings import ApiSettings
from enms.web import problems
from enms.web.middleware import RequestContext
from enms.web.write_guard import WriteGuard

TITLE = "EnMS Analytics"


def create_app(
    routers: Sequence[APIRouter], settings: ApiSettings, database: Database | None = None
) -> FastAPI:
    """One application for one or more endpoint groups.

    Args:
        routers: The groups' routes.
        settings: What an operator set.
        database: The database, where the caller has one already.
    """
    observability.configure(settings)
    app = FastAPI(
        title=TITLE,
        version=__version__,
        description="Analytics of an ISO 50001 energy management system.",
        servers=[{"url": settings.public_prefix}],
        # The group `catalog` serves them, with assets of our own.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        responses=problems.PROBLEM_RESPONSES,
    )
    app.state.settings = settings
    app.state.database = database or connect(settings)
    for router in routers:
        app.include_router(router)
    problems.install(app)
    app.add_middleware(WriteGuard, allowed_origins=settings.cors_allowed_origins)
    if settings.cors_allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_allowed_origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Content-Type", "Accept"],
            expose_headers=["Location", "X-Request-Id"],
            max_age=3600,
        )
    app.add_middleware(RequestContext, public_prefix=settings.public_prefix)
    return app


def function_handler(
    router: APIRouter, settings: type[ApiSettings]
) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The Lambda handler of a group; settings are read and the application is made at the first event."""

    @cache
    def adapter() -> Any:
        from mangum import Mangum

        app = create_app([router], settings.from_environment())
        return Mangum(app, lifespan="off", text_mime_types=["text/", "application/"])

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        answer: dict[str, Any] = adapter()(event, context)
        return answer

    return handler


async def _database(request: Request) -> Database:
    # `async`, or FastAPI would send it to a thread, which costs more than all that it does.
    database: Database = request.app.state.database
    return database


DatabaseDependency = Annotated[Database, Depends(_database)]


async def _model_store(request: Request) -> ModelStore:
    # One for all requests: it keeps what it has verified.
    state = request.app.state
    if not hasattr(state, "model_store"):
        state.model_store = model_store(state.settings)
    store: ModelStore = state.model_store
    return store


ModelStoreDependency = Annotated[ModelStore, Depends(_model_store)]
