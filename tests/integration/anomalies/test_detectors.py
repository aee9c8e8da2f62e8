"""Detectors: trained when they are needed, of what they know, kept for good."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from integration.anomalies.demo_plant import COMPRESSOR, DemoPlant, local
from skops.io import dumps

from enms.artifacts import ModelStore, detector_key
from enms.errors import InvalidInputError
from enms.services import anomaly_suppressions
from enms.services.detectors import loaded, train_detector

DAYS = ("2025-10-28", "2025-10-30")


def versions(plant: DemoPlant) -> list[dict[str, Any]]:
    """The compressor's detectors, the newest first."""
    return plant.database.rows(
        "SELECT * FROM analytics.anomaly_detectors WHERE machine_id = %s ORDER BY version DESC",
        (COMPRESSOR.id,),
    )


def trained(plant: DemoPlant) -> dict[str, Any]:
    """Trains the compressor's."""
    return train_detector(plant.database, plant.store, plant.settings, COMPRESSOR.id, actor="tester")


def test_without_a_baseline_power_is_held_against_earlier_weeks(plant: DemoPlant) -> None:
    plant.inject("spike", "2025-10-29T10:00", 1, 1.0)
    answer = plant.detect(*DAYS)
    assert not answer["detector"]["has_baseline"]
    assert answer["note"].startswith(
        "The machine has no active baseline: power is held against the same hours"
    )
    assert all(each["confidence_score"] <= 0.6 for each in answer["anomalies"])
    spike = next(each for each in answer["anomalies"] if each["anomaly_type"] == "power_spike")
    assert local("2025-10-29T09:45") <= spike["detected_at"] <= local("2025-10-29T10:15")


def test_another_baseline_makes_the_detector_old(plant: DemoPlant) -> None:
    first = plant.detect(*DAYS)["detector"]
    baseline = plant.train_baseline("2025-09-22", "2025-10-20")
    second = plant.detect(*DAYS)["detector"]
    assert (first["version"], second["version"]) == (1, 2)
    assert (first["has_baseline"], second["has_baseline"]) == (False, True)
    assert "deviation_sigma" in second["features"]
    newest, oldest = versions(plant)
    assert (newest["is_active"], newest["baseline_id"]) == (True, baseline["model_id"])
    assert (oldest["is_active"], oldest["baseline_id"]) == (False, None)
    assert plant.detect(*DAYS)["detector"] == second
    # What was written once can still be read.
    assert not loaded(ModelStore(plant.store.bucket), oldest).has_baseline


def test_a_daily_baseline_gives_deviation_by_day(plant: DemoPlant) -> None:
    plant.train_baseline("2025-09-22", "2025-10-20", drivers=("production_count",), interval="day")
    plant.inject("inefficiency", "2025-10-28T00:00", 48, 0.5)
    answer = plant.detect("2025-10-27", "2025-10-31")
    assert answer["detector"]["has_baseline"]
    assert answer["anomalies_detected"] >= 1


def test_training_again_makes_the_next_version(plant: DemoPlant) -> None:
    first, second = trained(plant), trained(plant)
    assert [each["version"] for each in (first, second)] == [1, 2]
    assert [row["id"] for row in versions(plant) if row["is_active"]] == [second["detector_id"]]
    row = versions(plant)[0]
    assert (row["trained_by"], row["features"]) == ("tester", second["features"])
    assert row["trained_to"] == local("2025-11-03")
    # Whole local days, though the clocks changed on the way.
    assert row["trained_from"] == local("2025-08-05")


def test_one_that_is_gone_or_of_another_version_is_trained_anew(plant: DemoPlant) -> None:
    first = trained(plant)
    content = dumps({"head": json.dumps({"version": 0})})
    sha256 = plant.store.put(detector_key(COMPRESSOR.id, "electrical", 2, "old"), content)
    _replace(plant, first, "detectors/nowhere", "0" * 64)
    assert plant.detect(*DAYS)["detector"]["version"] == 2
    _replace(plant, first, detector_key(COMPRESSOR.id, "electrical", 2, "old"), sha256)
    assert plant.detect(*DAYS)["detector"]["version"] == 3


def _replace(plant: DemoPlant, like: dict[str, Any], key: str, sha256: str) -> None:
    """Has the detector in use lie somewhere else, with other bytes."""
    statement = (
        "UPDATE analytics.anomaly_detectors SET artifact_key = %s, artifact_sha256 = %s"
        " WHERE is_active AND machine_id = %s RETURNING id"
    )
    assert plant.database.rows(statement, (key, sha256, COMPRESSOR.id)), like


def test_planned_stops_are_not_learned_from(plant: DemoPlant) -> None:
    anomaly_suppressions.add(
        plant.database, COMPRESSOR.id, local("2025-09-22"), local("2025-10-24"), "Trial runs", "planner"
    )
    with pytest.raises(InvalidInputError, match=r"10\.\d days of sound readings") as refused:
        trained(plant)
    assert refused.value.details["code"] == "little-history"
    assert versions(plant) == []


def test_the_window_is_a_setting(plant: DemoPlant) -> None:
    plant.settings = plant.settings.model_copy(update={"baseline_training_days": 20})
    trained(plant)
    (row,) = versions(plant)
    assert row["trained_from"] == local("2025-10-14")
    assert row["created_at"] <= datetime.now(UTC)
