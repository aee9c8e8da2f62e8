"""Versions of a baseline: consecutive whoever trains at once, one in use, and an account of who did what."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg2
import pytest
from integration.baselines.works import MACHINE

from enms.database import baselines, health
from enms.database.baselines import NewBaseline
from enms.database.connection import Database, rows
from enms.errors import ConflictError, NotFoundError, UnavailableError

MODEL = NewBaseline(
    machine_id=MACHINE,
    energy_type="electrical",
    model_name="Press",
    model_type="linear",
    model_version=1,
    interval="hour",
    verdict="valid",
    training_start=datetime(2026, 1, 1, tzinfo=UTC),
    training_end=datetime(2026, 4, 1, tzinfo=UTC),
    training_samples=2160,
    coefficients={"production_count": 0.06},
    intercept=12.5,
    feature_names=["production_count"],
    r_squared=0.91,
    rmse=3.2,
    mae=2.5,
    artifact_key="baselines/1.json",
    artifact_sha256="ab" * 32,
    trained_by="anna",
)


def train(database, *, activates: bool = True, machine_id: UUID = MACHINE, **changes) -> UUID:
    """What a training does at its end."""
    energy_type = changes.get("energy_type", "electrical")
    with baselines.life(database, machine_id, energy_type) as connection:
        version = baselines.next_version(connection, machine_id, energy_type)
        new = replace(MODEL, machine_id=machine_id, model_version=version, **changes)
        baseline_id = baselines.insert(connection, new)
        if activates:
            baselines.activate(connection, baseline_id, "anna", "first", None)
    return baseline_id


def test_a_version_is_kept_whole_and_comes_into_use_when_told(works, database):
    run_id = uuid4()
    baseline_id = train(database, activates=False, reason="new line", run_id=run_id, metadata={"n": 1})

    kept = baselines.get(database, baseline_id)
    assert kept["machine_name"] == "Press"
    assert kept["is_active"] is False
    assert (kept["r_squared"], kept["intercept"], kept["rmse"], kept["mae"]) == (0.91, 12.5, 3.2, 2.5)
    assert (kept["coefficients"], kept["feature_names"]) == ({"production_count": 0.06}, ["production_count"])
    assert (kept["interval"], kept["verdict"], kept["metadata"]) == ("hour", "valid", {"n": 1})
    assert baselines.active(database, MACHINE, "electrical") is None
    assert health.count_active_models(database) == 0

    with database.transaction() as connection:
        assert baselines.activate(connection, baseline_id, "bert", "looks right") is True
        assert baselines.activate(connection, baseline_id, "bert", "again") is False

    assert baselines.active(database, MACHINE, "electrical")["id"] == baseline_id
    assert baselines.active(database, MACHINE, "natural_gas") is None
    assert health.count_active_models(database) == 1
    told = [
        (e["event"], e["actor"], e["reason"], e["run_id"]) for e in baselines.events(database, baseline_id)
    ]
    assert told == [("trained", "anna", "new line", run_id), ("activated", "bert", "looks right", None)]


def test_rolling_back_puts_the_newer_one_out_of_use(works, database):
    first, second = train(database), train(database)
    assert baselines.active(database, MACHINE, "electrical")["id"] == second

    with baselines.life(database, MACHINE, "electrical") as connection:
        baselines.activate(connection, first, "bert", "the new one drifts")
        assert baselines.active(connection, MACHINE, "electrical")["id"] == first

    assert [e["event"] for e in baselines.events(database, first)] == [
        "trained", "activated", "deactivated", "activated",
    ]  # fmt: skip
    last = baselines.events(database, second)[-1]
    assert (last["event"], last["actor"], last["reason"]) == ("deactivated", "bert", "the new one drifts")


def test_machines_and_carriers_have_versions_of_their_own(works, database):
    other = uuid4()
    works.add_machine(other, "Other")
    train(database)
    train(database)
    ids = [train(database, energy_type="natural_gas"), train(database, machine_id=other)]

    assert [baselines.get(database, id_)["model_version"] for id_ in ids] == [1, 1]
    total, page = baselines.models(database, None, None, None, 2, 1)
    assert (total, [(m["machine_name"], m["energy_type"], m["model_version"]) for m in page]) == (
        4, [("Press", "electrical", 2), ("Press", "electrical", 1)],
    )  # fmt: skip
    assert baselines.models(database, MACHINE, "electrical", True, 10, 0)[0] == 1
    assert baselines.models(database, MACHINE, None, False, 10, 0)[0] == 1
    assert baselines.models(database, uuid4(), None, None, 10, 0) == (0, [])


def test_the_newest_with_the_same_bytes_is_found(works, database):
    train(database)
    newer = train(database)
    train(database, artifact_sha256="cd" * 32)

    with baselines.life(database, MACHINE, "electrical") as connection:
        assert baselines.find_by_hash(connection, MACHINE, "electrical", "ab" * 32)["id"] == newer
        assert baselines.find_by_hash(connection, MACHINE, "electrical", "ef" * 32) is None
        assert baselines.find_by_hash(connection, MACHINE, "natural_gas", "ab" * 32) is None


def test_history_stays_as_it_is(works, database):
    train(database, reason="first")
    train(database, verdict="caution")
    before = baselines.history(database, MACHINE, "electrical", 1)
    assert [(row["model_version"], row["actor"], row["reason"]) for row in before] == [(1, "anna", "first")]
    assert [row["verdict"] for row in baselines.history(database, MACHINE, "electrical", 9)] == [
        "valid",
        "caution",
    ]


@pytest.mark.parametrize(
    ("given", "kept"), [(-1e6, -9.9999), (float("-inf"), -9.9999), (float("nan"), None), (0.12345, 0.1235)]
)
def test_figures_beyond_a_column_are_cut_to_it(works, database, given, kept):
    baseline_id = train(database, r_squared=given, intercept=1e12, rmse=1e9, model_name="x" * 300)
    row = baselines.get(database, baseline_id)
    assert row["r_squared"] == kept
    assert row["intercept"] == pytest.approx(1e9)
    assert row["rmse"] == pytest.approx(1e6)
    assert row["model_name"] == "x" * 100


def test_eight_at_once_get_consecutive_versions_and_one_is_in_use(works, database):
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: train(database), range(8)))

    found = works.rows("SELECT id, model_version, is_active FROM energy_baselines ORDER BY created_at")
    assert {row[0] for row in found} == set(ids)
    assert [row[1] for row in found] == list(range(1, 9))
    assert [row[2] for row in found] == [False] * 7 + [True]


def test_who_waits_too_long_is_told_so(works, database, database_url):
    impatient = Database(lambda: database_url, pool_size=1)
    with impatient.connection() as connection:
        rows(connection, "SET lock_timeout = '50ms'")
    with (
        baselines.life(database, MACHINE, "electrical"),
        pytest.raises(ConflictError, match=r"under way.*try again"),
        baselines.life(impatient, MACHINE, "electrical"),
    ):
        pytest.fail("both at once")
    impatient.close()
    train(database)


def killed(works, connection) -> None:
    works.rows("SELECT pg_terminate_backend(%s, 5000)", (connection.info.backend_pid,))


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_killed_in_the_middle_the_former_model_stays_and_a_retry_succeeds(works, database, steps):
    former = train(database)

    def be_killed() -> None:
        with baselines.life(database, MACHINE, "electrical") as connection:
            if steps > 0:
                baseline_id = baselines.insert(connection, replace(MODEL, model_version=2))
            if steps > 1:
                baselines.activate(connection, baseline_id, "anna", None)
            killed(works, connection)
            rows(connection, "SELECT 1")

    with pytest.raises(UnavailableError):
        be_killed()

    assert baselines.active(database, MACHINE, "electrical")["id"] == former
    assert works.rows("SELECT model_version, is_active FROM energy_baselines") == [(1, True)]
    assert len(baselines.events(database, former)) == 2
    retried = train(database)
    assert baselines.get(database, retried)["model_version"] == 2
    assert baselines.active(database, MACHINE, "electrical")["id"] == retried


def test_nobody_waits_for_another_machine(works, database):
    other = uuid4()
    works.add_machine(other, "Other")
    with baselines.life(database, MACHINE, "electrical"):
        done = threading.Thread(target=train, args=(database,), kwargs={"machine_id": other})
        done.start()
        done.join(5)
        assert not done.is_alive()
        train(database, energy_type="natural_gas")


def test_two_in_use_are_refused_by_the_database_itself(works, database):
    train(database)
    train(database)
    with pytest.raises(psycopg2.errors.UniqueViolation):
        works.rows("UPDATE energy_baselines SET is_active = true")


def test_a_version_taken_by_another_program_is_a_conflict(works, database):
    train(database)
    with pytest.raises(ConflictError, match="version 1"), database.transaction() as connection:
        baselines.insert(connection, MODEL)


def test_what_does_not_exist_is_not_found(works, database):
    assert baselines.get(database, uuid4()) is None
    with pytest.raises(NotFoundError), database.transaction() as connection:
        baselines.activate(connection, uuid4(), "anna", None)
