"""The jobs: past forecasts get their truth, each subject its forecast once, and bad models are told."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from math import isnan
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from integration.baselines.works import FACTORY, MACHINE
from integration.forecasts.issued import Issue, Issued
from integration.forecasts.loads import (
    DAY,
    HOUR,
    SECOND,
    Plant,
    add_machine,
    draw,
    past_days,
    this_hour,
    weekly,
)

from enms.artifacts import ModelStore
from enms.database import jobs
from enms.database.connection import Connection
from enms.errors import NotFoundError
from enms.science.forecasting.forecaster import Forecaster
from enms.services import forecast_issuing, forecast_making
from enms.services.forecast_requests import Wanted

NEW = UUID("c0000000-0000-4000-8000-00000000000f")


def fire(plant: Plant, job: str, at: datetime | None = None) -> tuple[UUID, list[Wanted]]:
    """What a firing of the rule does."""
    return forecast_making.run_scheduled(
        plant.database, plant.store, plant.settings, job, at or datetime.now(UTC)
    )


def ask(plant: Plant, job: str) -> tuple[UUID, list[Wanted]]:
    """What a person's asking for the job does."""
    run_id = jobs.add_run(plant.database, job, "request", "anna", {})
    return run_id, forecast_making.run(plant.database, plant.store, plant.settings, job, run_id)


def account(plant: Plant, run_id: UUID) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """A run, and its items by the machine's or factory's name."""
    run = jobs.run(plant.database, run_id)
    assert run is not None
    items = jobs.items(plant.database, run_id)
    return run, {each["detail"].get("machine_name", "factory"): each for each in items}


def issues(plant: Plant) -> list[dict[str, Any]]:
    return plant.rows("SELECT * FROM analytics.forecast_issues ORDER BY origin_at, id")


def train_all(plant: Plant, *horizons: str) -> None:
    for subject in (plant.machine(), plant.machine(SECOND), plant.factory()):
        plant.train(subject, *horizons)


def test_a_firing_makes_the_forecast_of_every_active_subject(plant: Plant) -> None:
    train_all(plant, "24h", "7d-hourly")
    run_id, wanted = fire(plant, "forecast-24h")

    run, items = account(plant, run_id)
    assert (run["state"], run["error"], run["actor"]) == ("succeeded", None, "service:forecast-24h")
    assert {name: item["state"] for name, item in items.items()} == dict.fromkeys(
        ("Press", "Saw", "factory"), "succeeded"
    )
    assert (run["counts"]["machines"], run["counts"]["forecasts"], run["counts"]["failed"]) == (3, 6, 0)
    assert wanted == []
    made = issues(plant)
    assert {(row["subject_id"], row["horizon"]) for row in made} == {
        (subject_id, horizon) for subject_id in (MACHINE, SECOND, FACTORY) for horizon in ("24h", "7d-hourly")
    }
    assert {len(row["power_kw"]) for row in made} == {24, 168}


def test_a_redelivered_event_changes_nothing_and_another_run_finds_it_done(plant: Plant) -> None:
    train_all(plant, "24h", "7d-hourly")
    fired_at = datetime.now(UTC)
    run_id, _ = fire(plant, "forecast-24h", fired_at)
    made, before = issues(plant), account(plant, run_id)

    assert fire(plant, "forecast-24h", fired_at) == (run_id, [])
    assert account(plant, run_id) == before
    again, _ = fire(plant, "forecast-24h", fired_at + timedelta(minutes=1))
    _, items = account(plant, again)
    assert {item["state"] for item in items.values()} == {"skipped"}
    assert "was made before" in items["Press"]["detail"]["reason"]
    assert issues(plant) == made


def test_at_once_each_is_made_once(plant: Plant) -> None:
    train_all(plant, "1h")
    fired_at = datetime.now(UTC)
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda n: fire(plant, "forecast-1h", fired_at + n * HOUR)[0], range(3)))

    assert len(set(runs)) == 3
    # Unless a quarter hour closed between the runs.
    assert len(issues(plant)) in (3, 6)


def test_who_has_no_model_is_asked_to_be_trained(plant: Plant) -> None:
    plant.train(plant.machine(), "1h")
    add_machine(plant.works, NEW, "Silent")
    run_id, wanted = fire(plant, "forecast-1h")

    run, items = account(plant, run_id)
    assert run["state"] == "succeeded"
    assert {name: item["state"] for name, item in items.items()} == {
        "Press": "succeeded",
        "Saw": "skipped",
        "Silent": "skipped",
        "factory": "skipped",
    }
    assert "has no model yet" in items["Saw"]["detail"]["reason"]
    assert "has no reading" in items["Silent"]["detail"]["reason"]
    assert {(each.subject.id, each.horizon) for each in wanted} == {(SECOND, "1h"), (FACTORY, "1h")}


def test_a_forecast_gets_its_truth_once_it_is_over(plant: Plant) -> None:
    plant.train(plant.machine(), "24h")
    fire(plant, "forecast-24h")
    plant.move_back(23 * HOUR)
    fire(plant, "forecast-24h", datetime.now(UTC) + timedelta(minutes=1))
    first = issues(plant)[0]
    assert (first["actual_kw"], first["scored_at"]) == (None, None)

    plant.rows("DELETE FROM analytics.forecast_issues WHERE id <> %s RETURNING 1", (first["id"],))
    plant.move_back(HOUR)
    run_id, _ = fire(plant, "forecast-24h", datetime.now(UTC) + timedelta(minutes=2))

    scored = next(row for row in issues(plant) if row["id"] == first["id"])
    assert scored["actual_kw"] == pytest.approx([weekly(at) for at in scored["starts_at"]])
    assert scored["scored_at"] is not None
    assert account(plant, run_id)[0]["counts"]["scored"] == 1


def test_what_is_not_known_yet_may_still_come(plant: Plant) -> None:
    plant.train(plant.machine(), "24h")
    fire(plant, "forecast-24h")
    plant.move_back(30 * HOUR)
    gap = issues(plant)[0]["starts_at"][5]
    kept = plant.rows(
        "DELETE FROM energy_readings WHERE machine_id = %s AND time >= %s AND time < %s"
        " RETURNING time, power_kw, energy_kwh",
        (MACHINE, gap, gap + 2 * HOUR),
    )
    fire(plant, "forecast-24h", datetime.now(UTC) + timedelta(minutes=1))
    waiting = issues(plant)[0]
    assert [isnan(value) for value in waiting["actual_kw"]] == [n in (5, 6) for n in range(24)]
    assert waiting["scored_at"] is None

    plant.works.add("energy", kept)
    fire(plant, "forecast-24h", datetime.now(UTC) + timedelta(minutes=2))
    settled = issues(plant)[0]
    assert settled["actual_kw"] == pytest.approx([weekly(at) for at in settled["starts_at"]])
    assert settled["scored_at"] is not None


def test_what_never_came_is_settled_after_three_days(plant: Plant) -> None:
    plant.train(plant.machine(), "24h")
    fire(plant, "forecast-24h")
    plant.move_back(5 * DAY)
    first = issues(plant)[0]
    plant.rows(
        "DELETE FROM energy_readings WHERE machine_id = %s AND time >= %s AND time < %s RETURNING 1",
        (MACHINE, first["starts_at"][0], first["starts_at"][2]),
    )
    fire(plant, "forecast-24h", datetime.now(UTC) + timedelta(minutes=1))

    settled = issues(plant)[0]
    assert settled["scored_at"] is not None
    assert isnan(settled["actual_kw"][0])
    assert not isnan(settled["actual_kw"][5])


def test_days_get_the_truth_of_local_days(plant: Plant) -> None:
    plant.train(plant.machine(), "7d")
    fire(plant, "forecast-7d")
    plant.move_back(7 * DAY)
    fire(plant, "forecast-7d", datetime.now(UTC) + timedelta(minutes=1))

    settled = issues(plant)[0]
    for start, power_kw in zip(settled["starts_at"], settled["actual_kw"], strict=True):
        assert power_kw == pytest.approx(np.mean([weekly(start + n * HOUR) for n in range(24)]), rel=0.01)


def test_errors_of_late_reach_the_model(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant.train(plant.machine(), "24h")
    fire(plant, "forecast-24h")
    plant.move_back(25 * HOUR)
    seen: list[Any] = []
    live = forecast_issuing._live

    def noted(*given: Any) -> Any:
        seen.append(live(*given))
        return seen[-1]

    monkeypatch.setattr(forecast_issuing, "_live", noted)
    fire(plant, "forecast-24h", datetime.now(UTC) + timedelta(minutes=1))

    (errors,) = seen
    first = issues(plant)[0]
    expected = np.array(first["actual_kw"]) - np.array(first["power_kw"])
    assert errors.errors_kw == pytest.approx(expected[None, :])
    assert errors.points_kw.tolist() == [first["power_kw"]]
    assert errors.starts_at.tolist() == [int(first["origin_at"].timestamp())]


def worse_than_the_naive(plant: Plant) -> None:
    """A day's model, and six days in which the naive knew better."""
    trained = plant.train(plant.machine(), "24h")
    for days in range(2, 8):
        starts_at = [this_hour() - days * DAY + n * HOUR for n in range(24)]
        power = np.full(24, 40.0)
        Issued(plant.works).add(Issue(starts_at, power, power + 30, power + 29), trained["model"]["id"])


def test_a_model_that_became_worse_than_the_naive_is_asked_to_be_trained(plant: Plant) -> None:
    worse_than_the_naive(plant)
    run_id, wanted = ask(plant, "forecast-24h")

    assert (MACHINE, "24h") in {(each.subject.id, each.horizon) for each in wanted}
    detail = account(plant, run_id)[1]["Press"]["detail"]
    assert "it is trained again" in detail["reason"]
    assert detail["forecasts"] == 1


def test_rules_judge_by_their_first_firing_of_a_day(plant: Plant) -> None:
    worse_than_the_naive(plant)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    judged = []
    for firing in range(3):
        _, wanted = fire(plant, "forecast-24h", midnight + timedelta(minutes=firing))
        judged.append((MACHINE, "24h") in {(each.subject.id, each.horizon) for each in wanted})
        if firing == 1:
            # As if the runs so far had been yesterday's.
            plant.rows("UPDATE analytics.job_runs SET started_at = started_at - interval '1 day' RETURNING 1")
    assert judged == [True, False, True]


def test_a_model_of_few_days_is_trained_again_when_there_are_more(plant: Plant) -> None:
    add_machine(plant.works, NEW, "New")
    _, end = past_days(10)
    draw(plant.works, end - 2 * DAY, end, weekly, machine_id=NEW)
    plant.train(plant.machine(NEW), "1h")
    _, before = fire(plant, "forecast-1h")
    draw(plant.works, end - 4 * DAY, end - 2 * DAY, weekly, machine_id=NEW)
    plant.rows("DELETE FROM analytics.forecast_issues RETURNING 1")
    run_id, after = fire(plant, "forecast-1h", datetime.now(UTC) + timedelta(minutes=1))

    assert NEW not in {each.subject.id for each in before}
    assert NEW in {each.subject.id for each in after}
    assert "2 days of history, now there are 4" in account(plant, run_id)[1]["New"]["detail"]["reason"]


def test_a_failure_does_not_hold_up_the_others(plant: Plant) -> None:
    train_all(plant, "1h")
    plant.rows(
        "UPDATE analytics.forecast_models SET artifact_key = 'forecasts/gone.json' WHERE subject_id = %s",
        (SECOND,),
    )
    emptied = Plant(plant.database, ModelStore(plant.store.bucket), plant.works)
    run_id, wanted = fire(emptied, "forecast-1h")

    run, items = account(plant, run_id)
    assert (run["state"], run["error"]) == ("partial", "1 of 3 machines failed; see the items.")
    assert "is not in the bucket" in items["Saw"]["detail"]["reason"]
    assert {(each.subject.id, each.horizon) for each in wanted} == {(SECOND, "1h")}
    assert {row["subject_id"] for row in issues(plant)} == {MACHINE, FACTORY}


def test_a_lost_model_does_not_hold_up_the_other_horizon(plant: Plant) -> None:
    train_all(plant, "24h", "7d-hourly")
    plant.rows(
        "UPDATE analytics.forecast_models SET artifact_key = 'forecasts/gone.json'"
        " WHERE subject_id = %s AND horizon = '24h'",
        (MACHINE,),
    )
    emptied = Plant(plant.database, ModelStore(plant.store.bucket), plant.works)
    run_id, wanted = fire(emptied, "forecast-24h")

    assert account(plant, run_id)[1]["Press"]["state"] == "failed"
    assert (MACHINE, "24h") in {(each.subject.id, each.horizon) for each in wanted}
    made = {row["horizon"] for row in issues(plant) if row["subject_id"] == MACHINE}
    assert made == {"7d-hourly"}


def test_a_model_that_can_not_be_asked_any_more_is_to_be_trained(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant.train(plant.machine(), "1h")

    def mismatched(*_: Any) -> Any:
        raise ValueError("15 coefficients, 23 inputs")

    monkeypatch.setattr(Forecaster, "forecast", mismatched)
    run_id, wanted = fire(plant, "forecast-1h")

    assert (MACHINE, "1h") in {(each.subject.id, each.horizon) for each in wanted}
    reason = account(plant, run_id)[1]["Press"]["detail"]["reason"]
    assert reason.startswith("The model of Press for 1h can't be asked (15 coefficients, 23 inputs)")


def test_what_was_not_foreseen_is_an_item_too(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    train_all(plant, "1h")
    make = forecast_issuing.make

    def broken(connection: Connection, subject: Any, *given: Any) -> Any:
        if subject.id == MACHINE:
            raise ZeroDivisionError
        return make(connection, subject, *given)

    monkeypatch.setattr(forecast_issuing, "make", broken)
    run_id, _ = fire(plant, "forecast-1h")

    run, items = account(plant, run_id)
    assert run["state"] == "partial"
    assert items["Press"]["detail"]["reason"].startswith("Unexpected (ZeroDivisionError)")


def test_old_forecasts_are_given_up_and_of_plans_all_but_one_a_day(plant: Plant) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for horizon in ("24h", "7d-hourly"):
        for back in (20 * DAY, 20 * DAY - HOUR, 401 * DAY):
            one = np.ones(1)
            Issued(plant.works, horizon).add(Issue([midnight - back], one, one, one))
    fire(plant, "forecast-7d")

    left = {(row["horizon"], row["origin_at"]) for row in issues(plant)}
    assert left == {
        ("7d-hourly", midnight - 20 * DAY),
        ("24h", midnight - 20 * DAY),
        ("24h", midnight - 20 * DAY + HOUR),
    }


def test_an_unknown_run_is_an_error(plant: Plant) -> None:
    with pytest.raises(NotFoundError):
        forecast_making.run(plant.database, plant.store, plant.settings, "forecast-1h", UUID(int=5))
