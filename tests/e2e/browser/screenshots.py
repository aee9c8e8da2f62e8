"""`make screenshots`: pictures of the console's pages, from the stack that is up, into `docs/img`."""

import json
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from e2e.browser import browsers
from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright

from enms_local.stack.settings import StackSettings

PICTURES = Path(__file__).resolve().parents[3] / "docs" / "img"
MACHINE = "Compressor-1"
SETTLED = "html:is([data-state=ready], [data-state=partial])"
LONGEST_WAIT_MILLISECONDS = 20_000
TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


@dataclass(frozen=True)
class Shot:
    """A picture of a page.

    Attributes:
        name: Of the file, without its ending.
        path: Of the page, below the public prefix; `{machine}` stands for the id of a demo machine.
        color_scheme: What the person prefers.
        width: Of the window, in CSS pixels.
    """

    name: str
    path: str
    color_scheme: Literal["light", "dark"] = "light"
    width: int = 1440


SHOTS = (
    Shot("overview", "ui/"),
    Shot("anomaly", "ui/anomaly"),
    Shot("anomaly-dark", "ui/anomaly", color_scheme="dark"),
    Shot("baseline", "ui/baseline?machine={machine}"),
    Shot("baseline-dark", "ui/baseline?machine={machine}", color_scheme="dark"),
    Shot("forecast", "ui/forecast"),
    Shot("forecast-dark", "ui/forecast", color_scheme="dark"),
    Shot("kpi", "ui/kpi?machine={machine}"),
    Shot("machine", "ui/machine/{machine}"),
)


def main(names: list[str]) -> None:
    """Takes the named pictures, or all."""
    api = StackSettings.load().http_url
    machine = _machine_id(api)
    PICTURES.mkdir(parents=True, exist_ok=True)
    program = browsers.find_chromium()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=browsers.chromium_arguments())
        for shot in SHOTS:
            if not names or shot.name in names:
                _take(chromium, shot, f"{api}/{shot.path.format(machine=machine)}")
        chromium.close()


def _take(browser: Browser, shot: Shot, url: str) -> None:
    context = browser.new_context(
        locale="en-GB",
        viewport={"width": shot.width, "height": 900},
        color_scheme=shot.color_scheme,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(url)
    _settle(page)
    # What comes only when it is scrolled to.
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    _settle(page)
    page.evaluate("scrollTo(0, 0)")
    _settle(page)
    file = PICTURES / f"{shot.name}.png"
    page.screenshot(path=file, full_page=True)
    context.close()
    print(f"{file.relative_to(PICTURES.parents[1])}  {file.stat().st_size / 1000:.0f} kB")


def _settle(page: Page) -> None:
    page.evaluate(TWO_FRAMES)
    # A function to wait for would be `eval` to the page's Content-Security-Policy.
    try:
        page.locator(SETTLED).wait_for(state="attached", timeout=LONGEST_WAIT_MILLISECONDS)
    except TimeoutError:
        state = page.locator("html").get_attribute("data-state")
        sys.exit(f"{page.url} is not ready but {state!r}: see its console, and make logs.")


def _machine_id(api: str) -> str:
    with urllib.request.urlopen(f"{api}/api/v1/machines?limit=200") as answer:
        machines = json.load(answer)["machines"]
    return next(machine["id"] for machine in machines if machine["name"] == MACHINE)


if __name__ == "__main__":
    main(sys.argv[1:])
