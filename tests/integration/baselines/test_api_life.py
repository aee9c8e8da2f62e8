"""A model's life in trouble: trainings at once, one that is killed, and a bucket that is gone or damaged."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import psycopg2
import pytest
from integration.baselines.conftest import forget_aws_clients
from integration.baselines.plant import (
    HALL,
    PLAIN,
    PRESS,
    TRAINED,
    Plant,
    question_of,
    readable,
    training_of,
)
from integration.baselines.works import FACTORY
from integration.local_aws import wait_until

from enms.artifacts import ModelStore
from enms.database import connection as database_connection
from enms.web import baseline_models


@pytest.fixture
def dead_s3(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The bucket's address with nobody there."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    forget_aws_clients()
    plant.forget()
    yield
    monkeypatch.undo()
    forget_aws_clients()


def _key(plant: Plant, model_id: str) -> str:
    (row,) = plant.rows("SELECT artifact_key FROM energy_baselines WHERE id = %s", model_id)
    key: str = row["artifact_key"]
    return key


def _lose(plant: Plant, model_id: str) -> None:
    plant.aws.client("s3").delete_object(Bucket=plant.store.bucket, Key=_key(plant, model_id))
    plant.forget()


def _damage(plant: Plant, model_id: str) -> None:
    content = plant.content_of(model_id).replace(b'"intercept":', b'"intercept":1', 1)
    plant.aws.client("s3").put_object(Bucket=plant.store.bucket, Key=_key(plant, model_id), Body=content)
    plant.forget()


def test_eight_different_trainings_at_once(plant: Plant) -> None:
    starts = [(date.fromisoformat(TRAINED[0]) + timedelta(days=n)).isoformat() for n in range(8)]
    with ThreadPoolExecutor(8) as threads:
        trained = list(threads.map(lambda start: plant.train(start_date=start), starts))
    assert sorted(each["model_version"] for each in trained) == list(range(1, 9))
    assert len({each["sha256"] for each in trained}) == 8
    versions = plant.versions()
    assert list(versions) == list(range(1, 9))
    assert Counter(versions.values())[True] == 1
    (active,) = [version for version, is_active in versions.items() if is_active]
    assert plant.deviation()["baseline_model_version"] == active
    # Each activation put the former one out of use.
    events = plant.events()
    activated = [version for version, event, _ in events if event == "activated"]
    deactivated = [version for version, event, _ in events if event == "deactivated"]
    assert deactivated == activated[:-1]
    assert activated[-1] == active


def test_the_same_training_eight_times_at_once_is_one_version(plant: Plant) -> None:
    def train(_: int) -> Any:
        return plant.request("POST", "baseline/train", json=readable(training_of()))

    with ThreadPoolExecutor(8) as threads:
        responses = list(threads.map(train, range(8)))
    assert Counter(each.status_code for each in responses) == {201: 1, 200: 7}
    assert len({each.json()["model_id"] for each in responses}) == 1
    assert plant.versions() == {1: True}


def test_carriers_and_machines_do_not_wait_for_each_other(plant: Plant) -> None:
    with plant.database.transaction() as connection:
        _take_turn(connection, f"enms baseline {HALL} electrical")
        assert plant.train()["is_active"]


class Killed(ModelStore):
    """A bucket; when something is put, the database's end of the training is cut off."""

    def __init__(self, plant: Plant) -> None:
        super().__init__(plant.store.bucket)
        self.url = plant.url
        self.puts = 0

    def put(self, key: str, content: bytes) -> str:
        self.puts += 1
        sha256 = super().put(key, content)
        connection = psycopg2.connect(self.url)
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND state = 'idle in transaction'"
            )
            assert cursor.fetchall() == [(True,)]
        connection.close()
        return sha256


def test_one_that_is_killed_leaves_the_former_model_and_can_be_repeated(plant: Plant) -> None:
    former = plant.train(drivers=["production_count"])
    whole = plant.store
    plant.app.state.model_store = killing = Killed(plant)
    rows = plant.traces()[:-1]
    problem = plant.refused("POST", "baseline/train", 503, json=readable(training_of()))
    assert problem["detail"].startswith("The database does not answer now")
    assert killing.puts == 1
    assert plant.traces()[:-1] == rows
    assert plant.versions() == {1: True}
    assert plant.deviation()["baseline_model_id"] == former["model_id"]

    # Its object lies there already, under the key that the retry takes.
    plant.app.state.model_store = whole
    again = plant.train()
    assert (again["model_version"], again["is_active"]) == (2, True)
    assert plant.versions() == {1: False, 2: True}


def test_after_a_kill_another_training_may_take_the_version(plant: Plant) -> None:
    whole = plant.store
    plant.app.state.model_store = Killed(plant)
    plant.refused("POST", "baseline/train", 503, json=readable(training_of()))
    plant.app.state.model_store = whole
    other = plant.train(drivers=["production_count"])
    assert (other["model_version"], plant.versions()) == (1, {1: True})
    assert plant.train()["model_version"] == 2


def test_who_waits_too_long_for_its_turn_is_told(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    former = plant.train(drivers=["production_count"])
    monkeypatch.setattr(database_connection, "LOCK_TIMEOUT_SECONDS", 0.05)
    impatient = Plant(plant.url, plant.store, plant.aws)
    with plant.database.transaction() as connection:
        _take_turn(connection, f"enms baseline {PRESS} electrical")
        problem = impatient.train_refused(409)
        assert "Another training of this machine is under way" in problem["detail"]
        path = f"baseline/model/{former['model_id']}/activate"
        impatient.refused("POST", path, 409, json={})
        # Who only looks doesn't wait.
        assert impatient.analyze()["verdict"]["status"] == "valid"
        assert impatient.deviation()["baseline_model_version"] == 1
    assert impatient.train()["model_version"] == 2
    impatient.database.close()


def _take_turn(connection: Any, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))


def test_those_who_wait_get_their_turn(plant: Plant) -> None:
    answers: list[Any] = []
    waiting = threading.Thread(target=lambda: answers.append(plant.train()))
    with plant.database.transaction() as connection:
        _take_turn(connection, f"enms baseline {PRESS} electrical")
        waiting.start()
        wait_until(
            lambda: plant.rows(
                "SELECT 1 AS one FROM pg_stat_activity WHERE wait_event = 'advisory'"
                " AND datname = current_database()"
            )
        )
    waiting.join(60)
    assert answers[0]["model_version"] == 1


def test_without_the_bucket_nothing_is_kept(plant: Plant, dead_s3: None) -> None:
    problem = plant.refused("POST", "baseline/train", 503, json=readable(training_of()))
    assert "could not be written: S3 doesn't answer" in problem["detail"]
    assert plant.versions() == {}
    assert plant.events() == []
    # What keeps nothing needs no bucket.
    assert plant.analyze()["verdict"]["status"] == "valid"


def test_without_the_bucket_questions_are_told_so(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = plant.train()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    forget_aws_clients()
    plant.forget()
    try:
        for path, question in (
            ("deviation", question_of(PLAIN)),
            ("savings", question_of(PLAIN)),
            ("overview", {"factory_id": FACTORY, "start": PLAIN[0], "end": PLAIN[1]}),
            (f"model/{trained['model_id']}", {}),
            (f"model/{trained['model_id']}/charts", {}),
        ):
            problem = plant.refused("GET", f"baseline/{path}", 503, params=readable(question))
            assert "S3 doesn't answer" in problem["detail"]
        # A better one can't be held against it now: it waits, rather than taking over unseen.
        body = readable(training_of(start_date="2025-12-02"))
        plant.refused("POST", "baseline/train", 503, json=body)
        assert plant.versions() == {1: True}
        assert plant.get("baseline/models", baseline_models.Baselines)["total_count"] == 1
    finally:
        monkeypatch.undo()
        forget_aws_clients()


def test_without_its_setting_trainings_are_refused_and_analyses_not(plant: Plant) -> None:
    homeless = Plant(plant.url, ModelStore(""), plant.aws)
    del homeless.app.state.model_store
    problem = homeless.refused("POST", "baseline/train", 503, json=readable(training_of()))
    assert "MODELS_BUCKET" in problem["detail"]
    assert homeless.analyze()["training_samples"] > 0
    assert plant.versions() == {}
    homeless.database.close()


@pytest.mark.parametrize("spoil", [_lose, _damage])
def test_what_is_not_as_it_was_written_is_never_used(plant: Plant, spoil: Any) -> None:
    trained = plant.train()
    key = _key(plant, trained["model_id"])
    spoil(plant, trained["model_id"])
    says = "is not in the bucket" if spoil is _lose else "are not those that were written"
    for path, question in (
        ("deviation", question_of(PLAIN)),
        ("savings", question_of(PLAIN)),
        ("predict", {"machine_id": PRESS, "production_count": 3, "material_moisture_percent": 4}),
        (f"model/{trained['model_id']}", {}),
    ):
        problem = plant.refused("GET", f"baseline/{path}", 500, params=readable(question))
        assert problem["title"] == "Damaged model"
        assert key in problem["detail"]
        assert says in problem["detail"]
        assert "train again" in problem["detail"]
    # Its row survives.
    listed = plant.get("baseline/models", baseline_models.Baselines)
    assert [each["model_id"] for each in listed["models"]] == [trained["model_id"]]
    assert listed["models"][0]["is_active"]


@pytest.mark.parametrize("spoil", [_lose, _damage])
def test_a_new_training_takes_the_place_of_one_that_cannot_be_read(plant: Plant, spoil: Any) -> None:
    trained = plant.train()
    spoil(plant, trained["model_id"])
    other = plant.train(start_date="2025-12-02")
    assert other["is_active"]
    assert "version 1 can't be read" in other["activation"]
    assert plant.deviation()["baseline_model_id"] == other["model_id"]


@pytest.mark.parametrize("spoil", [_lose, _damage])
def test_the_same_training_makes_what_cannot_be_read_anew(plant: Plant, spoil: Any) -> None:
    first = plant.train()
    spoil(plant, first["model_id"])
    again = plant.train()
    assert (again["sha256"], again["created"]) == (first["sha256"], True)
    assert plant.versions() == {1: False, 2: True}
    plant.forget()
    assert plant.deviation()["baseline_model_version"] == 2
    assert plant.train(status=200)["model_id"] == again["model_id"]


def test_with_care_is_better_than_unreadable(plant: Plant) -> None:
    trained = plant.train()
    _lose(plant, trained["model_id"])
    careful = plant.train(start_date="2026-01-01", end_date="2026-01-30")
    assert (careful["verdict"]["status"], careful["is_active"]) == ("caution", True)
