"""What charts of a baseline are drawn of: points with drivers and running sum, histogram, signatures."""

from typing import Any

import pytest
from integration.baselines.plant import DRIVERS, HALL, TRUE, UNKNOWN, Plant
from integration.baselines.test_api_models import add_foreign

from enms.web.baseline_models import BaselineCharts

COLUMNS = ("starts_at", "actual_kwh", "predicted_kwh", "cusum_kwh")


@pytest.fixture(scope="module")
def analyzed(site: Plant) -> Any:
    """The press, by hour."""
    return site.analyze()


@pytest.fixture(scope="module")
def trained(site: Plant) -> Any:
    """The same, kept."""
    return site.train()


def _residuals(site: Plant, model_id: str) -> list[float]:
    text = site.request("GET", f"baseline/model/{model_id}/residuals.csv").text
    return [float(line.split(",")[-1]) for line in text.splitlines()[1:]]


def test_points_are_thinned_over_the_whole_period(analyzed: Any) -> None:
    points = analyzed["points"]
    assert points["total"] == analyzed["training_samples"] > 2_000
    assert {len(points[name]) for name in COLUMNS} == {500}
    assert points["starts_at"] == sorted(set(points["starts_at"]))
    hours = [at // 3600 % 24 for at in points["starts_at"]]
    assert min(hours.count(hour) for hour in range(24)) >= 15, "no hour of the day is left out"
    assert list(points["drivers"]) == DRIVERS
    coefficients = analyzed["coefficients"]
    expected = [
        analyzed["intercept"]
        + sum(coefficients[name] * value for name, value in zip(DRIVERS, row, strict=True))
        for row in zip(*points["drivers"].values(), strict=True)
    ]
    assert points["predicted_kwh"] == pytest.approx(expected, abs=1e-4)


def test_sum_and_histogram_are_of_all_residuals(site: Plant, analyzed: Any, trained: Any) -> None:
    residuals = _residuals(site, trained["model_id"])
    points, histogram = analyzed["points"], analyzed["points"]["histogram"]
    assert len(residuals) == points["total"]
    assert points["cusum_kwh"][-1] == pytest.approx(sum(residuals), abs=1e-4)
    assert points["cusum_kwh"][0] == pytest.approx(residuals[0])
    edges, counts = histogram["edges_kwh"], histogram["counts"]
    assert len(edges) == len(counts) + 1 <= 41
    assert sum(counts) == len(residuals)
    assert (edges[0], edges[-1]) == pytest.approx((min(residuals), max(residuals)))
    below = sum(residual < edges[5] for residual in residuals)
    assert sum(counts[:5]) == pytest.approx(below, abs=1)


def test_signatures_are_the_fit_over_each_driver(analyzed: Any) -> None:
    assert [each["driver"] for each in analyzed["signatures"]] == DRIVERS
    for line in analyzed["signatures"]:
        (first, last), (low, high) = line["x"], line["kwh"]
        trained = analyzed["ranges"][line["driver"]]
        assert (first, last) == pytest.approx((trained["min"], trained["max"]))
        slope = (high - low) / (last - first)
        assert slope == pytest.approx(analyzed["coefficients"][line["driver"]], rel=1e-4)
        assert slope == pytest.approx(TRUE[line["driver"]], rel=0.1)


def test_temperature_is_drawn_where_terms_are_made_of_it(site: Plant) -> None:
    for body, bends in (
        ({"drivers": ["cooling_degrees", "shift"]}, 1),
        ({"drivers": ["shift"], "model": "change_point"}, 2),
        ({"drivers": ["shift"], "model": "time_of_week_temperature"}, 5),
    ):
        found = site.analyze(machine_id=HALL, **body)
        (line,) = found["signatures"]
        assert line["driver"] == "outdoor_temp_c"
        assert list(found["points"]["drivers"]) == ["outdoor_temp_c"]
        assert 3 <= len(line["x"]) <= 2 + bends
        assert line["kwh"][-1] > line["kwh"][0] + 1, "cooling above 9 °C"


def test_a_baseline_of_categories_alone_has_no_signature(site: Plant) -> None:
    found = site.analyze(machine_id=HALL, drivers=["shift", "weekday"])
    assert (found["signatures"], found["points"]["drivers"]) == ([], {})


def test_few_intervals_are_all_shown(site: Plant) -> None:
    points = site.analyze(interval="day")["points"]
    assert points["total"] == len(points["starts_at"]) == 105


def test_a_version_has_the_same_charts_with_the_driver_that_is_kept(
    site: Plant, analyzed: Any, trained: Any
) -> None:
    found = site.get(f"baseline/model/{trained['model_id']}/charts", BaselineCharts)
    assert found["model_id"] == trained["model_id"]
    (name,) = found["points"]["drivers"]
    assert name == "production_count"
    for each in (*COLUMNS, "total", "histogram"):
        assert found["points"][each] == analyzed["points"][each]
    assert found["points"]["drivers"][name] == analyzed["points"]["drivers"][name]
    (line,) = found["signatures"]
    assert line["x"] == analyzed["signatures"][0]["x"]
    assert line["kwh"] == pytest.approx(analyzed["signatures"][0]["kwh"], abs=1e-4)


def test_versions_without_charts(site: Plant) -> None:
    assert site.refused("GET", f"baseline/model/{UNKNOWN}/charts", 404)["parameter"] == "model_id"
    foreign = add_foreign(site, version=99)
    assert "another program" in site.refused("GET", f"baseline/model/{foreign}/charts", 409)["detail"]
