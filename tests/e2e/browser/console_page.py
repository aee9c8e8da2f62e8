"""How tests deal with a page of the console."""

import re
from typing import Any

from playwright.sync_api import Page, Route, expect

SETTLED = "html:not([data-state=loading])"
# What a person should never read: a figure that is none, or a stamp for machines.
UNREADABLE = re.compile(
    r"\bNaN\b|\bundefined\b|\bnull\b|\bInfinity\b|\[object|\d{4}-\d\d-\d\dT\d\d:\d\d|Invalid Date"
)
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def settle(page: Page) -> str:
    """Waits until nothing loads any more; gives the page's state."""
    page.locator(SETTLED).wait_for(state="attached")
    state = page.locator("html").get_attribute("data-state")
    assert state
    return state


def open_page(page: Page, path: str) -> str:
    """Opens a page and gives its state once it has settled."""
    page.goto(path)
    return settle(page)


def see_all(page: Page) -> None:
    """Scrolls to the end, so that what loads when it is seen has loaded."""
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for_load_state("networkidle")
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
