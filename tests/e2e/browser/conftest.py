"""A stack with enough days for baselines, and pages of a browser on it.

`CONSOLE_PORT=8080 pytest tests/e2e/browser` runs the tests against a stack that is up already.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from e2e.browser import browsers
from e2e.browser.page_watch import PageWatch
from e2e.running_stack import Stack, copied_checkout, free_ports
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

CHECKOUT = Path(__file__).resolve().parents[3]
STEEL_WORKS = "Steel works"
# Unlike the factory's: times that are shown in the browser's zone by mistake are found out.
BROWSER_TIMEZONE = "America/New_York"
# What a machine had, and how many days ago.
FAULTS = {"Boiler-1": ("leak", 3), "HVAC-1": ("inefficiency", 2)}
LONGEST_WAIT_MILLISECONDS = 15_000.0


@pytest.fixture(scope="session")
def chromium_program() -> str:
    """Where Chromium lies; tests that need it skip where there is none."""
    try:
        return browsers.find_chromium()
    except browsers.MissingBrowserError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def firefox_program() -> str:
    """Where Firefox lies; tests that need it skip where there is none."""
    try:
        return browsers.find_firefox()
    except browsers.MissingBrowserError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def console_stack(chromium_program: str) -> Iterator[Stack]:
    """A stack with 60 days of the demo factory; stopped at the end."""
    if port := os.environ.get("CONSOLE_PORT"):
        yield Stack(CHECKOUT, {"ENMS_HTTP_PORT": port})
        return
    names = ("ENMS_HTTP_PORT", "ENMS_HTTPS_PORT", "ENMS_AWS_PORT", "ENMS_DATABASE_PORT", "ENMS_DEV_PORT")
    settings = dict(zip(names, map(str, free_ports(len(names))), strict=True))
    with copied_checkout() as checkout:
        settings |= {
            "ENMS_STATE_DIR": str(checkout / "state"),
            "ENMS_DEMO_DAYS": "60",
            "SCHEDULER_ENABLED": "false",
        }
        stack = Stack(checkout, settings)
        try:
            stack.enms("up")
            yield stack
        finally:
            stack.stop()


@pytest.fixture(scope="session")
def machines(console_stack: Stack) -> dict[str, str]:
    """Ids of the demo factory's machines by name."""
    found = console_stack.api("api/v1/machines?factory=Demo%20Factory&limit=50")["machines"]
    return {machine["name"]: machine["id"] for machine in found}


@pytest.fixture(scope="session")
def demo_factory(console_stack: Stack) -> str:
    """Id of the demo factory."""
    (found,) = (
        factory["id"]
        for factory in console_stack.api("api/v1/factories")["factories"]
        if factory["name"] == "Demo Factory"
    )
    return str(found)


@pytest.fixture(scope="session")
def trained(console_stack: Stack, machines: dict[str, str]) -> list[str]:
    """Names of demo machines that have an active baseline: these, and more where others were trained."""
    wanted = {"Boiler-1", "Compressor-1", "HVAC-1"}
    if missing := sorted(wanted - _with_baseline(console_stack)):
        console_stack.enms("jobs", "run", "retrain", *(f"--machine={name}" for name in missing))
    return sorted(_with_baseline(console_stack) & machines.keys())


def _with_baseline(stack: Stack) -> set[str]:
    models = stack.api("api/v1/baseline/models?active=true&limit=200")["models"]
    return {model["machine_name"] for model in models}


@pytest.fixture(scope="session")
def faulty(console_stack: Stack, machines: dict[str, str], trained: list[str]) -> list[str]:
    """Ids of anomalies that were found open: of faults that two machines with a baseline had."""
    if "ENMS_STATE_DIR" in console_stack.settings:
        assert set(FAULTS) <= set(trained)
        for name, (fault, days_ago) in FAULTS.items():
            start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=days_ago)
            size = ("--hours=20", "--size=0.5", f"--start={start.isoformat()}")
            console_stack.enms("demo", "inject", fault, f"--machine={name}", *size)
            end = start + timedelta(days=1)
            console_stack.enms(
                "detect", f"--machine={name}", f"--start={start.isoformat()}", f"--end={end.isoformat()}"
            )
    found = console_stack.api("api/v1/anomaly/active?limit=500")["anomalies"]
    ids = [anomaly["id"] for anomaly in found if anomaly["machine_id"] in machines.values()]
    if not ids:
        pytest.skip("the stack that is up has no open anomaly")
    return ids


@pytest.fixture(scope="session")
def steel_works(console_stack: Stack, shared_dir: Path) -> str:
    """Id of a machine with a steel works' year 2018, whose energy no driver of it explains well."""
    found = _machine_id(console_stack, STEEL_WORKS)
    if found is None and "ENMS_STATE_DIR" not in console_stack.settings:
        pytest.skip(f"the stack that is up has no machine {STEEL_WORKS}")
    return found or _import_steel_works(console_stack, shared_dir / "data" / "steel_15min" / "steel.csv")


def _import_steel_works(stack: Stack, file: Path) -> str:
    stack.enms("factories", "add", STEEL_WORKS, "--timezone", "Asia/Seoul", "--country", "KR")
    stack.enms(
        "machines", "add", STEEL_WORKS, "--factory", STEEL_WORKS, "--type", "other", "--rated-kw", "650"
    )
    stamps = ("--machine", STEEL_WORKS, "--time-column", "timestamp", "--stamp", "end")
    stack.enms("import", "energy", str(file), *stamps, "--value-column", "usage_kwh", "--unit", "kWh")
    # The one leaks the target, the other is an honest driver, if a weak one.
    drivers = ("--column", "co2_t=co2_t", "--column", "seconds_from_midnight=nsm")
    stack.enms("import", "production", str(file), *stamps, *drivers)
    machine_id = _machine_id(stack, STEEL_WORKS)
    assert machine_id
    return machine_id


def _machine_id(stack: Stack, name: str) -> str | None:
    machines = stack.api("api/v1/machines?limit=200")["machines"]
    return next((machine["id"] for machine in machines if machine["name"] == name), None)


# A module has its own: Playwright keeps an event loop in the test's thread, which others' tests need.
@pytest.fixture(scope="module")
def browser(chromium_program: str) -> Iterator[Browser]:
    """A running Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=chromium_program, args=browsers.chromium_arguments()
        )
        yield chromium
        chromium.close()


@pytest.fixture
def viewport() -> ViewportSize:
    """Size of the page's window in CSS pixels; a test is parametrised with others."""
    return {"width": 1440, "height": 900}


@pytest.fixture
def color_scheme() -> Literal["light", "dark"]:
    """What the person prefers; a test is parametrised with the other."""
    return "light"


@pytest.fixture
def locale() -> str:
    """The browser's language; a test is parametrised with others."""
    return "en-GB"


@pytest.fixture
def watch(console_stack: Stack) -> PageWatch:
    """What the pages of this test did wrong; `watch.expect("…")` forgives what the test provokes."""
    return PageWatch(console_stack.origin)


@pytest.fixture
def page(
    browser: Browser,
    console_stack: Stack,
    watch: PageWatch,
    viewport: ViewportSize,
    color_scheme: Literal["light", "dark"],
    locale: str,
) -> Iterator[Page]:
    """An empty page; `page.goto("ui/")` opens one of ours. The test fails if a page did what it may not."""
    context = browser.new_context(
        base_url=f"{console_stack.origin}/api/analytics/",
        locale=locale,
        timezone_id=BROWSER_TIMEZONE,
        viewport=viewport,
        color_scheme=color_scheme,
    )
    context.set_default_timeout(LONGEST_WAIT_MILLISECONDS)
    watch.attach(context)
    yield context.new_page()
    context.close()
    watch.check()
