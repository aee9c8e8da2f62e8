"""The tests' own watch: it sees what pages do wrong, and axe sees what shuts people out."""

import re

import pytest
from e2e.browser.accessibility import assert_accessible
from e2e.browser.page_watch import PageWatch
from playwright.sync_api import Error, Page, Route

STRICT = {"Content-Security-Policy": "default-src 'self'", "Content-Type": "text/html; charset=utf-8"}


def serve(page: Page, html: str) -> None:
    def fulfil(route: Route) -> None:
        route.fulfill(body=html, headers=STRICT)

    page.route("**/probe", fulfil)
    page.goto("probe", wait_until="load")


def test_the_documentation_opens_and_asks_nobody_else(page: Page) -> None:
    page.goto("docs")

    page.get_by_text("/api/v1/kpi/all").first.wait_for()
    assert page.title() == "EnMS Analytics: API"


def test_what_a_page_does_wrong_is_seen(page: Page, watch: PageWatch) -> None:
    watch.expect("")

    serve(page, "<!doctype html><title>Probe</title><script>1</script>")
    page.evaluate("console.warn('careful')")
    page.evaluate("void setTimeout(() => { throw new Error('broken') })")
    page.evaluate("fetch('missing').then(answer => answer.status)")
    with pytest.raises(Error):
        page.goto("http://localhost:9/")

    found = "\n".join(watch.problems)
    for pattern in (
        "console error: .*Content Security Policy",
        "console warning: careful",
        "uncaught: .*broken",
        r"console error: .*404",
        r"foreign origin: http://localhost:9/",
    ):
        assert re.search(pattern, found), f"{pattern} is not in:\n{found}"


def test_what_shuts_people_out_is_told_under_a_strict_policy(page: Page) -> None:
    serve(
        page, "<!doctype html><html lang=en><title>Probe</title><main><h1>Probe</h1><button></button></main>"
    )

    with pytest.raises(AssertionError, match=r"button-name \(critical\): .*\n  button\n"):
        assert_accessible(page)


def test_a_plain_page_is_accessible(page: Page) -> None:
    serve(page, "<!doctype html><html lang=en><title>Probe</title><main><h1>Probe</h1></main>")

    assert_accessible(page)
