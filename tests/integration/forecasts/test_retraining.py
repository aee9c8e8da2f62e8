"""Forecasts chosen week by week: one horizon a call, each answered once, whatever becomes of it."""

import types
from typing import Any
from uuid import UUID

import pytest
from integration.api.test_retraining import MemoryStore
from integration.baselines.works import FACTORY, MACHINE, Works

from enms.database.connection import Database
from enms.errors import InvalidInputError, NotFoundError, UnavailableError
from enms.services import forecast_retraining, forecast_training, jobs, retraining
from enms.services.forecast_retraining import HORIZONS
from enms.services.retraining import Machine
from enms.settings import TrainingSettings

SETTINGS = TrainingSettings()
OTHER = UUID("c0000000-0000-4000-8000-000000000002")
MODEL = UUID(int=9)


class Training:
    """What trains; it succeeds unless a test says otherwise."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.errors: dict[tuple[str, str], Exception] = {}

    def __call__(self, *given: Any) -> dict[str, Any]:
        _, _, _, subject, (horizon,), energy_type, actor, run_id = given
        assert (energy_type, actor) == ("electrical", "service:retrain-baselines")
        assert isinstance(run_id, UUID)
        self.calls.append((subject.name, horizon.name))
        if (subject.name, horizon.name) in self.errors:
            raise self.errors[subject.name, horizon.name]
        return {"model": {"id": MODEL, "version": 2, "chosen": ["mstl"]}, "created": True, "backtest": {}}


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Training:
    """In the place of the library's."""
    training = Training()
    monkeypatch.setattr(forecast_training, "train", training)
    return training


@pytest.fixture
def store() -> MemoryStore:
    """An empty bucket."""
    return MemoryStore()


@pytest.fixture
def run_id(database: Database, works: Works, store: MemoryStore) -> UUID:
    """A run over two machines of one factory, whose baselines and detectors are done."""
    works.add_machine(OTHER, "Oven")
    run_id = jobs.request_retraining(database, "command", "local", None)
    retraining.plan_request(database, store, "one", run_id)
    for machine_id, name in ((OTHER, "Oven"), (MACHINE, "Press")):
        retraining.record_failure(database, run_id, machine(machine_id, name), "KeyError", "")
    retraining.summarise(database, store, run_id)
    return run_id


def machine(machine_id: UUID = MACHINE, name: str = "Press") -> Machine:
    """A machine as the run's list has it."""
    return Machine(machine_id=str(machine_id), machine_name=name, factory_name="Berlin")


def item(database: Database, run_id: UUID, subject_id: UUID = MACHINE) -> dict[str, Any]:
    """What is noted of a machine, or of the factory."""
    items: list[dict[str, Any]] = jobs.run(database, run_id)["items"]
    return {each["item"]: each for each in items}[str(subject_id)]


def test_a_call_takes_the_next_horizon_and_tells_what_is_left(
    database: Database, store: MemoryStore, run_id: UUID, training: Training
) -> None:
    before = item(database, run_id)
    left = [
        forecast_retraining.train_next(database, store, SETTINGS, run_id, machine())["remaining"]
        for _ in HORIZONS
    ]
    assert left == [3, 2, 1, 0]
    assert training.calls == [("Press", horizon) for horizon in HORIZONS]
    # Over is over.
    again = forecast_retraining.train_next(database, store, SETTINGS, run_id, machine())
    assert (again, len(training.calls)) == ({"remaining": 0}, 4)

    after = item(database, run_id)
    forecasts = after["detail"].pop("forecasts")
    assert after["detail"] == before["detail"]
    assert after["state"] == before["state"] == "failed"
    assert set(forecasts) == set(HORIZONS)
    assert forecasts["24h"] == {
        "state": "succeeded",
        "model_id": str(MODEL),
        "version": 2,
        "chosen": ["mstl"],
        "created": True,
    }


@pytest.mark.parametrize(
    ("code", "state"), [("little-history", "skipped"), ("no-readings", "skipped"), ("unfit", "failed")]
)
def test_what_cant_be_trained_says_why(
    database: Database, store: MemoryStore, run_id: UUID, training: Training, code: str, state: str
) -> None:
    training.errors["Press", "24h"] = InvalidInputError("One day of readings, two are needed.", code=code)
    for _ in HORIZONS:
        forecast_retraining.train_next(database, store, SETTINGS, run_id, machine())
    forecasts = item(database, run_id)["detail"]["forecasts"]
    assert forecasts["24h"] == {"state": state, "reason": "One day of readings, two are needed."}
    assert forecasts["7d"]["state"] == "succeeded"


def test_a_lost_connection_is_no_answer(
    database: Database, store: MemoryStore, run_id: UUID, training: Training
) -> None:
    training.errors["Press", "24h"] = UnavailableError("S3 doesn't answer.")
    with pytest.raises(UnavailableError):
        forecast_retraining.train_next(database, store, SETTINGS, run_id, machine())
    assert "forecasts" not in item(database, run_id)["detail"]
    training.errors.clear()
    assert forecast_retraining.train_next(database, store, SETTINGS, run_id, machine()) == {"remaining": 3}


def test_what_was_killed_is_noted_and_the_rest_goes_on(
    database: Database, store: MemoryStore, run_id: UUID, training: Training
) -> None:
    training.errors["Press", "24h"] = ZeroDivisionError("a figure that belongs into the log only")
    with pytest.raises(ZeroDivisionError):
        forecast_retraining.train_next(database, store, SETTINGS, run_id, machine())
    left = forecast_retraining.record_failure(
        database, run_id, machine(), "Sandbox.Timedout", '{"errorMessage": "Task timed out"}'
    )
    assert left == {"remaining": 3}
    assert forecast_retraining.train_next(database, store, SETTINGS, run_id, machine()) == {"remaining": 2}
    forecasts = item(database, run_id)["detail"]["forecasts"]
    assert forecasts == {
        "24h": {"state": "failed", "reason": "The training took longer than it may."},
        "1h": forecasts["1h"],
    }
    # Nothing is left to be noted.
    for _ in range(3):
        left = forecast_retraining.record_failure(database, run_id, machine(), "KeyError", "'secret'")
    assert left == {"remaining": 0}
    assert item(database, run_id)["detail"]["forecasts"]["7d"] == {
        "state": "failed",
        "reason": f"Unexpected (KeyError); see the log under run_id {run_id}.",
    }


def test_factories_follow_one_horizon_after_the_other(
    database: Database, store: MemoryStore, run_id: UUID, training: Training, works: Works
) -> None:
    training.errors[str(FACTORY), "1h"] = InvalidInputError("No reading.", code="no-readings")
    assert forecast_retraining.record_factory_failure(database, run_id, "States.Timeout", "") == {
        "remaining": 3
    }
    for remaining in (2, 1, 0, 0):
        left = forecast_retraining.train_next_factory(database, store, SETTINGS, run_id)
        assert left == {"remaining": remaining}
    found = item(database, run_id, FACTORY)
    assert (found["state"], found["detail"]["factory_name"]) == ("failed", str(FACTORY))
    states = {horizon: each["state"] for horizon, each in found["detail"]["forecasts"].items()}
    assert states == {"24h": "failed", "1h": "skipped", "7d": "succeeded", "7d-hourly": "succeeded"}


@pytest.mark.parametrize(
    ("failing", "state"),
    [
        ((), "succeeded"),
        (HORIZONS, "skipped"),
        (HORIZONS[:1], "succeeded"),
        (HORIZONS[1:], "succeeded"),
    ],
)
def test_a_factory_is_skipped_when_all_its_horizons_are(
    database: Database,
    store: MemoryStore,
    run_id: UUID,
    training: Training,
    failing: tuple[str, ...],
    state: str,
) -> None:
    for horizon in failing:
        training.errors[str(FACTORY), horizon] = InvalidInputError("Too short.", code="little-history")
    while forecast_retraining.train_next_factory(database, store, SETTINGS, run_id)["remaining"]:
        pass
    assert item(database, run_id, FACTORY)["state"] == state


def test_a_run_of_named_machines_leaves_factories_alone(
    database: Database, works: Works, store: MemoryStore, training: Training
) -> None:
    run_id = jobs.request_retraining(database, "command", "local", [MACHINE])
    retraining.plan_request(database, store, "one", run_id)
    left = forecast_retraining.train_next_factory(database, store, SETTINGS, run_id)
    assert (left, training.calls) == ({"remaining": 0}, [])


def test_the_account_is_added_to_and_stays_what_it_was(
    database: Database, store: MemoryStore, run_id: UUID, training: Training
) -> None:
    before = jobs.run(database, run_id)
    training.errors["Press", "1h"] = InvalidInputError("Too short.", code="little-history")
    training.errors["Oven", "7d"] = RuntimeError("not foreseen")
    machines = [machine(OTHER, "Oven"), machine()]
    forecast_retraining.run_here(database, store, SETTINGS, run_id, machines)
    after = jobs.run(database, run_id)
    added = {"forecasts": 10, "forecasts_skipped": 1, "forecasts_failed": 1}
    assert after["counts"] == before["counts"] | added
    for name in ("state", "error", "ended_at", "parameters"):
        assert after[name] == before[name]
    again = forecast_retraining.summarise_forecasts(database, run_id)
    assert again == {"run_id": str(run_id), "state": before["state"], "counts": after["counts"]}
    # All have their answers.
    forecast_retraining.run_here(database, store, SETTINGS, run_id, machines)
    assert len(training.calls) == 12


def test_an_unknown_run_is_not_found(database: Database, store: MemoryStore, training: Training) -> None:
    with pytest.raises(NotFoundError):
        forecast_retraining.summarise_forecasts(database, UUID(int=1))
    left = forecast_retraining.train_next_factory(database, store, SETTINGS, UUID(int=1))
    assert left == {"remaining": 0}


def test_a_machine_that_is_gone_is_noted(
    database: Database, store: MemoryStore, run_id: UUID, training: Training, works: Works
) -> None:
    works.rows("DELETE FROM machines WHERE id = %s", (MACHINE,))
    assert forecast_retraining.train_next(database, store, SETTINGS, run_id, machine()) == {"remaining": 3}
    answer = item(database, run_id)["detail"]["forecasts"]["24h"]
    assert answer == {"state": "failed", "reason": f"There is no machine {MACHINE}."}


def test_a_whole_run_in_this_process_has_forecasts(
    database: Database, works: Works, store: MemoryStore, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    succeeded = types.SimpleNamespace(retrain=lambda *_, **__: {"state": "succeeded", "activated": True})
    monkeypatch.setattr("enms.services.machine_retraining.retrain", succeeded.retrain)
    monkeypatch.setattr(
        "enms.services.detectors.train_detector", lambda *_, **__: {"detector_id": MODEL, "version": 1}
    )
    run_id = jobs.request_retraining(database, "command", "local", None)
    retraining.run_here(database, store, SETTINGS, run_id)
    run = jobs.run(database, run_id)
    assert (run["state"], run["counts"]["machines"], run["counts"]["forecasts"]) == ("succeeded", 1, 8)
