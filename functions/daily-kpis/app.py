"""Job `daily-kpis`: every factory's latest closed local day into `analytics.kpi_daily`."""

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from enms import observability
from enms.database.connection import Database
from enms.services import daily_kpis
from enms.services.connect import connect
from enms.settings import DailyKpisSettings


@cache
def _database() -> Database:
    settings = DailyKpisSettings.from_environment()
    observability.configure(settings)
    return connect(settings)


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Does the run that `run_id` names, else the one of the rule's firing at `time`."""
    database = _database()
    observability.identify(request_id=context.aws_request_id)
    if "run_id" in event:
        run_id = UUID(event["run_id"])
        daily_kpis.run(database, run_id)
    else:
        run_id = daily_kpis.run_scheduled(database, datetime.fromisoformat(event["time"]))
    return {"run_id": str(run_id)}
