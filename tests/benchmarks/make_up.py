"""How long `make up` takes to the first right KPI answer."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from benchmarks.servers import CHECKOUT
from benchmarks.stack import BenchStack, environment_of_own, run
from benchmarks.table import Figure

RUNS = 5


def again(stack: BenchStack) -> Iterator[Figure]:
    """`make down`, then `make up` with everything fetched, compiled and loaded."""
    seconds = []
    for _ in range(RUNS):
        stack.make("down")
        seconds.append(_seconds_to_first_kpi(stack)[0])
    reached = median(seconds)
    yield Figure(
        "up-again", "make up again, to the first right KPI answer", "≤ 15 s",
        f"{reached:.1f} s ({min(seconds):.1f} to {max(seconds):.1f})", reached <= 15,
    )  # fmt: skip


def fresh_clone() -> Iterator[Figure]:
    """`make up` in a clone, with an empty package cache. Once: it fetches everything."""
    folder = Path(tempfile.mkdtemp(prefix="enms-bench-", dir="/tmp"))
    clone = folder / "clone"
    run(["git", "clone", "--quiet", str(CHECKOUT), str(clone)])
    environment = {**environment_of_own(clone / ".enms"), "UV_CACHE_DIR": str(folder / "cache")}
    stack = BenchStack(environment, clone)
    try:
        seconds, printed = _seconds_to_first_kpi(stack)
    finally:
        stack.make("down")
        shutil.rmtree(folder)
    print(printed)
    yield Figure(
        "up-fresh", "make up in a fresh clone, packages fetched (one run)", "≤ 4 min",
        f"{seconds / 60:.1f} min", seconds <= 240,
    )  # fmt: skip


def _seconds_to_first_kpi(stack: BenchStack) -> tuple[float, str]:
    started = time.perf_counter()
    printed = stack.make("up")
    end = datetime.now(tz=UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = end - timedelta(days=1)
    query = urlencode(
        {"machine_id": stack.first_machine_id(), "start": start.isoformat(), "end": end.isoformat()}
    )
    answer = stack.get(f"/api/v1/kpi/all?{query}")
    seconds = time.perf_counter() - started
    if answer["kpis"]["peak_demand"]["value"] is None:
        raise RuntimeError(f"No peak demand in {answer}")
    return seconds, printed
