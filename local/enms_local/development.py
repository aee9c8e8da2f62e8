"""The development application: every endpoint group in one process, and the OpenAPI document's only source.

`python -m enms_local.development` writes the document and the schema of events anew, after a route or a model
has changed.
"""

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema
from starlette.middleware.gzip import GZipMiddleware

from enms.services import anomaly_events
from enms.settings import AnomalySettings, BaselineSettings, ForecastSettings, JobsSettings, UiSettings
from enms.web import anomaly_models, baseline_models, forecast_models, models, schedule_models
from enms.web.app import create_app as create_web_app
from enms.web.documentation import OPENAPI
from enms.web.problems import Problem

CHECKOUT = Path(__file__).parents[2]
FUNCTIONS = CHECKOUT / "functions"
EVENT_SCHEMA = CHECKOUT / "events" / f"{anomaly_events.SCHEMA}.schema.json"
ENDPOINT_GROUPS = ("kpi", "catalog", "jobs", "baseline", "anomaly", "forecast", "forecast-schedule", "ui")


class DevelopmentSettings(JobsSettings, BaselineSettings, AnomalySettings, ForecastSettings, UiSettings):
    """Those of all groups."""


def load_function(name: str) -> ModuleType:
    """The module `app` of a function's folder, under a name of its own: all of them are called `app`."""
    module_name = f"enms_function_{name.replace('-', '_')}"
    if module_name in sys.modules:
        return sys.modules[module_name]
    spec = spec_from_file_location(module_name, FUNCTIONS / name / "app.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"functions/{name}/app.py can't be imported.")
    module = sys.modules[module_name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def routers() -> dict[str, APIRouter]:
    """The router of each endpoint group."""
    return {name: load_function(name).router for name in ENDPOINT_GROUPS}


def create_app() -> FastAPI:
    """The application that `make dev` serves, with the settings of all groups; compresses as the API does."""
    app = create_web_app(list(routers().values()), DevelopmentSettings.from_environment())
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=6)
    return app


def openapi_document() -> str:
    """The OpenAPI document of all groups, as it is committed."""
    document = create_web_app(list(routers().values()), DevelopmentSettings()).openapi()
    shown: list[type[BaseModel]] = [*_answers(), Problem]
    _, described = models_json_schema(
        [(model, "serialization") for model in shown],
        ref_template="#/components/schemas/{model}",
    )
    document["components"]["schemas"].update(described["$defs"])
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def event_schema() -> str:
    """The JSON schema of an anomaly's event, its `detail`, as it is committed."""
    schema = TypeAdapter(anomaly_events.AnomalyEventDetail).json_schema(mode="serialization")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:enms:schema:{anomaly_events.SCHEMA}",
    }
    return json.dumps(head | schema, indent=2, ensure_ascii=False) + "\n"


def _answers() -> list[type[BaseModel]]:
    return [
        value
        for module in (models, baseline_models, anomaly_models, forecast_models, schedule_models)
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, BaseModel)
        and value.__module__ == module.__name__
        and not value.__name__.startswith("_")
    ]


if __name__ == "__main__":
    OPENAPI.write_text(openapi_document(), encoding="utf-8")
    EVENT_SCHEMA.write_text(event_schema(), encoding="utf-8")
