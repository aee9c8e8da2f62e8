"""Whether the service can do its work."""

from datetime import UTC, datetime
from typing import Any

from enms.database.connection import Database
from enms.database.health import count_active_models
from enms.errors import NotMigratedError, UnavailableError
from enms.settings import SchedulerSettings, Settings


def health(database: Database, settings: SchedulerSettings) -> dict[str, Any]:
    """State of the service and of what it depends on; `status` is `healthy` or `unhealthy`."""
    return {
        "service": settings.service_name,
        "timestamp": datetime.now(UTC),
        "scheduler": "enabled" if settings.scheduler_enabled else "disabled",
    } | state(database, settings)


def state(database: Database, settings: Settings) -> dict[str, Any]:
    """What of it a function knows that has nothing to do with rules."""
    try:
        models, found = count_active_models(database), "connected"
    except NotMigratedError:
        models, found = None, "not migrated"
    except UnavailableError:
        models, found = None, "disconnected"
    return {
        "status": "healthy" if found == "connected" else "unhealthy",
        "version": settings.service_version,
        "database": found,
        "models_loaded": models,
    }
