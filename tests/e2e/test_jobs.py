"""Rules fire by themselves; the stack under test has all of them every minute."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from e2e.running_stack import Stack

PATIENCE_SECONDS = 150
HORIZONS = {"1h", "24h", "7d", "7d-hourly"}


def test_the_rule_of_the_daily_kpis_fires(stack: Stack) -> None:
    def fired() -> Any:
        status = stack.api("scheduler/status")
        run = status["jobs"][0]["last_run"]
        return run if run and run["trigger"] == "schedule" and run["state"] == "succeeded" else None

    run = _eventually(fired)

    assert (run["job"], run["actor"]) == ("daily-kpis", "service:daily-kpis")
    assert datetime.fromisoformat(run["scheduled_for"]) <= datetime.fromisoformat(run["created_at"])
    job = stack.api("api/v1/scheduler/status")["jobs"][0]
    assert (job["rule"], job["enabled"]) == ("rate(1 minute)", True)


def test_the_rule_of_the_retraining_starts_its_state_machine(stack: Stack) -> None:
    client = _step_functions(stack)

    def fired() -> Any:
        done = [
            client.describe_execution(executionArn=each["executionArn"])
            for each in client.list_executions(stateMachineArn=_state_machine(stack))["executions"]
            if each["status"] != "RUNNING"
        ]
        return next((each for each in done if "Scheduled Event" in each["input"]), None)

    execution = _eventually(fired)

    assert execution["status"] == "SUCCEEDED"
    # On most days nobody's Sunday 02:00 has come; then no run is noted.
    assert {"run_id"} <= set(json.loads(execution["output"]))


def test_a_firing_at_sunday_two_accounts_for_every_machine(stack: Stack) -> None:
    client = _step_functions(stack)
    now = datetime.now(UTC)
    sunday = (now - timedelta(days=now.isoweekday() % 7 + 7)).replace(hour=2, minute=0, second=0)
    arn = client.start_execution(
        stateMachineArn=_state_machine(stack), input=json.dumps({"time": sunday.isoformat()})
    )["executionArn"]

    def ended() -> Any:
        found = client.describe_execution(executionArn=arn)
        return found["status"] != "RUNNING" and found

    execution = _eventually(ended)

    assert execution["status"] == "SUCCEEDED", execution
    run = stack.api(f"api/v1/jobs/runs/{json.loads(execution['output'])['run_id']}")
    named = [item for item in run["items"] if "machine_name" in item["detail"]]
    assert (run["job"], run["counts"]["machines"]) == ("retrain", len(named))
    names = {machine["name"] for machine in stack.api("api/v1/machines?active=true")["machines"]}
    assert {item["detail"]["machine_name"] for item in named} == names
    # The demo has three days here: too few for any of them, which is no failure.
    assert {item["state"] for item in named} == {"skipped"}, run["items"]
    # Forecasts are chosen after the account, of the factories as well, and counted in it.
    assert all(set(item["detail"]["forecasts"]) == HORIZONS for item in run["items"])
    factories = {item["detail"]["factory_name"] for item in run["items"] if item not in named}
    assert "Demo Factory" in factories
    assert run["counts"]["forecasts_failed"] == 0
    assert run["counts"]["forecasts"] + run["counts"]["forecasts_skipped"] == 4 * len(run["items"])


def test_the_retraining_runs_from_the_shell(stack: Stack) -> None:
    machine = stack.api("api/v1/machines")["machines"][0]["name"]
    run = json.loads(stack.enms("jobs", "run", "retrain", "--machine", machine, "--json"))
    assert [item["detail"]["machine_name"] for item in run["items"]] == [machine]
    assert (run["state"], run["trigger"]) == ("succeeded", "command")


def test_the_rule_of_the_detection_fires(stack: Stack) -> None:
    def fired() -> Any:
        jobs = {each["job"]: each for each in stack.api("scheduler/status")["jobs"]}
        run = jobs["detect-anomalies"]["last_run"]
        return run if run and run["trigger"] == "schedule" and run["state"] == "succeeded" else None

    run = _eventually(fired)

    assert (run["job"], run["actor"]) == ("detect-anomalies", "service:detect-anomalies")
    items = stack.api(f"api/v1/jobs/runs/{run['id']}")["items"]
    # Three days of the demo are too little history, which is no failure.
    assert {item["state"] for item in items} == {"skipped"}, items


def test_the_detection_runs_from_the_shell(stack: Stack) -> None:
    run = json.loads(stack.enms("jobs", "run", "detect", "--json"))
    assert (run["state"], run["trigger"], run["counts"]["failed"]) == ("succeeded", "command", 0)
    machine = stack.api("api/v1/machines")["machines"][0]["name"]
    refused = stack.run("detect", "--machine", machine, "--start", "2026-03-27", "--end", "soon")
    assert (refused.returncode, "--end" in refused.stderr) == (2, True)


def _step_functions(stack: Stack) -> Any:
    return _aws(stack, "stepfunctions")


def _aws(stack: Stack, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{stack.settings['ENMS_AWS_PORT']}",
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def _state_machine(stack: Stack) -> str:
    machines = _step_functions(stack).list_state_machines()["stateMachines"]
    arn: str = next(each["stateMachineArn"] for each in machines if "retrain-baselines" in each["name"])
    return arn


def _eventually(check: Callable[[], Any]) -> Any:
    """What a check gives as soon as it gives anything; a call over HTTP offers nothing to wait for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := check():
            return found
        time.sleep(1)
    raise AssertionError(f"nothing within {PATIENCE_SECONDS} s")
