"""A pass through the pages in Firefox, where one can be had."""

from collections.abc import Iterator

import pytest
from e2e.browser.firefox import Firefox, running_firefox
from e2e.running_stack import Stack


@pytest.fixture(scope="module")
def firefox(firefox_program: str) -> Iterator[Firefox]:
    with running_firefox(firefox_program) as firefox:
        yield firefox


@pytest.mark.parametrize(
    "path", ["ui/", "ui/anomaly", "ui/baseline", "ui/forecast", "ui/kpi", "ui/machine/{machine_id}"]
)
def test_a_page_comes_without_complaint(firefox: Firefox, console_stack: Stack, path: str) -> None:
    machine_id = console_stack.api("api/v1/machines?limit=1")["machines"][0]["id"]
    firefox.problems.clear()

    firefox.open(f"{console_stack.origin}/api/analytics/{path.format(machine_id=machine_id)}")
    firefox.wait_for("document.documentElement.dataset.state !== 'loading'")

    assert firefox.evaluate("document.documentElement.dataset.state") in ("ready", "partial", "empty")
    assert firefox.problems == []
