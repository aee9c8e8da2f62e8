"""How long the weekly retraining of the demo factory takes, from the rule's firing to the written account.

Forecasts are chosen after that, at the leisure of the night: the last firing goes on to their end, too.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from zoneinfo import ZoneInfo

import psycopg2

from benchmarks.servers import CHECKOUT
from benchmarks.stack import BenchStack
from benchmarks.table import Figure
from enms_local.stack.database import DATABASE, own_server
from enms_local.stack.deployment import aws_client

RUNS = 5
MACHINES = 8
# Of each machine and of the factory.
FORECASTS = 4 * (MACHINES + 1)
TO_REACH_SECONDS = 25
_PATIENCE_SECONDS = 900
_POLL_SECONDS = 0.1


def rows(stack: BenchStack) -> Iterator[Figure]:
    """A firing a week, each for another Sunday; the first finds no function started, as a rule's does."""
    firings = [_fired(stack, weeks_ago, is_last=weeks_ago == RUNS - 1) for weeks_ago in range(RUNS)]
    taken = [firing.account_seconds for firing in firings]
    reached = median(taken)
    yield Figure(
        "retraining", f"weekly retraining of {MACHINES} machines, rule fired → account written, none lost",
        f"≤ {TO_REACH_SECONDS} s",
        f"{reached:.1f} s ({min(taken):.1f} to {max(taken):.1f}, the first {taken[0]:.1f})",
        reached <= TO_REACH_SECONDS,
    )  # fmt: skip
    last = firings[-1]
    yield Figure(
        "retraining", f"the same: {FORECASTS} forecasts chosen after the account",
        "none lost", f"{last.forecasts} in {last.whole_seconds - last.account_seconds:.0f} s",
        last.forecasts == FORECASTS,
    )  # fmt: skip


@dataclass(frozen=True)
class _Firing:
    """What became of a firing.

    Attributes:
        account_seconds: Until its account was written.
        whole_seconds: Until forecasts were chosen, or it was stopped.
        forecasts: How many have been.
    """

    account_seconds: float
    whole_seconds: float
    forecasts: int


def _fired(stack: BenchStack, weeks_ago: int, *, is_last: bool) -> _Firing:
    """Starts the state machine with the rule's event of a Sunday, and waits for the account.

    Args:
        stack: The stack.
        weeks_ago: Which Sunday.
        is_last: Whether it goes on to its end; else it is stopped there.

    Raises:
        RuntimeError: A machine was lost or failed, or the account did not come.
    """
    client = aws_client(stack.settings, "stepfunctions")
    (machine,) = client.list_state_machines()["stateMachines"]
    event = json.loads((CHECKOUT / "events" / "retrain-weekly.json").read_text())
    fired_at = _after_sunday_at_two(weeks_ago)
    event["time"] = fired_at.isoformat()
    started = time.perf_counter()
    execution = client.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps(event))[
        "executionArn"
    ]
    run_id = _as_soon_as(partial(_accounted_run, stack, fired_at))
    account_seconds = time.perf_counter() - started
    if is_last:
        _as_soon_as(lambda: client.describe_execution(executionArn=execution)["status"] != "RUNNING")
    else:
        client.stop_execution(executionArn=execution)
    run = stack.get(f"/api/v1/jobs/runs/{run_id}")
    counts = run["counts"]
    if counts["machines"] - counts["failed"] != MACHINES:
        raise RuntimeError(f"Not all {MACHINES} machines have an answer: {run}")
    return _Firing(account_seconds, time.perf_counter() - started, counts.get("forecasts", 0))


def _accounted_run(stack: BenchStack, fired_at: datetime) -> str | None:
    """The run of a firing once its account is written."""
    url = own_server(stack.settings).tcp_url(DATABASE)
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT id::text FROM analytics.job_runs"
            " WHERE job = 'retrain' AND scheduled_for = %s AND ended_at IS NOT NULL",
            (fired_at,),
        )
        found = cursor.fetchone()
    return found[0] if found else None


def _as_soon_as[Found](check: Callable[[], Found]) -> Found:
    """What a check gives as soon as it gives anything.

    Raises:
        RuntimeError: It gave nothing for too long.
    """
    deadline = time.perf_counter() + _PATIENCE_SECONDS
    while not (found := check()):
        if time.perf_counter() > deadline:
            raise RuntimeError(f"The retraining was not done within {_PATIENCE_SECONDS} s.")
        time.sleep(_POLL_SECONDS)
    return found


def _after_sunday_at_two(weeks_ago: int) -> datetime:
    """A past Sunday, 04:00 where the demo factory is: 02:00 has come then, in any night of the year."""
    now = datetime.now(ZoneInfo("Europe/Berlin"))
    sunday = now - timedelta(days=now.isoweekday() % 7 + 7 * (weeks_ago + 1))
    return sunday.replace(hour=4, minute=0, second=0, microsecond=0).astimezone(UTC)
