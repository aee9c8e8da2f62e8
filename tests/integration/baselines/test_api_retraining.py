"""One machine's part of the retraining: what is tried, what is kept, and what is passed over."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from integration.baselines.plant import BRIEF, EMPTY, HALL, RECENT, ZONE, Plant

from enms.errors import NotFoundError
from enms.services import jobs, machine_retraining
from enms.services.baseline_requests import TrainingRequest
from enms.services.machine_retraining import retrain
from enms.settings import TrainingSettings
from enms.web import models
from enms.web.baseline_models import Activation

SETTINGS = TrainingSettings()
HOURS = 90 * 24


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[TrainingRequest]:
    """Every training that is tried."""
    requests: list[TrainingRequest] = []

    def fit(database: Any, settings: Any, request: TrainingRequest) -> Any:
        requests.append(request)
        return real(database, settings, request)

    real = machine_retraining.fit
    monkeypatch.setattr(machine_retraining, "fit", fit)
    return requests


def _retrain(plant: Plant, machine: UUID = RECENT, **more: Any) -> Any:
    settings = more.pop("settings", SETTINGS)
    return retrain(plant.database, plant.store, settings, machine, **more)


def test_without_a_model_drivers_are_chosen(plant: Plant, tried: list[TrainingRequest]) -> None:
    outcome = _retrain(plant)
    assert (outcome["state"], outcome["verdict"], outcome["activated"]) == ("succeeded", "valid", True)
    assert (outcome["model_version"], outcome["created"], outcome["problems"]) == (1, True, [])
    (request,) = tried
    assert (request.drivers, request.model, request.interval) == (None, "auto", "hour")
    assert isinstance(request.end, datetime)
    assert request.end == datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    assert request.start == request.end.astimezone(ZONE).date() - timedelta(days=90)
    (row,) = plant.rows("SELECT * FROM energy_baselines WHERE machine_id = %s", RECENT)
    assert sorted(row["feature_names"]) == ["material_moisture_percent", "production_count"]
    assert HOURS - 1 <= row["training_samples"] <= HOURS + 25


def test_the_active_models_drivers_and_others_are_both_tried(
    plant: Plant, tried: list[TrainingRequest]
) -> None:
    (row,) = plant.rows("SELECT min(time) AS at FROM energy_readings WHERE machine_id = %s", RECENT)
    champion = plant.train(
        machine_id=RECENT, drivers=["production_count"], start_date=row["at"].isoformat(),
        end_date=(row["at"] + timedelta(days=80)).isoformat(),
    )  # fmt: skip
    assert champion["is_active"]
    outcome = _retrain(plant)
    assert sorted((request.drivers or ("auto",)) for request in tried) == [("auto",), ("production_count",)]
    assert {request.model for request in tried} == {"auto", "linear"}
    # The better of both challenges, and wins.
    assert (outcome["activated"], outcome["model_version"]) == (True, 2)
    shown = plant.get(f"baseline/model/{outcome['model_id']}")
    assert sorted(shown["drivers"]) == ["material_moisture_percent", "production_count"]


def test_an_interval_is_kept(plant: Plant, tried: list[TrainingRequest]) -> None:
    now = datetime.now(UTC)
    daily = plant.train(
        machine_id=RECENT, interval="day", start_date=(now - timedelta(days=94)).isoformat(),
        end_date=now.isoformat(),
    )  # fmt: skip
    assert daily["is_active"] is (daily["verdict"]["status"] != "rejected")
    plant.post(f"baseline/model/{daily['model_id']}/activate", {"reason": "by day"}, Activation)
    outcome = _retrain(plant)
    assert {request.interval for request in tried} == {"day"}
    assert (outcome["state"], outcome["verdict"]) == ("succeeded", "caution")
    (row,) = plant.rows(
        "SELECT training_samples, interval FROM energy_baselines WHERE id = %s", outcome["model_id"]
    )
    # As many as the active model had, though the window is shorter.
    assert row == {"training_samples": daily["training_samples"], "interval": "day"}


def test_too_little_is_skipped_with_the_reason(plant: Plant) -> None:
    assert _retrain(plant, BRIEF) == {
        "state": "skipped", "reason": "336 hours can be used and 500 are needed.",
    }  # fmt: skip
    nothing = _retrain(plant, EMPTY)
    assert nothing["state"] == "skipped"
    assert "Empty has no reading of electrical energy" in nothing["reason"]
    assert "it has none at all" in nothing["reason"]
    old = _retrain(plant, HALL)
    assert (old["state"], "the latest is from 2026-03-15T22:00:00Z" in old["reason"]) == ("skipped", True)
    assert plant.versions(BRIEF) == plant.versions(EMPTY) == plant.versions(HALL) == {}


def test_the_window_and_the_least_are_settings(plant: Plant) -> None:
    settings = TrainingSettings(baseline_training_days=20, baseline_limits={"caution_samples_hour": 300})
    outcome = _retrain(plant, BRIEF, settings=settings)
    assert (outcome["state"], outcome["verdict"]) == ("succeeded", "caution")
    (row,) = plant.rows("SELECT training_samples FROM energy_baselines WHERE machine_id = %s", BRIEF)
    assert row["training_samples"] == 14 * 24
    # With the hours of today they are less than 500 at any time of day.
    settings = TrainingSettings(baseline_training_days=19)
    narrow = _retrain(plant, RECENT, settings=settings)
    assert narrow["reason"].endswith("hours can be used and 500 are needed.")


def test_a_step_that_is_repeated_finds_its_own_model(plant: Plant) -> None:
    run_id = jobs.request_retraining(plant.database, "command", "local", None)
    first = _retrain(plant, run_id=run_id, actor="service:retrain-baselines")
    before = plant.traces()
    again = _retrain(plant, run_id=run_id, actor="service:retrain-baselines")
    assert plant.traces() == before
    assert (first["created"], again["created"]) == (True, False)
    assert first["model_id"] == again["model_id"]
    assert again["activated"]
    events = plant.rows("SELECT DISTINCT actor, run_id FROM analytics.baseline_events")
    assert events == [{"actor": "service:retrain-baselines", "run_id": run_id}]


def test_one_that_is_repeated_beside_a_champion_too(plant: Plant) -> None:
    (row,) = plant.rows("SELECT min(time) AS at FROM energy_readings WHERE machine_id = %s", RECENT)
    for drivers in (["production_count"], ["production_count", "material_moisture_percent"]):
        plant.train(
            machine_id=RECENT, drivers=drivers, start_date=row["at"].isoformat(),
            end_date=(row["at"] + timedelta(days=60)).isoformat(), force=True, reason="to begin with",
        )  # fmt: skip
        run_id = jobs.request_retraining(plant.database, "command", "local", None)
        first = _retrain(plant, run_id=run_id)
        before = plant.versions(RECENT)
        again = _retrain(plant, run_id=run_id)
        assert (again["model_id"], again["created"]) == (first["model_id"], False)
        assert plant.versions(RECENT) == before


def test_the_window_ends_when_the_run_was_noted(plant: Plant, tried: list[TrainingRequest]) -> None:
    run_id = jobs.request_retraining(plant.database, "command", "local", None)
    plant.rows(
        "UPDATE analytics.job_runs SET created_at = created_at - interval '1 day' WHERE id = %s RETURNING id",
        run_id,
    )
    _retrain(plant, run_id=run_id)
    (request,) = tried
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert isinstance(request.end, datetime)
    assert yesterday - request.end < timedelta(hours=2)


def test_a_champion_that_cannot_be_read_is_replaced(plant: Plant, tried: list[TrainingRequest]) -> None:
    first = _retrain(plant)
    (row,) = plant.rows("SELECT artifact_key FROM energy_baselines WHERE id = %s", str(first["model_id"]))
    plant.aws.client("s3").delete_object(Bucket=plant.store.bucket, Key=row["artifact_key"])
    plant.forget()
    plant.rows(
        "DELETE FROM energy_readings WHERE machine_id = %s AND time >= (SELECT max(time) FROM energy_readings"
        " WHERE machine_id = %s) RETURNING 1 AS one", RECENT, RECENT,
    )  # fmt: skip
    outcome = _retrain(plant)
    assert (outcome["model_version"], outcome["activated"]) == (2, True)
    assert "version 1 can't be read" in outcome["reason"]


def test_a_run_over_the_api_is_an_account_of_each_machine(plant: Plant) -> None:
    """The issue's `POST jobs/retrain/run`, with real trainings in this process."""
    machines = [str(each) for each in (RECENT, BRIEF, EMPTY)]
    accepted = plant.post("jobs/retrain/run", {"machine_ids": machines}, models.Accepted, 202)
    run = plant.get(accepted["location"], models.JobRunDetails)
    assert (run["job"], run["state"]) == ("retrain", "succeeded")
    counts = {"machines": 3, "succeeded": 1, "skipped": 2, "failed": 0, "activated": 1, "detectors": 2}
    # Of each machine four forecasts; where there is no reading, there is nothing to forecast.
    forecasts = {"forecasts": 8, "forecasts_skipped": 4, "forecasts_failed": 0}
    assert run["counts"] == counts | forecasts
    items = {each["item"]: each for each in run["items"]}
    assert {name: each["state"] for name, each in items.items()} == dict(
        zip(machines, ("succeeded", "skipped", "skipped"), strict=True)
    )
    done = items[str(RECENT)]["detail"]
    assert (done["machine_name"], done["model_version"], done["verdict"]) == ("Recent", 1, "valid")
    assert plant.versions(RECENT) == {1: True}
    assert "500 are needed" in items[str(BRIEF)]["detail"]["reason"]


def test_another_that_is_not_there(plant: Plant) -> None:
    with pytest.raises(NotFoundError):
        _retrain(plant, UUID(int=7))
