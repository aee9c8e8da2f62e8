"""How tests deal with a page of the console."""

import csv
import math
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, Route, expect

# By name; `{machine}` stands for the id of a demo machine. Their periods are over, so that figures stay.
PAGES = {
    "overview": "ui/?days=7",
    "anomaly": "ui/anomaly?show=30",
    "baseline": "ui/baseline?machine={machine}&days=7",
    "forecast": "ui/forecast?machine={machine}",
    "kpi": "ui/kpi?machine={machine}&days=7",
    "machine": "ui/machine/{machine}?days=7",
}
# Every call that a page makes for its figures.
API = re.compile(r"/api/analytics/(api/v1|scheduler|health)")
SETTLED = "html:not([data-state=loading])"
# What a person should never read: a figure that is none, or a stamp for machines.
UNREADABLE = re.compile(
    r"\bNaN\b|\bundefined\b|\bnull\b|\bInfinity\b|\[object|\d{4}-\d\d-\d\dT\d\d:\d\d|Invalid Date"
)
TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def settle(page: Page) -> str:
    """Waits until nothing loads any more; gives the page's state."""
    while True:
        page.locator(SETTLED).wait_for(state="attached")
        # What comes near the window begins to load a frame later.
        page.evaluate(TWO_FRAMES)
        state = page.locator("html").get_attribute("data-state")
        if state != "loading":
            assert state
            return state


def open_page(page: Page, path: str) -> str:
    """Opens a page and gives its state once it has settled."""
    page.goto(path)
    return settle(page)


def see_all(page: Page) -> None:
    """Scrolls to the end, window by window, so that what loads when it is seen has loaded."""
    top = 0
    while top < page.evaluate("document.documentElement.scrollHeight"):
        page.evaluate(f"(scrollTo(0, {top}), {TWO_FRAMES})")
        settle(page)
        top += page.evaluate("innerHeight")
    expect(page.locator("[data-face=loading]:visible")).to_have_count(0)
    settle(page)
    page.evaluate("scrollTo(0, 0)")


def assert_readable(page: Page) -> None:
    """Nothing is cut off sideways, and nothing that is for machines is shown."""
    assert page.evaluate(OVERFLOW) <= 0, "the page is wider than the window"
    found = UNREADABLE.search(page.locator("body").inner_text())
    assert found is None, f"the page shows {found}"


def fail_with(status: int, detail: str = "It broke.") -> Any:
    """A route's handler that answers with a problem."""

    def handle(route: Route) -> None:
        route.fulfill(
            status=status,
            content_type="application/problem+json",
            json={
                "type": "about:blank",
                "title": "Broken",
                "status": status,
                "detail": detail,
                "request_id": "req-42",
            },
        )

    return handle


def assert_failed(page: Page, region: str, text: str) -> None:
    """A region tells what went wrong, where the log has it, and offers to try again."""
    face = page.locator(f"{region} > .face")
    expect(face.get_by_role("alert")).to_contain_text(text)
    expect(face.get_by_role("button", name="Try again")).to_be_visible()


def period_of(page: Page) -> str:
    """The period that the page shows, as the API takes it: `start=2026-03-01&end=2026-03-07`."""
    first, last = (page.locator(f"#{name}").input_value() for name in ("from", "to"))
    return f"start={first}&end={last}"


def written(value: float, unit: str = "", decimals: int | None = None) -> str:
    """A figure as an English page writes it: with three digits that count, or so many decimals."""
    if decimals is None:
        magnitude = math.floor(math.log10(abs(value))) if value else 2
        decimals = min(max(2 - magnitude, 0), 6)
    return f"{value:,.{decimals}f} {unit}".strip()


def text_of(shown: Locator) -> str:
    """What is written there, with plain spaces alone."""
    return re.sub(r"\s+", " ", shown.inner_text()).strip()


def saved_rows(button: Locator) -> list[dict[str, str]]:
    """The rows of the CSV file that a button saves."""
    with button.page.expect_download() as download:
        button.click()
    return list(csv.DictReader(Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()))


def assert_saved(rows: list[dict[str, str]], answered: list[dict[str, Any]]) -> None:
    """A file holds what the API answered, its figures unrounded."""
    assert len(rows) == len(answered) > 0
    for row, expected in zip(rows, answered, strict=True):
        assert {name: _as_answered(row[name], value) for name, value in expected.items()} == expected


def _as_answered(text: str, value: Any) -> Any:
    if text == "":
        return None
    if isinstance(value, bool):
        return text == "true"
    return type(value)(text) if isinstance(value, int | float) else text
