"""One anomaly in full: its chart with what was expected, and its history."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from integration.anomalies.demo_plant import COMPRESSOR, DemoPlant, local

from enms.artifacts import ModelStore
from enms.errors import NotFoundError
from enms.services import anomaly_pages
from enms.web.anomaly_models import AnomalyDetails

LEAK = ("2025-10-28T21:00", 9)


@pytest.fixture
def leaking(plant: DemoPlant) -> DemoPlant:
    """A compressor with a leak of a night."""
    plant.inject("leak", *LEAK)
    plant.train_baseline("2025-09-22", "2025-10-20")
    return plant


def page_of(plant: DemoPlant, **changes: Any) -> dict[str, Any]:
    """The page of the first anomaly of some days, or what `changes` say."""
    found = plant.detect("2025-10-28", "2025-10-31", **changes)["anomalies"]
    page = anomaly_pages.page(plant.database, plant.store, found[0]["id"])
    AnomalyDetails.model_validate(page)
    return page


def inside(page: dict[str, Any]) -> Any:
    """Which points of the chart lie in the anomaly."""
    times = [datetime.fromisoformat(at) for at in page["series"]["starts_at"]]
    return np.array([page["detected_at"] <= at < page["ended_at"] for at in times])


def test_the_chart_shows_what_was_expected_and_how_far_it_was_off(leaking: DemoPlant) -> None:
    page = page_of(leaking)
    series = page["series"]
    assert (series["metric_name"], series["unit"], series["interval_seconds"]) == ("power_kw", "kW", 900)
    odd = inside(page)
    assert odd.sum() == 36
    values, high, expected = (np.array(series[name], dtype=float) for name in ("values", "high", "expected"))
    assert (values > high)[odd].mean() > 0.9
    assert (values > high)[~odd].mean() < 0.1
    assert np.nanmean((values - expected)[odd]) == pytest.approx(11.9, rel=0.05)
    # As much before and after it as it lasts, half a day at least.
    first, last = series["starts_at"][0], series["starts_at"][-1]
    assert datetime.fromisoformat(first) == local("2025-10-28T09:00")
    assert datetime.fromisoformat(last) == local("2025-10-29T18:00") - timedelta(minutes=15)
    assert [each["event"] for each in page["history"]] == ["opened"]


def test_a_gap_has_no_value_where_nothing_was_read(plant: DemoPlant) -> None:
    plant.inject("gap", "2025-10-30T08:00", 6)
    page = page_of(plant)
    assert (page["anomaly_type"], page["series"]["metric_name"]) == ("data_gap", "covered_share")
    assert np.array(page["series"]["values"], dtype=float)[inside(page)].max() < 0.2
    assert (page["series"]["expected"], page["series"]["unit"]) == (None, None)


def test_without_the_detector_that_found_it_there_is_no_chart(leaking: DemoPlant) -> None:
    page = page_of(leaking)
    leaking.database.rows(
        "UPDATE analytics.anomaly_detectors SET artifact_key = 'detectors/gone' WHERE machine_id = %s"
        " RETURNING 1",
        (COMPRESSOR.id,),
    )
    store = ModelStore(leaking.store.bucket)
    assert anomaly_pages.page(leaking.database, store, page["id"]) == page | {"series": None}


def test_there_is_no_such_anomaly(plant: DemoPlant) -> None:
    with pytest.raises(NotFoundError):
        anomaly_pages.page(plant.database, plant.store, COMPRESSOR.id)


def test_what_another_program_found_has_no_chart(plant: DemoPlant) -> None:
    (added,) = plant.database.rows(
        "INSERT INTO anomalies (machine_id, detected_at, anomaly_type, severity, metric_name)"
        " VALUES (%s, %s, 'power_spike', 'warning', 'power_kw') RETURNING id",
        (COMPRESSOR.id, local("2025-10-29")),
    )
    page = anomaly_pages.page(plant.database, plant.store, added["id"])
    AnomalyDetails.model_validate(page)
    assert page["series"] is None
