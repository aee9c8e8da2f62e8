"""Job `detect-anomalies`: the hours of every active machine that were not looked at yet."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from enms import observability
from enms.artifacts import ModelStore
from enms.database.connection import Database
from enms.services import hourly_detection
from enms.services.connect import connect, model_store
from enms.settings import DetectAnomaliesSettings


@dataclass(frozen=True)
class _Means:
    settings: DetectAnomaliesSettings
    database: Database
    store: ModelStore


@cache
def _means() -> _Means:
    settings = DetectAnomaliesSettings.from_environment()
    observability.configure(settings)
    return _Means(settings, connect(settings), model_store(settings))


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Does the run that `run_id` names, else the one of the rule's firing at `time`."""
    means = _means()
    observability.identify(request_id=context.aws_request_id)
    if "run_id" in event:
        run_id = UUID(event["run_id"])
        hourly_detection.run(means.database, means.store, means.settings, run_id)
    else:
        fired_at = datetime.fromisoformat(event["time"])
        run_id = hourly_detection.run_scheduled(means.database, means.store, means.settings, fired_at)
    return {"run_id": str(run_id)}
