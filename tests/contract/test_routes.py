"""One API out of many functions: routes, template, rights and the OpenAPI document agree."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from enms.services.anomaly_events import SOURCE, AnomalyEventDetail
from enms.settings import JobsSettings
from enms.web.access import Requires, Right
from enms.web.app import create_app
from enms.web.documentation import OPENAPI
from enms_local.development import ENDPOINT_GROUPS, EVENT_SCHEMA, event_schema, openapi_document, routers

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER_OF = {
    "KpiFunction": "kpi",
    "CatalogFunction": "catalog",
    "JobsFunction": "jobs",
    "BaselineFunction": "baseline",
    "AnomalyFunction": "anomaly",
    "ForecastFunction": "forecast",
    "ForecastScheduleFunction": "forecast-schedule",
    "UiFunction": "ui",
}

# What is asked by POST for the sake of its body alone.
KEEPS_NOTHING = {"/api/v1/baseline/analyze", "/api/v1/forecast/optimal-schedule"}


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as plain values."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: {suffix: getattr(node, "value", None)})


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((CHECKOUT / "template.yaml").read_text(), _Loader)
    return loaded


def _routes(routes: Any) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from _routes(getattr(getattr(route, "original_router", route), "routes", ()))


def _group_paths(name: str) -> set[str]:
    # API Gateway takes no notice of a slash at the end of a path.
    return {route.path.rstrip("/") for route in _routes(routers()[name].routes)}


def _template_paths(template: dict[str, Any], logical_id: str) -> list[str]:
    events = template["Resources"][logical_id]["Properties"]["Events"]
    return [event["Properties"]["Path"] for event in events.values() if event["Type"] == "Api"]


def test_every_group_is_a_function_and_the_other_way_round() -> None:
    assert set(FOLDER_OF.values()) == set(ENDPOINT_GROUPS)


@pytest.mark.parametrize(("logical_id", "folder"), FOLDER_OF.items())
def test_the_template_sends_a_group_exactly_its_routes(
    template: dict[str, Any], logical_id: str, folder: str
) -> None:
    assert Counter(_template_paths(template, logical_id)) == Counter(_group_paths(folder))


def test_no_path_is_owned_twice(template: dict[str, Any]) -> None:
    owned = Counter(path for logical_id in FOLDER_OF for path in _template_paths(template, logical_id))
    assert [path for path, owners in owned.items() if owners > 1] == []


def test_the_development_application_has_the_routes_of_all_groups() -> None:
    app = create_app(list(routers().values()), JobsSettings())
    paths = {route.path.rstrip("/") for route in _routes(app.routes)}
    assert paths == set().union(*map(_group_paths, ENDPOINT_GROUPS))


def _rights(dependant: Dependant) -> list[Right]:
    return [each.call.right for each in dependant.dependencies if isinstance(each.call, Requires)]


@pytest.mark.parametrize("group", ENDPOINT_GROUPS)
def test_every_route_declares_one_right(group: str) -> None:
    undeclared = [
        (sorted(route.methods), route.path)
        for route in _routes(routers()[group].routes)
        if len(_rights(route.dependant)) != 1
    ]
    assert undeclared == []


@pytest.mark.parametrize("group", ENDPOINT_GROUPS)
def test_what_changes_something_needs_more_than_a_viewer(group: str) -> None:
    for route in _routes(routers()[group].routes):
        if not route.methods <= {"GET", "HEAD"} and route.path not in KEEPS_NOTHING:
            assert _rights(route.dependant) != [Right.VIEWER], route.path


def test_the_committed_document_is_the_development_applications() -> None:
    assert OPENAPI.read_text(encoding="utf-8") == openapi_document(), "run `python -m enms_local.development`"


def test_the_committed_schema_of_events_is_the_services() -> None:
    assert EVENT_SCHEMA.read_text(encoding="utf-8") == event_schema(), (
        "run `python -m enms_local.development`"
    )


def test_the_sample_event_is_as_its_schema_says() -> None:
    event = json.loads((CHECKOUT / "events" / "anomaly-opened.json").read_text())
    detail = TypeAdapter(AnomalyEventDetail).validate_json(json.dumps(event["detail"]), extra="forbid")
    assert (event["source"], event["detail-type"]) == (SOURCE, f"Anomaly {detail['event']}")


def test_every_reference_of_the_document_leads_somewhere() -> None:
    document = json.loads(OPENAPI.read_text(encoding="utf-8"))
    schemas = document["components"]["schemas"]

    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"].removeprefix("#/components/schemas/")
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    assert set(references(document)) <= set(schemas)


@pytest.mark.parametrize(
    "folder", sorted(path.name for path in (CHECKOUT / "functions").iterdir() if path.is_dir())
)
def test_every_folder_is_an_image_of_the_template(template: dict[str, Any], folder: str) -> None:
    functions = [
        resource
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
        and resource["Metadata"]["DockerBuildArgs"]["FUNCTION"] == folder
    ]
    assert len(functions) == 1
    assert functions[0]["Properties"]["ImageUri"] == f"enms/{folder}:latest"
    assert functions[0]["Properties"]["PackageType"] == "Image"
