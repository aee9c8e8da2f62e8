"""The retraining as a state machine on LocalStack: every machine is accounted for, whatever becomes of it."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg2
import pytest
from integration.local_aws import ACCOUNT, CHECKOUT, REGION, LocalAws, wait_until
from psycopg2.extensions import parse_dsn

from enms.database.connection import Database
from enms.services import jobs
from enms_local.postgres import PostgresServer

PROBE = Path(__file__).with_name("retraining_probe")
DEFINITION = (CHECKOUT / "statemachines" / "retrain-baselines.asl.json").read_text()
EVENT = json.loads((CHECKOUT / "events" / "retrain-weekly.json").read_text())
SUNDAY = datetime.fromisoformat(EVENT["time"])
NAMES = ("Ends", "Flaky", "Good", "Refused", "Short", "Unforeseen", "Worse")
BUCKET = "retraining-models"


@dataclass(frozen=True)
class Retraining:
    """The state machine and what its function works on."""

    aws: LocalAws
    database: Database
    state_machine: str

    def start(self, given: dict[str, Any], name: str = "") -> str:
        """Starts an execution; returns its ARN."""
        answer = self.aws.client("stepfunctions").start_execution(
            stateMachineArn=self.state_machine, name=name or str(uuid4()), input=json.dumps(given)
        )
        arn: str = answer["executionArn"]
        return arn

    def outcome(self, execution: str) -> dict[str, Any]:
        """How an execution ended, its output parsed."""

        def ended() -> Any:
            found = self.aws.client("stepfunctions").describe_execution(executionArn=execution)
            return found["status"] != "RUNNING" and found

        found = wait_until(ended, 120)
        return {
            "status": found["status"],
            "error": found.get("error"),
            **json.loads(found.get("output", "{}")),
        }

    def run(self, given: dict[str, Any]) -> dict[str, Any]:
        """Starts an execution and tells how it ended."""
        return self.outcome(self.start(given))

    def account(self, run_id: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """A run, and its items by the machine's name, or the factory's of what belongs to it as a whole."""
        run = jobs.run(self.database, UUID(run_id))
        named = (item["detail"] for item in run["items"])
        names = [detail.get("machine_name") or detail["factory_name"] for detail in named]
        return run, dict(zip(names, run["items"], strict=True))

    def calls(self) -> dict[str, int]:
        """How often each machine's training was called."""
        rows = self.database.rows("SELECT name, count(*) AS n FROM calls GROUP BY name")
        return {row["name"]: row["n"] for row in rows}

    def machine_ids(self, *names: str) -> list[UUID]:
        """The ids of machines."""
        rows = self.database.rows(
            "SELECT id FROM machines WHERE name = ANY (%s) ORDER BY name", [list(names)]
        )
        return [row["id"] for row in rows]


@pytest.fixture
def retraining(
    local_aws: LocalAws, postgres: PostgresServer, database_url: str, request: pytest.FixtureRequest
) -> Iterator[Retraining]:
    """A factory in Berlin with a machine for each way in which a training ends."""
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE calls (name text)")
        cursor.execute(
            "INSERT INTO factories (name, timezone) VALUES ('Berlin', 'Europe/Berlin') RETURNING id"
        )
        (factory_id,) = cursor.fetchone() or ()
        for name in (*NAMES, "Retired"):
            cursor.execute(
                "INSERT INTO machines (factory_id, name, type, rated_power_kw, is_active) "
                "VALUES (%s, %s, 'motor', 90, %s)",
                [factory_id, name, name != "Retired"],
            )
    connection.close()
    database = Database(lambda: database_url)
    name = re.sub(r"\W", "-", request.node.name)[:50]
    yield Retraining(local_aws, database, _deploy(local_aws, postgres, database_url, name))
    for function in (name, f"{name}-forecasts"):
        local_aws.client("lambda").delete_function(FunctionName=function)
    database.close()


def _deploy(aws: LocalAws, postgres: PostgresServer, database_url: str, name: str) -> str:
    folder = aws.folder / "functions" / "retraining_probe"
    if not folder.exists():
        shutil.copytree(PROBE, folder)
        aws.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
    variables = {
        "CHECKOUT": str(CHECKOUT),
        "PYTHONPATH": str(CHECKOUT / "shared"),
        # Each function has a /tmp of its own, where the server's socket is not.
        "ENMS_DATABASE_URL": postgres.tcp_url(parse_dsn(database_url)["dbname"]),
        "MODELS_BUCKET": BUCKET,
        "RETRAIN_CONCURRENCY": "2",
        "LOG_LEVEL": "CRITICAL",
    }

    def deployed(function: str, probed: str) -> str:
        return aws.add_function(
            function,
            image="tests/retraining_probe:1",
            timeout_seconds=30,
            variables={**variables, "PROBED": probed},
        )

    definition = DEFINITION.replace("${RetrainBaselinesFunction}", deployed(name, "retrain-baselines"))
    definition = definition.replace(
        "${TrainForecastsFunction}", deployed(f"{name}-forecasts", "train-forecasts")
    )
    answer = aws.client("stepfunctions").create_state_machine(
        name=name,
        definition=definition,
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/tested",
    )
    arn: str = answer["stateMachineArn"]
    return arn


def test_every_machine_is_accounted_for_and_none_ends_the_run(retraining: Retraining) -> None:
    execution = retraining.start(EVENT)
    outcome = retraining.outcome(execution)
    run, items = retraining.account(outcome["run_id"])

    assert outcome["status"] == "SUCCEEDED"
    assert (run["job"], run["trigger"], run["actor"]) == ("retrain", "schedule", "service:retrain-baselines")
    assert (run["scheduled_for"], run["parameters"]["execution"]) == (SUNDAY, execution)
    assert (run["state"], run["error"]) == ("partial", "3 of 7 machines failed; see the items.")
    assert run["counts"] == {
        "machines": 7,
        "succeeded": 3,
        "skipped": 1,
        "failed": 3,
        "activated": 1,
        "detectors": 4,
        # Three machines and the factory have all four horizons; two more have three.
        "forecasts": 22,
        "forecasts_skipped": 4,
        "forecasts_failed": 6,
    }
    factory = items.pop("Berlin")
    assert (factory["state"], factory["detail"]["forecasts"]["7d-hourly"]["version"]) == ("succeeded", 5)
    assert {name: item["state"] for name, item in items.items()} == {
        "Ends": "failed",
        "Flaky": "succeeded",
        "Good": "succeeded",
        "Refused": "failed",
        "Short": "skipped",
        "Unforeseen": "failed",
        "Worse": "succeeded",
    }
    told = {name: (item["detail"].get("stage"), item["detail"].get("reason")) for name, item in items.items()}
    assert told["Refused"] == ("fit", "The driver pressure_bar is constant.")
    assert told["Short"] == (None, "12 samples, 500 are needed.")
    assert told["Ends"][1].startswith("The training's process ended")
    see_log = f"Unexpected (ZeroDivisionError); see the log under run_id {outcome['run_id']}."
    assert told["Unforeseen"] == ("train", see_log)
    # A detector is trained whatever became of the baseline, whose answer it leaves as it is.
    trained = {name: item["detail"]["detector"] for name, item in items.items()}
    assert {name: each["state"] for name, each in trained.items()} == {
        "Ends": "succeeded",
        "Flaky": "succeeded",
        "Good": "succeeded",
        "Refused": "failed",
        "Short": "skipped",
        "Unforeseen": "succeeded",
        "Worse": "failed",
    }
    assert (trained["Good"]["version"], trained["Worse"]["reason"]) == (3, see_log)
    assert trained["Short"]["reason"] == "3 days of readings, 14 are needed."
    # So are forecasts, one horizon after the other; the one that a process ended with has failed.
    forecasts = {name: item["detail"]["forecasts"] for name, item in items.items()}
    assert all(set(each) == {"1h", "24h", "7d", "7d-hourly"} for each in forecasts.values())
    assert forecasts["Ends"]["24h"]["reason"].startswith("The training's process ended")
    assert {horizon for horizon, each in forecasts["Ends"].items() if each["state"] == "succeeded"} == {
        "1h",
        "7d",
        "7d-hourly",
    }
    assert forecasts["Refused"]["7d"] == {"state": "failed", "reason": "No reading can be used."}
    assert {each["state"] for each in forecasts["Short"].values()} == {"skipped"}
    assert forecasts["Worse"]["1h"]["reason"] == see_log
    # Lost connections are repeated, and nothing else.
    assert retraining.calls() == {name: 2 if name == "Flaky" else 1 for name in NAMES}
    # Nothing of a single machine passes through the state.
    assert set(outcome) == {"status", "error", "run_id", "state", "counts"}


def test_a_redelivered_event_changes_nothing(retraining: Retraining) -> None:
    first = retraining.run(EVENT)
    before, calls = retraining.account(first["run_id"]), retraining.calls()

    again = retraining.run(EVENT)

    assert (again["status"], again["run_id"], again["machines"]) == ("SUCCEEDED", None, 0)
    assert (retraining.account(first["run_id"]), retraining.calls()) == (before, calls)
    assert jobs.runs(retraining.database, None, None, 10, 0)["total_count"] == 1


def test_a_week_is_taken_once_and_the_next_one_again(retraining: Retraining) -> None:
    retraining.run(EVENT)
    for hours, machines in ((1, 0), (25, 0), (24 * 7 - 2, 0)):
        fired_at = (SUNDAY + timedelta(hours=hours)).isoformat()
        outcome = retraining.run({"time": fired_at})
        assert (outcome["status"], outcome.get("machines")) == ("SUCCEEDED", machines)
    assert retraining.run({"time": (SUNDAY + timedelta(days=7)).isoformat()})["counts"]["machines"] == 7


def test_a_run_that_was_asked_for_takes_the_machines_named(retraining: Retraining) -> None:
    named = retraining.machine_ids("Good", "Retired")
    run_id = jobs.request_retraining(retraining.database, "request", "user:ada", named)

    outcome = retraining.outcome(retraining.start({"run_id": str(run_id)}, name=str(run_id)))

    assert (outcome["run_id"], outcome["state"], outcome["counts"]["machines"]) == (
        str(run_id),
        "succeeded",
        2,
    )
    assert set(retraining.calls()) == {"Good", "Retired"}
    # A second execution of it finds it over.
    assert retraining.run({"run_id": str(run_id)})["machines"] == 0


def test_without_machines_there_is_nothing_to_do(retraining: Retraining) -> None:
    with retraining.database.connection() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE machines SET is_active = false")
    assert retraining.run(EVENT)["machines"] == 0
    assert jobs.runs(retraining.database, None, None, 10, 0)["total_count"] == 0

    run_id = jobs.request_retraining(retraining.database, "command", "local", None)
    assert retraining.run({"run_id": str(run_id)})["machines"] == 0
    run, items = retraining.account(str(run_id))
    assert (run["state"], run["counts"]["machines"], items) == ("succeeded", 0, {})


def test_a_list_that_is_gone_fails_the_execution_and_is_told(retraining: Retraining) -> None:
    run_id = jobs.request_retraining(retraining.database, "command", "local", retraining.machine_ids("Good"))
    with retraining.database.connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE analytics.job_runs SET parameters = parameters || %s",
            [json.dumps({"manifest": "0" * 64, "machines": 1})],
        )

    outcome = retraining.run({"run_id": str(run_id)})

    run, _ = retraining.account(str(run_id))
    assert (outcome["status"], outcome["error"]) == ("FAILED", "TrainingsCutOff")
    assert (run["state"], run["counts"]["failed"]) == ("failed", 1)
    assert run["error"].startswith("The machines could not be gone through")


def test_an_unknown_run_fails_the_execution(retraining: Retraining) -> None:
    outcome = retraining.run({"run_id": str(UUID(int=9))})
    assert (outcome["status"], outcome["error"]) == ("FAILED", "NotFoundError")


def test_a_function_that_is_too_busy_is_asked_again(retraining: Retraining) -> None:
    functions, name = retraining.aws.client("lambda"), retraining.state_machine.rsplit(":", 1)[-1]
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    execution = retraining.start(EVENT)

    def was_throttled() -> bool:
        history = retraining.aws.client("stepfunctions").get_execution_history(executionArn=execution)
        failures = [event.get("taskFailedEventDetails", {}) for event in history["events"]]
        return any(failure.get("error") == "Lambda.TooManyRequestsException" for failure in failures)

    wait_until(was_throttled)
    functions.delete_function_concurrency(FunctionName=name)

    assert retraining.outcome(execution)["counts"]["machines"] == 7


def test_the_event_is_a_sunday_at_two_in_berlin() -> None:
    assert datetime(2026, 3, 22, 1, tzinfo=UTC) == SUNDAY
