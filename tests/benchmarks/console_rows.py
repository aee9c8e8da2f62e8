"""The console in Chromium: first loads, ticking drivers, a year drawn, axe-core over every state."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from statistics import median, quantiles

from e2e.browser.browsers import MissingBrowserError
from e2e.browser.console_page import open_page
from playwright.sync_api import Browser

from benchmarks.baseline_rows import machines, post
from benchmarks.console_browser import FirstLoad, chromium, draw_ms, empty_page, first_load, tick_ms
from benchmarks.console_states import ENMS, violations
from benchmarks.stack import BenchStack, run
from benchmarks.table import Figure
from enms_local.stack.deployment import STACK_NAME, aws_client

ROW = "console"
RUNS = 7
COLD_RUNS = 3
TICKS = 60
WARMING_TICKS = 3
YEAR_HOURS = 8_760
MACHINE, LEAKING = "Compressor-1", "Boiler-1"
FUNCTIONS = ("ui", "anomaly", "kpi", "baseline", "forecast", "catalog", "jobs")
DRIVERS = ("production_count", "operating_hours", "outdoor_temp_c", "working_day")
PAINT_MS, COLD_PAINT_MS = 700, 1500
BYTES, REQUESTS = 200_000, 12
SHIFT, TASK_MS = 0.02, 100
TICK_MS, YEAR_MS = 250, 300


def rows(stack: BenchStack) -> Iterator[Figure]:
    """Each page's first load, warm and cold; then what someone does on them."""
    try:
        with chromium() as browser:
            yield from _rows(stack, browser)
    except MissingBrowserError as missing:
        yield Figure(ROW, "the console in Chromium", "-", str(missing), None)


def _rows(stack: BenchStack, browser: Browser) -> Iterator[Figure]:
    machine_id = _train_all(stack)
    _find_a_leak(stack)
    pages = {
        "overview": "ui/",
        "anomaly": "ui/anomaly",
        "baseline": f"ui/baseline?machine={machine_id}",
        "forecast": f"ui/forecast?machine={machine_id}",
        "kpi": "ui/kpi",
        "machine": f"ui/machine/{machine_id}",
    }
    base = f"{stack.settings.http_url}/"
    for name, path in pages.items():
        # The first calls start the functions, as many at once as the page asks for.
        warm = [first_load(browser, base, path) for _ in range(RUNS + 2)][2:]
        yield from _of_a_first_load(name, warm)
    for name, path in pages.items():
        yield _of_cold_loads(name, {each: _cold_paints(stack, browser, path, (each,)) for each in FUNCTIONS})
    at_once = {name: median(_cold_paints(stack, browser, path, FUNCTIONS)) for name, path in pages.items()}
    yield Figure(
        ROW, f"the same with all {len(FUNCTIONS)} functions cold at once", "-",
        ", ".join(f"{name} {paint / 1e3:.2f} s" for name, paint in at_once.items()), None,
    )  # fmt: skip
    for form, is_bound in (("linear", True), ("time_of_week_temperature", False)):
        yield _of_ticks(form, _ticks(browser, base, f"{pages['baseline']}&form={form}"), is_bound=is_bound)
    with empty_page(browser, base) as page:
        open_page(page, pages["machine"])
        drawn = [draw_ms(page, YEAR_HOURS) for _ in range(RUNS)]
    yield Figure(
        ROW, f"two lines of {YEAR_HOURS} made-up hours drawn by the console's module of charts, median",
        f"≤ {YEAR_MS} ms", f"{median(drawn):.0f} ms ({_range(drawn)}; the first {drawn[0]:.0f})",
        median(drawn) <= YEAR_MS,
    )  # fmt: skip
    looked_at, found = violations(browser, stack, pages)
    yield Figure(
        ROW, f"axe-core, {len(pages)} pages ready, loading, empty, failed; light and dark", "0 violations",
        f"{len(found)} in {looked_at}" + "".join(f"; {each}" for each in found), not found,
    )  # fmt: skip


def _train_all(stack: BenchStack) -> str:
    """Every machine gets a baseline, so that pages show all that they can; gives the measured one's id."""
    found = machines(stack)
    for machine in found:
        status, answer = post(f"{stack.settings.http_url}/api/v1/baseline/train", machine.body(0, "auto"))
        if status >= 300:
            raise RuntimeError(f"{machine.name} has no baseline: {answer}")
    return next(machine.id for machine in found if machine.name == MACHINE)


def _find_a_leak(stack: BenchStack) -> None:
    """Some machine has an open anomaly, so that its page shows all that it can."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=2)
    start_at, end_at = start.isoformat(), (start + timedelta(days=1)).isoformat()
    machine = f"--machine={LEAKING}"
    size = (f"--start={start_at}", "--hours=20", "--size=0.5")
    run([ENMS, "demo", "inject", "leak", machine, *size], stack.environment)
    run([ENMS, "detect", machine, f"--start={start_at}", f"--end={end_at}"], stack.environment)
    if not stack.get("/api/v1/anomaly/active")["total_count"]:
        raise RuntimeError(f"Nothing was found of the leak that {LEAKING} had.")


def _of_a_first_load(name: str, loads: Sequence[FirstLoad]) -> Iterator[Figure]:
    paints = [load.paint_ms for load in loads]
    yield Figure(
        ROW, f"{name}, first load, warm: largest paint, median", f"≤ {PAINT_MS / 1e3:g} s",
        f"{median(paints) / 1e3:.2f} s ({_range(paints)} ms)", median(paints) <= PAINT_MS,
    )  # fmt: skip
    received, requests = median(load.received_bytes for load in loads), max(load.requests for load in loads)
    yield Figure(
        ROW, f"{name}, the same: bytes, compressed; requests", f"≤ {BYTES / 1e3:.0f} kB; ≤ {REQUESTS}",
        f"{received / 1e3:.0f} kB; {requests}", received <= BYTES and requests <= REQUESTS,
    )  # fmt: skip
    shift, task = median(load.layout_shift for load in loads), median(load.longest_task_ms for load in loads)
    yield Figure(
        ROW, f"{name}, the same: layout shift; longest task", f"≤ {SHIFT}; ≤ {TASK_MS} ms",
        f"{shift:.3f}; {f'{task:.0f}' if task else 'none over 50'} ms", shift <= SHIFT and task <= TASK_MS,
    )  # fmt: skip


def _cold_paints(stack: BenchStack, browser: Browser, path: str, functions: Sequence[str]) -> Sequence[float]:
    """The largest paints where these functions have to start first, and the others run."""
    paints = []
    for _ in range(COLD_RUNS):
        _end_environments(stack, functions)
        paints.append(first_load(browser, f"{stack.settings.http_url}/", path).paint_ms)
    return paints


def _end_environments(stack: BenchStack, functions: Sequence[str]) -> None:
    """Changes the functions' descriptions: another configuration is another environment."""
    client = aws_client(stack.settings, "lambda")
    for name in (f"{STACK_NAME}-{function}" for function in functions):
        client.update_function_configuration(FunctionName=name, Description=f"Cold at {time.time():.3f}")
        client.get_waiter("function_updated_v2").wait(FunctionName=name)


def _of_cold_loads(name: str, paints_ms: Mapping[str, Sequence[float]]) -> Figure:
    medians_ms = {function: median(paints) for function, paints in paints_ms.items()}
    worst = max(medians_ms, key=medians_ms.__getitem__)
    listed = ", ".join(f"{function} {paint:.0f}" for function, paint in medians_ms.items())
    return Figure(
        ROW, f"{name}, first load, one function cold: largest paint, median with the worst",
        f"≤ {COLD_PAINT_MS / 1e3:g} s", f"{medians_ms[worst] / 1e3:.2f} s ({listed} ms)",
        medians_ms[worst] <= COLD_PAINT_MS,
    )  # fmt: skip


def _ticks(browser: Browser, base_url: str, path: str) -> Sequence[float]:
    """Each tick takes a driver in or out; the last of them stays in, so that there is always one."""
    with empty_page(browser, base_url) as page:
        open_page(page, f"{path}&days=90&drivers={','.join(DRIVERS)}")
        taken = [tick_ms(page, driver) for driver in islice(cycle(DRIVERS[:-1]), TICKS + WARMING_TICKS)]
    return taken[WARMING_TICKS:]


def _of_ticks(form: str, taken_ms: Sequence[float], *, is_bound: bool) -> Figure:
    p95 = quantiles(taken_ms, n=20)[-1]
    return Figure(
        ROW, f"a driver ticked → fit drawn, 90 d hourly, {form}, p95 of {len(taken_ms)}",
        f"≤ {TICK_MS} ms" if is_bound else "-",
        f"{p95:.0f} ms (median {median(taken_ms):.0f}, {_range(taken_ms)})",
        p95 <= TICK_MS if is_bound else None,
    )  # fmt: skip


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.0f} to {max(values):.0f}"
