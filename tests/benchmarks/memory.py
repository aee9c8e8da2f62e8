"""Memory of the idle stack, and what thousands of calls add to it."""

import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from benchmarks.api_rows import kpi_paths
from benchmarks.load import Target, burst
from benchmarks.stack import BenchStack, run
from benchmarks.table import Figure

CALLS = 5_000
_SETTLE_SECONDS = 10
_ENMS = str(Path(sys.executable).with_name("enms"))


def rows(stack: BenchStack) -> Iterator[Figure]:
    """The sum over all processes before and after the calls, made by one client."""
    # Anew, so that no other row's calls have left anything, and with rules, as whoever deploys it has it.
    stack.make("down")
    try:
        yield from _rows(stack.with_rules())
    finally:
        stack.make("down")
        stack.make("up")


def _rows(stack: BenchStack) -> Iterator[Figure]:
    stack.make("up")
    last = datetime.now(tz=UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    paths = kpi_paths("all", UUID(stack.first_machine_id()), 1, last - timedelta(days=100), last)
    front = Target(f"http://127.0.0.1:{stack.settings.enms_http_port}", paths)
    burst(front, 1, 50)
    parts = _megabytes_by_part(stack)
    load = burst(front, 1, CALLS)
    parts_after = _megabytes_by_part(stack)
    burst(front, 10, CALLS)
    after_ten = sum(_megabytes_by_part(stack).values())
    before, after = sum(parts.values()), sum(parts_after.values())
    listed = ", ".join(f"{name} {megabytes:.0f}" for name, megabytes in parts.items())
    yield Figure(
        "memory", "idle stack, all processes (PSS)", "≤ 600 MB", f"{before:.0f} MB ({listed})", before <= 600
    )
    yield Figure(
        "memory", f"the same after {CALLS} calls by one client", "≤ 600 MB, growth ≤ 3 %",
        f"{after:.0f} MB, {after / before - 1:+.1%}, {load.errors} errors",
        after <= 600 and after <= before * 1.03 and not load.errors,
    )  # fmt: skip
    yield Figure(
        "memory", f"the same after {CALLS} calls more by ten clients", "-", f"{after_ten:.0f} MB", None
    )


def _megabytes_by_part(stack: BenchStack) -> dict[str, float]:
    time.sleep(_SETTLE_SECONDS)
    parts = json.loads(run([_ENMS, "status", "--json"], stack.environment))
    return {part["name"]: part["memory_mb"] for part in parts if part["memory_mb"]}
