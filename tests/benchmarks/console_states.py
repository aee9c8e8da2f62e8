"""Every page of the console in every state, looked at by axe-core."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from e2e.browser.accessibility import told_violations
from e2e.browser.console_page import API, fail_with, see_all
from playwright.sync_api import Browser, Page

from benchmarks.console_browser import empty_page, open_until_quiet
from benchmarks.stack import BenchStack, run

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_HANGING = "window.fetch = () => new Promise(() => {})"
_NO_READINGS = "from=2020-01-01&to=2020-01-07"
_EMPTY_FACTORY = "Factory without machines"
ENMS = str(Path(sys.executable).with_name("enms"))


def violations(browser: Browser, stack: BenchStack, pages: Mapping[str, str]) -> tuple[int, list[str]]:
    """Opens each page in each state and colour scheme.

    Args:
        browser: A running Chromium.
        stack: With the demo factory.
        pages: Path by name.

    Returns:
        How many were looked at, and each violation in words.

    Raises:
        RuntimeError: A page was in another state than it should be.
    """
    factory = _empty_factory(stack)
    empty = {
        **{name: _with(path, _NO_READINGS) for name, path in pages.items()},
        "overview": f"ui/?factory={factory}",
        "anomaly": f"ui/anomaly?factory={factory}",
        "forecast": f"ui/forecast?factory={factory}",
    }
    states: tuple[tuple[str, Mapping[str, str], Callable[[Page, str], str]], ...] = (
        ("ready", pages, _ready),
        ("loading", pages, _loading),
        ("empty", empty, open_until_quiet),
        ("error", pages, _failed),
    )
    looked_at, found = 0, []
    for scheme in SCHEMES:
        for wanted, paths, bring in states:
            for path in paths.values():
                with empty_page(browser, f"{stack.settings.http_url}/", scheme) as page:
                    state = bring(page, path)
                    if state != wanted and (wanted, state) != ("ready", "partial"):
                        raise RuntimeError(f"{page.url} is {state}, not {wanted}.")
                    found += [f"{path} {wanted} {scheme}: {each}" for each in told_violations(page)]
                    looked_at += 1
    return looked_at, found


def _ready(page: Page, path: str) -> str:
    state = open_until_quiet(page, path)
    see_all(page)
    return state


def _loading(page: Page, path: str) -> str:
    """Calls are never answered, as by a server that hangs."""
    page.add_init_script(_HANGING)
    page.goto(path)
    page.locator("[aria-busy]").first.wait_for()
    return page.locator("html").get_attribute("data-state") or ""


def _failed(page: Page, path: str) -> str:
    page.route(API, fail_with(500))
    return open_until_quiet(page, path)


def _with(path: str, query: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{query}"


def _empty_factory(stack: BenchStack) -> str:
    """The id of a factory that has no machine yet."""
    factories = stack.get("/api/v1/factories")["factories"]
    if not any(each["name"] == _EMPTY_FACTORY for each in factories):
        run([ENMS, "factories", "add", _EMPTY_FACTORY, "--timezone", "Europe/Berlin"], stack.environment)
        factories = stack.get("/api/v1/factories")["factories"]
    return next(str(each["id"]) for each in factories if each["name"] == _EMPTY_FACTORY)
