"""The development application: every endpoint group in one process, and the only source of the OpenAPI document."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from fastapi import APIRouter, FastAPI

from enms.settings import JobsSettings
from enms.web.app import create_app as create_web_app

FUNCTIONS = Path(__file__).parents[2] / "functions"
ENDPOINT_GROUPS = ("kpi", "catalog", "jobs")


def load_function(name: str) -> ModuleType:
    """The module `app` of a function's folder, under a name of its own: all of them are called `app`."""
    module_name = f"enms_function_{name.replace('-', '_')}"
    if module_name in sys.modules:
        return sys.modules[module_name]
    spec = spec_from_file_location(module_name, FUNCTIONS / name / "app.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[module_name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def routers() -> dict[str, APIRouter]:
    """The router of each endpoint group."""
    return {name: load_function(name).router for name in ENDPOINT_GROUPS}


def create_app() -> FastAPI:
    """The application that `make dev` serves, with the settings of all groups."""
    return create_web_app(list(routers().values()), JobsSettings.from_environment())
