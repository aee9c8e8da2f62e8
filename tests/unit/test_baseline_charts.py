"""Charts of a model's document, and of one that keeps no driver's values."""

from typing import Any

from unit.science.samples import HOUR, hours, well_measured

from enms.science.baseline.build import Built, RefusalRules, Request, build
from enms.science.baseline.model import document
from enms.science.baseline.verdict import Limits
from enms.services.baseline_charts import charts, kept_charts

DRIVERS = ("production_count", "outdoor_temp_c")


def _built() -> Built:
    return build(hours(), well_measured(1200), Request(DRIVERS), Limits(), RefusalRules())


def _document(built: Built) -> dict[str, Any]:
    return document(
        built,
        energy_type="electrical",
        machine={},
        period={},
        starts_at=built.data.positions * HOUR,
        settings={},
        code_version="1.2.3",
    )


def test_a_document_has_the_charts_of_its_training_but_for_weaker_drivers() -> None:
    built = _built()
    content = _document(built)
    fresh, kept = charts(built, content["residuals"]), kept_charts(content)
    assert list(fresh["points"]["drivers"]) == list(DRIVERS)
    assert list(kept["points"]["drivers"]) == ["production_count"]
    assert fresh["points"] | {"drivers": None} == kept["points"] | {"drivers": None}
    assert kept["signatures"] == fresh["signatures"][:1]


def test_a_document_without_a_drivers_values_has_points_alone() -> None:
    content = _document(_built())
    of_former_version = {
        name: values for name, values in content["residuals"].items() if name != "strongest_driver"
    }
    for residuals in (of_former_version, content["residuals"] | {"strongest_driver": None}):
        found = kept_charts(content | {"residuals": residuals})
        assert (found["signatures"], found["points"]["drivers"]) == ([], {})
        assert found["points"]["total"] == 1200
