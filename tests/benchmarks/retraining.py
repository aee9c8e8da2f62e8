"""How long the weekly retraining of the demo factory takes, from the rule's firing to the written account."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.servers import CHECKOUT
from benchmarks.stack import BenchStack
from benchmarks.table import Figure
from enms_local.stack.deployment import aws_client

RUNS = 5
MACHINES = 8
TO_REACH_SECONDS = 25
_PATIENCE_SECONDS = 300
_POLL_SECONDS = 0.1


def rows(stack: BenchStack) -> Iterator[Figure]:
    """A firing a week, each for another Sunday; the first finds no function started, as a rule's does."""
    taken = [_seconds_of_a_firing(stack, weeks_ago) for weeks_ago in range(RUNS)]
    reached = median(taken)
    yield Figure(
        "retraining", f"weekly retraining of {MACHINES} machines, rule fired → account written, none lost",
        f"≤ {TO_REACH_SECONDS} s",
        f"{reached:.1f} s ({min(taken):.1f} to {max(taken):.1f}, the first {taken[0]:.1f})",
        reached <= TO_REACH_SECONDS,
    )  # fmt: skip


def _seconds_of_a_firing(stack: BenchStack, weeks_ago: int) -> float:
    """Starts the state machine with the rule's event of a Sunday, and waits for the account.

    Raises:
        RuntimeError: A machine was lost or failed, or the account did not come.
    """
    client = aws_client(stack.settings, "stepfunctions")
    (machine,) = client.list_state_machines()["stateMachines"]
    event = json.loads((CHECKOUT / "events" / "retrain-weekly.json").read_text())
    event["time"] = _after_sunday_at_two(weeks_ago).isoformat()
    started = time.perf_counter()
    execution = client.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps(event))[
        "executionArn"
    ]
    ended = _outcome(client, execution)
    seconds = time.perf_counter() - started
    run = stack.get(f"/api/v1/jobs/runs/{json.loads(ended['output'])['run_id']}")
    answered = [item for item in run["items"] if item["state"] != "failed"]
    if len(answered) != MACHINES:
        raise RuntimeError(f"Of {MACHINES} machines {len(answered)} have an answer: {run}")
    return seconds


def _outcome(client: Any, execution: str) -> Any:
    deadline = time.perf_counter() + _PATIENCE_SECONDS
    while (found := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
        if time.perf_counter() > deadline:
            raise RuntimeError(f"The retraining was not done within {_PATIENCE_SECONDS} s.")
        time.sleep(_POLL_SECONDS)
    return found


def _after_sunday_at_two(weeks_ago: int) -> datetime:
    """A past Sunday, 04:00 where the demo factory is: 02:00 has come then, in any night of the year."""
    now = datetime.now(ZoneInfo("Europe/Berlin"))
    sunday = now - timedelta(days=now.isoweekday() % 7 + 7 * (weeks_ago + 1))
    return sunday.replace(hour=4, minute=0, second=0, microsecond=0).astimezone(UTC)
