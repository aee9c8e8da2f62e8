"""axe-core on a page: WCAG 2.0 to 2.2, levels A and AA, and what its authors call best practice."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

CHECKOUT = Path(__file__).resolve().parents[3]
AXE = CHECKOUT / ".enms" / "env" / "console" / "node_modules" / "axe-core" / "axe.min.js"
OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"],
    # axe has the one rule of WCAG 2.2 switched off unless it is asked for.
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}


def assert_accessible(page: Page) -> None:
    """Fails with each rule that the page breaks, where, and why."""
    found = told_violations(page)
    assert not found, f"{page.url}\n" + "\n".join(found)


def told_violations(page: Page) -> list[str]:
    """Each rule that the page breaks, where, and why."""
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(_axe())
    violations = page.evaluate(
        "options => axe.run(document, options).then(found => found.violations)", OPTIONS
    )
    return [_told(violation) for violation in violations]


@cache
def _axe() -> str:
    return AXE.read_text()


def _told(violation: dict[str, Any]) -> str:
    lines = [f"{violation['id']} ({violation['impact']}): {violation['help']}"]
    for node in violation["nodes"]:
        target = " ".join(map(str, node["target"]))
        lines.append(f"  {target}\n    {node['failureSummary'].replace(chr(10), ' ')}")
    return "\n".join(lines)
