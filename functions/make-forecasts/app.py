"""Jobs `forecast-1h`, `forecast-24h` and `forecast-7d`: past forecasts scored, new ones made.

Whose model is missing, or has become bad, is handed to the function `train-forecasts`.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from enms import observability
from enms.artifacts import ModelStore
from enms.database.connection import Database
from enms.services import forecast_requests
from enms.services import jobs as job_service
from enms.services.connect import connect, model_store
from enms.services.forecast_jobs import job_of_rule
from enms.settings import MakeForecastsSettings


@dataclass(frozen=True)
class _Means:
    settings: MakeForecastsSettings
    database: Database
    store: ModelStore


@cache
def _means() -> _Means:
    settings = MakeForecastsSettings.from_environment()
    observability.configure(settings)
    return _Means(settings, connect(settings), model_store(settings))


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Does the run that `run_id` names, of the job that `step` names; else the one of a rule's firing."""
    # Imported here: it loads numpy.
    from enms.services import forecast_making

    means = _means()
    observability.identify(request_id=context.aws_request_id)
    if "run_id" in event:
        run_id = UUID(event["run_id"])
        wanted = forecast_making.run(means.database, means.store, means.settings, event["step"], run_id)
    else:
        run_id, wanted = forecast_making.run_scheduled(
            means.database,
            means.store,
            means.settings,
            job_of_rule(event["resources"][0]),
            datetime.fromisoformat(event["time"]),
        )
    _have_trained(means, wanted)
    return {"run_id": str(run_id)}


def _have_trained(means: _Means, wanted: list[forecast_requests.Wanted]) -> None:
    function = means.settings.train_forecasts_function
    if function is None:
        return
    for run_id in forecast_requests.request_wanted(means.database, wanted):
        job_service.launch(means.database, function, run_id, forecast_requests.STEP)
