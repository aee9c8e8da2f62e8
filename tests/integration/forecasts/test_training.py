"""Training: a version is kept whole or not at all, and the former one serves until then."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from integration.baselines.works import FACTORY, MACHINE
from integration.forecasts.loads import QUARTER, Plant, add_machine, past_days

from enms.artifacts import DamagedArtifactError, ModelStore, forecaster_key, sha256_of
from enms.database import forecast_models
from enms.errors import InvalidInputError
from enms.science.forecasting.forecaster import Forecaster
from enms.services import forecast_training, forecasters
from enms.services.forecasters import loaded
from enms.services.forecasting import forecast_models as listed_models

NEW = UUID("c0000000-0000-4000-8000-00000000000f")


def versions(plant: Plant) -> list[tuple[str, int, bool]]:
    found = plant.rows("SELECT horizon, version, is_active FROM analytics.forecast_models ORDER BY 1, 2")
    return [(row["horizon"], row["version"], row["is_active"]) for row in found]


def add_hour(plant: Plant, power_kw: float) -> None:
    """One more hour of the past, so that another model comes out."""
    start, _ = past_days(10)
    plant.works.draw(start - 4 * QUARTER, [power_kw] * 4, step=QUARTER)


def test_a_version_is_kept_with_its_proof_and_served(plant: Plant) -> None:
    answer = plant.train(plant.machine(), "24h")

    assert (answer["machine_id"], answer["machine_name"]) == (MACHINE, "Press")
    assert (answer["horizon"], answer["created"]) == ("24h", True)
    assert answer["reason"] == answer["model"]["reason"]
    assert answer["backtest"] == answer["model"]["backtest"]
    row = forecast_models.active(plant.database, MACHINE, "electrical", ["24h"])["24h"]
    assert row["id"] == answer["model"]["id"]
    assert row["artifact_key"] == forecaster_key(
        "machine", MACHINE, "electrical", "24h", 1, row["artifact_sha256"]
    )
    assert loaded(plant.store, row).chosen == tuple(row["chosen"])
    assert 9.8 < row["days_of_history"] < 10
    assert row["share_of_readings"] == 1


def test_the_week_takes_its_hours_too(plant: Plant) -> None:
    answer = plant.train(plant.factory(), "7d", "7d-hourly")

    assert (answer["factory_id"], answer["horizon"]) == (FACTORY, "7d")
    assert versions(plant) == [("7d", 1, True), ("7d-hourly", 1, True)]


def test_the_same_data_give_the_same_version(plant: Plant) -> None:
    first = plant.train(plant.machine(), "24h")
    again = plant.train(plant.machine(), "24h")

    assert (again["created"], again["model"]) == (False, first["model"])
    assert versions(plant) == [("24h", 1, True)]


def test_more_data_give_the_next_version_and_the_former_stays(plant: Plant) -> None:
    first = plant.train(plant.machine(), "24h")
    add_hour(plant, 33)
    second = plant.train(plant.machine(), "24h")

    assert second["model"]["version"] == 2
    assert versions(plant) == [("24h", 1, False), ("24h", 2, True)]
    active = listed_models(plant.database, MACHINE)
    both = listed_models(plant.database, MACHINE, horizon="24h", history=True)
    assert [model["id"] for model in active["models"]] == [second["model"]["id"]]
    assert [model["id"] for model in both["models"]] == [second["model"]["id"], first["model"]["id"]]


def test_a_fit_that_is_cut_off_leaves_the_former_serving(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant.train(plant.machine(), "24h")
    add_hour(plant, 33)

    def killed(*_: Any, **__: Any) -> Forecaster:
        raise MemoryError

    monkeypatch.setattr(forecast_training, "train_forecaster", killed)
    with pytest.raises(MemoryError):
        plant.train(plant.machine(), "24h")

    assert versions(plant) == [("24h", 1, True)]


def test_a_cut_between_object_and_row_does_no_harm(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    insert = forecast_models.insert

    def killed(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(forecast_models, "insert", killed)
    with pytest.raises(KeyboardInterrupt):
        plant.train(plant.machine(), "24h")
    assert versions(plant) == []

    monkeypatch.setattr(forecast_models, "insert", insert)
    assert plant.train(plant.machine(), "24h")["created"]
    assert versions(plant) == [("24h", 1, True)]


def test_trainings_at_once_make_one_version_of_the_same_data(plant: Plant) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: plant.train(plant.machine(), "1h"), range(4)))

    assert sorted(answer["created"] for answer in answers) == [False, False, False, True]
    assert versions(plant) == [("1h", 1, True)]


def test_a_machine_without_readings_is_told_so(plant: Plant) -> None:
    add_machine(plant.works, NEW, "New")

    with pytest.raises(InvalidInputError) as refused:
        plant.train(plant.machine(NEW), "24h")

    assert refused.value.details["code"] == "no-readings"
    assert refused.value.message.startswith("New can't be forecast yet over 24h:")
    assert versions(plant) == []


def test_a_horizon_that_is_refused_does_not_hold_up_the_others(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = forecast_training.train_forecaster

    def only_hours(series: Any, horizon: Any) -> Forecaster:
        if horizon.name == "7d":
            raise forecast_training.UnfitError("little-history", "3 days are there, 7 needed.")
        return train(series, horizon)

    monkeypatch.setattr(forecast_training, "train_forecaster", only_hours)
    with pytest.raises(InvalidInputError, match="3 days are there, 7 needed"):
        plant.train(plant.machine(), "7d", "7d-hourly")

    assert versions(plant) == [("7d-hourly", 1, True)]


def test_bytes_that_changed_are_refused(plant: Plant) -> None:
    plant.train(plant.machine(), "24h")
    row = forecast_models.active(plant.database, MACHINE, "electrical", ["24h"])["24h"]
    fresh = ModelStore(plant.store.bucket)

    with pytest.raises(DamagedArtifactError):
        loaded(fresh, row | {"artifact_sha256": sha256_of(b"other")})
    for name, content in (("newer", b'{"version": 99}'), ("empty", b"{}"), ("text", b"no document")):
        key = f"forecasts/{name}-{MACHINE}.json"
        plant.store.put(key, content)
        with pytest.raises(DamagedArtifactError, match="is no forecaster of this version"):
            loaded(fresh, {"artifact_key": key, "artifact_sha256": sha256_of(content)})
    with pytest.raises(DamagedArtifactError, match="is not in the bucket"):
        loaded(fresh, {"artifact_key": "forecasts/gone.json", "artifact_sha256": sha256_of(b"gone")})


def test_a_document_is_the_forecaster_again(plant: Plant) -> None:
    plant.train(plant.machine(), "24h")
    row = forecast_models.active(plant.database, MACHINE, "electrical", ["24h"])["24h"]
    forecaster = loaded(plant.store, row)

    assert sha256_of(forecasters.to_bytes(forecaster)) == row["artifact_sha256"]
