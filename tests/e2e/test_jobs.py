"""Rules fire by themselves; the stack under test has the daily KPIs every minute."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from e2e.running_stack import Stack

PATIENCE_SECONDS = 150


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


def _eventually(check: Callable[[], Any]) -> Any:
    """What a check gives as soon as it gives anything; a call over HTTP offers nothing to wait for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := check():
            return found
        time.sleep(1)
    raise AssertionError(f"nothing within {PATIENCE_SECONDS} s")
