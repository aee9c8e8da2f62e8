"""The retraining's steps: which machines a firing takes, what is noted, and what a repetition changes."""

import json
import threading
import types
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from integration.api.conftest import UNKNOWN, client_of

from enms.artifacts import ModelStore, sha256_of
from enms.database.connection import Database
from enms.errors import InvalidInputError, NotFoundError, UnavailableError
from enms.services import detector_retraining, jobs, retraining
from enms.settings import TrainingSettings
from enms.web import models
from enms_local.development import load_function

RUN = "/api/analytics/api/v1/jobs/retrain/run"
SUNDAY = datetime(2026, 3, 22, tzinfo=UTC)
ZONES = {
    "Auckland": "Pacific/Auckland",
    "Berlin": "Europe/Berlin",
    "Honolulu": "Pacific/Honolulu",
    "Kolkata": "Asia/Kolkata",
}
SETTINGS = TrainingSettings()


class MemoryStore(ModelStore):
    """A bucket in this process."""

    def __init__(self) -> None:
        super().__init__("in-memory")
        self.objects: dict[str, bytes] = {}
        self.is_lost = False

    def put(self, key: str, content: bytes) -> str:
        if self.is_lost:
            raise UnavailableError("S3 doesn't answer.")
        self.objects[key] = content
        return sha256_of(content)

    def _read(self, key: str) -> bytes:
        if key not in self.objects:
            raise NotFoundError(f"{key} is not in the bucket.")
        return self.objects[key]


@pytest.fixture
def store() -> MemoryStore:
    """An empty bucket."""
    return MemoryStore()


@pytest.fixture
def url(database_url: str) -> str:
    """Factories around the world with two machines each, and one that is closed."""
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        for number, (name, zone) in enumerate([*ZONES.items(), ("Closed", "UTC")]):
            factory = UUID(int=number + 1001)
            cursor.execute(
                "INSERT INTO factories (id, name, timezone, is_active) VALUES (%s, %s, %s, %s)",
                [str(factory), name, zone, name != "Closed"],
            )
            for machine in (1, 2):
                cursor.execute(
                    "INSERT INTO machines (id, factory_id, name, type, rated_power_kw) "
                    "VALUES (%s, %s, %s, 'motor', 90)",
                    [str(UUID(int=100 * number + machine)), str(factory), f"{name} {machine}"],
                )
    connection.close()
    return database_url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """That database."""
    database = Database(lambda: url)
    yield database
    database.close()


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What trains, which succeeds unless a test says otherwise."""
    stub = types.SimpleNamespace(
        retrain=lambda *_, **__: {"state": "succeeded", "activated": True},
        run_requested=lambda *_: {"model_id": UUID(int=7)},
        train_detector=lambda *_, **__: {"detector_id": UUID(int=8), "version": 1},
        train=lambda *_: {"model": {"id": UUID(int=9), "version": 1, "chosen": []}, "created": True},
    )
    monkeypatch.setattr(
        "enms.services.machine_retraining.retrain", lambda *given, **told: stub.retrain(*given, **told)
    )
    monkeypatch.setattr(
        "enms.services.later_training.run_requested", lambda *given: stub.run_requested(*given), raising=False
    )
    monkeypatch.setattr(
        "enms.services.detectors.train_detector",
        lambda *given, **told: stub.train_detector(*given, **told),
    )
    monkeypatch.setattr("enms.services.forecast_training.train", lambda *given: stub.train(*given))
    return stub


def _factories(store: MemoryStore, plan: retraining.Plan) -> set[str]:
    listed = json.loads(store.objects[plan["key"]]) if plan["key"] else []
    assert len(listed) == plan["machines"]
    return {each["factory_name"] for each in listed}


def _taken(database: Database, store: MemoryStore, first: datetime, hours: int) -> dict[str, datetime]:
    """When a rule that fires hourly takes each factory."""
    taken: dict[str, datetime] = {}
    for hour in range(hours):
        fired_at = first + timedelta(hours=hour)
        plan = retraining.plan_firing(database, store, f"at {fired_at}", fired_at)
        for factory in _factories(store, plan):
            assert factory not in taken, f"{factory} twice"
            taken[factory] = fired_at
    return taken


def test_a_week_of_firings_takes_each_factory_once_at_its_sunday_at_two(
    database: Database, store: MemoryStore
) -> None:
    assert _taken(database, store, SUNDAY - timedelta(days=2), 5 * 24) == {
        "Auckland": SUNDAY - timedelta(hours=11),
        "Berlin": SUNDAY + timedelta(hours=1),
        "Honolulu": SUNDAY + timedelta(hours=12),
        # 20:30 UTC: the next full hour.
        "Kolkata": SUNDAY - timedelta(hours=3),
    }


@pytest.mark.parametrize(
    ("sunday", "hour"),
    [
        # 02:00 isn't there: clocks jump from it to 03:00, at 01:00 UTC.
        (datetime(2026, 3, 29, tzinfo=UTC), 1),
        # 02:00 comes twice, at 00:00 and 01:00 UTC: the second is winter time's.
        (datetime(2026, 10, 25, tzinfo=UTC), 1),
        (datetime(2026, 7, 5, tzinfo=UTC), 0),
    ],
)
def test_nights_of_clock_changes_are_taken_once(
    database: Database, store: MemoryStore, sunday: datetime, hour: int
) -> None:
    taken = _taken(database, store, sunday - timedelta(hours=14), 3 * 24)
    assert taken["Berlin"] == sunday + timedelta(hours=hour)


def test_a_missed_firing_is_made_up_for_within_a_day(database: Database, store: MemoryStore) -> None:
    late = SUNDAY + timedelta(hours=24)
    plan = retraining.plan_firing(database, store, "late", late)
    # Berlin's 02:00 was 23 hours ago, Honolulu's 12; Kolkata's and Auckland's longer than a day.
    assert _factories(store, plan) == {"Berlin", "Honolulu"}


def test_a_plan_that_is_asked_for_again_is_the_same(database: Database, store: MemoryStore) -> None:
    fired_at = SUNDAY + timedelta(hours=1)
    first = retraining.plan_firing(database, store, "one", fired_at)
    with database.connection() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE machines SET is_active = false")
    assert retraining.plan_firing(database, store, "one", fired_at) == first
    assert retraining.plan_firing(database, store, "another", fired_at)["machines"] == 0
    assert len(store.objects) == 1


def test_two_firings_at_once_take_a_factory_once(database: Database, store: MemoryStore) -> None:
    plans: list[retraining.Plan] = []

    def fire(minute: int) -> None:
        fired_at = SUNDAY + timedelta(hours=1, minutes=minute)
        plans.append(retraining.plan_firing(database, store, str(minute), fired_at))

    threads = [threading.Thread(target=fire, args=[minute]) for minute in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(plan["machines"] for plan in plans) == [0, 0, 0, 6]


def test_without_the_bucket_nothing_is_noted(database: Database, store: MemoryStore) -> None:
    store.is_lost = True
    with pytest.raises(UnavailableError):
        retraining.plan_firing(database, store, "one", SUNDAY + timedelta(hours=1))
    assert jobs.runs(database, None, None, 10, 0)["total_count"] == 0


def _planned(database: Database, store: MemoryStore) -> tuple[UUID, list[retraining.Machine]]:
    """A run of three factories, and its machines."""
    plan = retraining.plan_firing(database, store, "one", SUNDAY + timedelta(hours=1))
    assert plan["run_id"] is not None
    assert plan["key"] is not None
    return UUID(plan["run_id"]), json.loads(store.objects[plan["key"]])


def test_a_run_that_was_cut_off_is_taken_up_again(
    database: Database, store: MemoryStore, training: Any
) -> None:
    run_id, machines = _planned(database, store)
    retraining.train_machine(database, store, SETTINGS, run_id, machines[0])
    next_hour = SUNDAY + timedelta(hours=2)
    assert retraining.plan_firing(database, store, "two", next_hour)["machines"] == 0

    with database.connection() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE analytics.job_runs SET started_at = started_at - interval '2 hours'")
        cursor.execute("UPDATE analytics.job_items SET updated_at = updated_at - interval '61 minutes'")
    plan = retraining.plan_firing(database, store, "three", next_hour)

    assert (plan["run_id"], plan["machines"]) == (str(run_id), len(machines))
    training.retrain = lambda *_, **__: pytest.fail("it has its answer already")
    assert retraining.train_machine(database, store, SETTINGS, run_id, machines[0]) == "succeeded"


def test_a_machine_without_an_answer_has_failed(
    database: Database, store: MemoryStore, training: Any
) -> None:
    run_id, machines = _planned(database, store)
    for machine in machines[1:]:
        retraining.train_machine(database, store, SETTINGS, run_id, machine)
    account = retraining.summarise(database, store, run_id)
    assert account["state"] == "partial"
    assert account["counts"] == {
        "machines": 6,
        "succeeded": 5,
        "skipped": 0,
        "failed": 1,
        "activated": 5,
        "detectors": 0,
    }
    run = models.JobRunDetails.model_validate(jobs.run(database, run_id))
    failed = [item.detail for item in run.items if item.state == "failed"]
    assert [(each["machine_name"], each["stage"], each["reason"]) for each in failed] == [
        (machines[0]["machine_name"], "answer", "No answer came.")
    ]


def test_a_detector_is_trained_once_and_leaves_the_baselines_answer(
    database: Database, store: MemoryStore, training: Any
) -> None:
    run_id, (machine, *_) = _planned(database, store)
    retraining.train_machine(database, store, SETTINGS, run_id, machine)
    assert detector_retraining.train_detector(database, store, SETTINGS, run_id, machine) == "succeeded"
    training.train_detector = lambda *_, **__: pytest.fail("it has its answer already")
    assert detector_retraining.train_detector(database, store, SETTINGS, run_id, machine) == "succeeded"
    (item,) = jobs.run(database, run_id)["items"]
    assert (item["state"], item["detail"]["activated"]) == ("succeeded", True)
    assert item["detail"]["detector"] == {
        "state": "succeeded",
        "detector_id": str(UUID(int=8)),
        "version": 1,
    }


@pytest.mark.parametrize(("code", "state"), [("little-history", "skipped"), ("unfit", "failed")])
def test_a_detector_that_cant_be_trained_says_why(
    database: Database, store: MemoryStore, training: Any, code: str, state: str
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise InvalidInputError("3 days of readings, 14 are needed.", code=code)

    run_id, (machine, *_) = _planned(database, store)
    retraining.train_machine(database, store, SETTINGS, run_id, machine)
    training.train_detector = refuse
    assert detector_retraining.train_detector(database, store, SETTINGS, run_id, machine) == state
    (item,) = jobs.run(database, run_id)["items"]
    assert item["state"] == "succeeded"
    assert item["detail"]["detector"] == {"state": state, "reason": "3 days of readings, 14 are needed."}


def test_a_detector_that_lost_its_connection_is_asked_for_again(
    database: Database, store: MemoryStore, training: Any
) -> None:
    def lose(*_: Any, **__: Any) -> None:
        raise UnavailableError("S3 doesn't answer.")

    run_id, (machine, *_) = _planned(database, store)
    retraining.train_machine(database, store, SETTINGS, run_id, machine)
    training.train_detector = lose
    with pytest.raises(UnavailableError):
        detector_retraining.train_detector(database, store, SETTINGS, run_id, machine)
    assert "detector" not in jobs.run(database, run_id)["items"][0]["detail"]


def test_an_account_that_is_written_again_stays_as_it_is(
    database: Database, store: MemoryStore, training: Any
) -> None:
    run_id, _ = _planned(database, store)
    first = retraining.summarise(database, store, run_id)
    before = jobs.run(database, run_id)
    assert retraining.summarise(database, store, run_id, "something else") == first
    assert jobs.run(database, run_id) == before
    assert first["state"] == "failed"


@pytest.mark.parametrize(
    ("error", "cause", "reason"),
    [
        ("Sandbox.Timedout", '{"errorMessage": "Task timed out"}', "The training took longer than it may."),
        ("UnavailableError", '{"errorMessage": "S3 doesn\'t answer."}', "S3 doesn't answer."),
        ("UnavailableError", "S3 doesn't answer.", "S3 doesn't answer."),
        ("UnavailableError", "[1]", "[1]"),
        ("KeyError", '{"errorMessage": "\'secret\'"}', "Unexpected (KeyError); see the log under run_id {}."),
    ],
)
def test_a_recorded_failure_says_why(
    database: Database, store: MemoryStore, error: str, cause: str, reason: str
) -> None:
    run_id, machines = _planned(database, store)
    retraining.record_failure(database, run_id, machines[0], error, cause)
    detail = jobs.run(database, run_id)["items"][0]["detail"]
    assert (detail["reason"], detail["stage"]) == (reason.format(run_id), "train")


def test_in_process_a_run_goes_on_after_failures(
    database: Database, store: MemoryStore, training: Any
) -> None:
    def retrain(*_: Any, machine_id: UUID | None = None, **__: Any) -> dict[str, Any]:
        done.append(1)
        if len(done) == 1:
            raise UnavailableError("The database does not answer now.")
        if len(done) == 2:
            raise RuntimeError("not foreseen")
        if len(done) == 3:
            raise InvalidInputError("The driver is constant.")
        return {"state": "skipped", "reason": "Too few samples.", "since": SUNDAY, "model_id": UUID(int=1)}

    done: list[int] = []
    training.retrain = retrain
    run_id = jobs.request_retraining(database, "command", "local", None)
    retraining.run_here(database, store, SETTINGS, run_id)

    run = jobs.run(database, run_id)
    assert (run["state"], run["counts"]["failed"], run["counts"]["skipped"]) == ("partial", 3, 5)
    reasons = {item["detail"].get("reason") for item in run["items"]}
    assert {"The database does not answer now.", "The driver is constant.", "Too few samples."} < reasons
    # Eight machines and four factories, four horizons each.
    assert (run["counts"]["forecasts"], len(run["items"])) == (48, 12)
    retraining.run_here(database, store, SETTINGS, run_id)
    assert len(done) == 8


def test_in_process_a_lost_bucket_fails_the_run(database: Database, store: MemoryStore) -> None:
    store.is_lost = True
    run_id = jobs.request_retraining(database, "command", "local", None)
    with pytest.raises(UnavailableError):
        retraining.run_here(database, store, SETTINGS, run_id)
    run = jobs.run(database, run_id)
    assert (run["state"], run["error"]) == ("failed", "S3 doesn't answer.")


def test_an_unknown_run_is_not_found(database: Database, store: MemoryStore) -> None:
    for step in (
        lambda: retraining.plan_request(database, store, "one", UUID(UNKNOWN)),
        lambda: retraining.summarise(database, store, UUID(UNKNOWN)),
        lambda: retraining.train_as_requested(database, store, SETTINGS, UUID(UNKNOWN)),
    ):
        with pytest.raises(NotFoundError):
            step()


def test_a_training_that_outlasts_its_request_is_a_run(
    database: Database, store: MemoryStore, training: Any
) -> None:
    run_id = jobs.request_training(database, "user:ada", {"machine_id": str(UUID(int=1))})
    retraining.train_as_requested(database, store, SETTINGS, run_id)
    run = jobs.run(database, run_id)
    assert (run["job"], run["state"], run["actor"]) == ("train-baseline", "succeeded", "user:ada")
    assert (run["items"][0]["item"], run["items"][0]["detail"]) == (
        str(UUID(int=1)),
        {"model_id": str(UUID(int=7))},
    )
    training.run_requested = lambda *_: pytest.fail("it is over")
    retraining.train_as_requested(database, store, SETTINGS, run_id)


@pytest.mark.parametrize(
    ("error", "is_raised", "noted"),
    [
        (InvalidInputError("The driver is constant."), False, "The driver is constant."),
        (UnavailableError("S3 doesn't answer."), True, "S3 doesn't answer."),
        (RuntimeError("secret"), True, "Unexpected; see the log under run_id {}."),
    ],
)
def test_a_training_that_fails_is_noted_and_may_be_repeated(
    database: Database,
    store: MemoryStore,
    training: Any,
    error: Exception,
    is_raised: bool,
    noted: str,
) -> None:
    def fail(*_: Any) -> None:
        raise error

    succeed, training.run_requested = training.run_requested, fail
    run_id = jobs.request_training(database, "local", {"machine_id": str(UUID(int=1))})
    if is_raised:
        with pytest.raises(type(error)):
            retraining.train_as_requested(database, store, SETTINGS, run_id)
    else:
        retraining.train_as_requested(database, store, SETTINGS, run_id)
    run = jobs.run(database, run_id)
    assert (run["state"], run["error"]) == ("failed", noted.format(run_id))

    training.run_requested = succeed
    retraining.train_as_requested(database, store, SETTINGS, run_id)
    assert jobs.run(database, run_id)["state"] == "succeeded"


def test_a_request_is_accepted_and_tells_where_to_look(
    url: str, store: MemoryStore, training: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_function("jobs"), "model_store", lambda _: store)
    client = client_of(url)
    machine = str(UUID(int=1))
    answer = client.request("POST", RUN, json={"machine_ids": [machine, machine]})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/api/analytics/api/v1/jobs/runs/{answer.json()['run_id']}"
    run = models.JobRunDetails.model_validate_json(client.get(answer.headers["location"], prefix="").text)
    assert (run.job, run.state, run.trigger, run.actor) == ("retrain", "succeeded", "request", "local")
    assert [item.item for item in run.items] == [machine]
    assert client.get("/api/v1/jobs/runs", job="retrain").json()["total_count"] == 1
    assert client.request("POST", RUN).status_code == 202
    client.app.state.database.close()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"machine_ids": []}, "name machines, or leave it out"),
        ({"machine_ids": [UNKNOWN, str(UUID(int=1))]}, f"there is no machine {UNKNOWN}."),
        ({"machine_ids": ["one"]}, "allowed: a UUID"),
        ({"machines": [UNKNOWN]}, "machines"),
    ],
)
def test_wrong_requests_are_refused(
    url: str, store: MemoryStore, monkeypatch: pytest.MonkeyPatch, body: dict[str, Any], says: str
) -> None:
    monkeypatch.setattr(load_function("jobs"), "model_store", lambda _: store)
    client = client_of(url)
    answer = client.request("POST", RUN, json=body)
    assert answer.status_code == 422
    assert says in answer.json()["detail"]
    assert client.get("/api/v1/jobs/runs").json()["total_count"] == 0
    client.app.state.database.close()


def test_without_a_bucket_the_request_is_refused_and_nothing_noted(url: str) -> None:
    client = client_of(url)
    answer = client.request("POST", RUN)
    assert (answer.status_code, "MODELS_BUCKET" in answer.json()["detail"]) == (503, True)
    assert client.get("/api/v1/jobs/runs").json()["total_count"] == 0
    client.app.state.database.close()


def test_the_schedulers_status_lists_the_retraining(url: str) -> None:
    client = client_of(url)
    status = models.SchedulerStatus.model_validate_json(client.get("/scheduler/status").text)
    job = {each.job: each for each in status.jobs}["retrain"]
    assert job.rule == "cron(0 * ? * SAT,SUN,MON *)"
    assert job.next_run_at is not None
    assert (job.next_run_at.minute, job.next_run_at.isoweekday() in (6, 7, 1)) == (0, True)
    client.app.state.database.close()


@pytest.mark.parametrize("event", [{"step": "dance"}, {}])
def test_the_function_refuses_events_that_name_no_step(
    url: str, monkeypatch: pytest.MonkeyPatch, event: dict[str, str]
) -> None:
    monkeypatch.setenv("ENMS_DATABASE_URL", url)
    monkeypatch.setenv("MODELS_BUCKET", "anywhere")
    function = load_function("retrain-baselines")
    function._means.cache_clear()

    class Context:
        aws_request_id = "a-request"

    with pytest.raises(KeyError):
        function.handler(event, Context)
    function._means.cache_clear()


EVENT = json.loads((Path(__file__).resolve().parents[3] / "events" / "retrain-weekly.json").read_text())


def test_the_function_does_each_step(
    url: str, database: Database, store: MemoryStore, training: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENMS_DATABASE_URL", url)
    monkeypatch.setenv("MODELS_BUCKET", "anywhere")
    function = load_function("retrain-baselines")
    monkeypatch.setattr(function, "model_store", lambda _: store)
    function._means.cache_clear()

    class Context:
        aws_request_id = "a-request"

    def step(name: str, **event: Any) -> Any:
        return function.handler({"step": name, **event}, Context)

    plan = step("plan", execution="one", input=EVENT)
    assert (plan["machines"], plan["concurrency"], plan["bucket"]) == (6, 4, "in-memory")
    machines = json.loads(store.objects[plan["key"]])
    assert step("train", run_id=plan["run_id"], machine=machines[0]) == {"state": "succeeded"}
    failure = {"Error": "States.Timeout"}
    recorded = step("record-failure", run_id=plan["run_id"], machine=machines[1], failure=failure)
    assert recorded == {"state": "failed"}
    assert step("train-detector", run_id=plan["run_id"], machine=machines[0]) == {"state": "succeeded"}
    recorded = step("record-detector-failure", run_id=plan["run_id"], machine=machines[1], failure=failure)
    assert recorded == {"state": "failed"}
    account = step("summarise", run_id=plan["run_id"], failure={"Error": "States.ItemReaderFailed"})
    assert (account["counts"]["failed"], account["counts"]["detectors"]) == (5, 1)
    run = jobs.run(database, UUID(plan["run_id"]))
    assert run["error"] == "The machines could not be gone through (States.ItemReaderFailed)."
    asked = jobs.request_training(database, "local", {})
    assert step("train-request", run_id=str(asked)) == {"run_id": str(asked)}
    function._means().database.close()
    function._means.cache_clear()
