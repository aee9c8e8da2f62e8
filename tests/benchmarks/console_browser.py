"""What a browser measures on the console's pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from e2e.browser import browsers
from e2e.browser.console_page import open_page, settle
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

WINDOW: ViewportSize = {"width": 1440, "height": 900}
_PROBE = Path(__file__).with_name("console_probe.js")
_PATIENCE_MS = 60_000


@dataclass(frozen=True)
class FirstLoad:
    """What the first load of a page took, with nothing kept from before.

    Attributes:
        paint_ms: The largest contentful paint, since the navigation began.
        received_bytes: Bodies and headers as they came over the wire, compressed.
        requests: How many, the page's own with them.
        layout_shift: Cumulated.
        longest_task_ms: 0 where none took 50 ms: browsers don't list those.
    """

    paint_ms: float
    received_bytes: float
    requests: int
    layout_shift: float
    longest_task_ms: float


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running Chromium.

    Raises:
        MissingBrowserError: There is none.
    """
    program = browsers.find_chromium()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=browsers.chromium_arguments())
        yield running
        running.close()


@contextmanager
def empty_page(
    browser: Browser, base_url: str, color_scheme: Literal["light", "dark"] = "light"
) -> Iterator[Page]:
    """A page of a browser that knows nothing yet, with the probe in whatever it opens."""
    context = browser.new_context(
        base_url=base_url,
        locale="en-GB",
        viewport=WINDOW,
        color_scheme=color_scheme,
    )
    context.set_default_timeout(_PATIENCE_MS)
    context.add_init_script(path=_PROBE)
    yield context.new_page()
    context.close()


def first_load(browser: Browser, base_url: str, path: str) -> FirstLoad:
    """Opens a page until nothing loads any more, without scrolling.

    Raises:
        RuntimeError: The page shows an error: its figures would mean nothing.
    """
    received: list[float] = []
    asked: list[str] = []

    def on_request(event: dict[str, Any]) -> None:
        if not event["request"]["url"].startswith("data:"):
            asked.append(event["request"]["url"])

    with empty_page(browser, base_url) as page:
        wire = page.context.new_cdp_session(page)
        wire.on("Network.requestWillBeSent", on_request)
        wire.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
        wire.send("Network.enable")
        state = open_until_quiet(page, path)
        if state not in ("ready", "partial"):
            raise RuntimeError(f"{page.url} is {state}, not ready.")
        seen = page.evaluate("probe.frameDrawn().then(() => probe)")
    return FirstLoad(
        seen["largestPaint"], sum(received), len(asked), seen["layoutShift"], seen["longestTask"]
    )


def open_until_quiet(page: Page, path: str) -> str:
    """Opens a page until nothing is asked for any more; gives its state.

    What is empty or failed is short: more of the page comes into the window then, and asks too.
    """
    open_page(page, path)
    page.wait_for_load_state("networkidle")
    return settle(page)


def tick_ms(page: Page, driver: str) -> float:
    """Ticks a driver on the page of baselines: from the click to the frame with the fit drawn anew."""
    page.evaluate("probe.watchTick()")
    page.locator(f"#drivers input[value='{driver}']").click()
    taken: float = page.evaluate("probe.ticked")
    settle(page)
    return taken


def draw_ms(page: Page, hours: int) -> float:
    """Draws two lines of so many hours with the page's own module of charts, until the frame with them."""
    taken: float = page.evaluate("hours => probe.drawHours(hours)", hours)
    return taken
