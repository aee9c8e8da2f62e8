"""The overview: in the morning someone sees what is wrong, what it cost, and where to go on."""

import re
from typing import Any

import pytest
from e2e.browser.console_page import assert_readable, open_page, period_of, settle, text_of, written
from e2e.running_stack import Stack
from playwright.sync_api import Page, expect

# The order of the cards: what stands out first, then what is as usual.
SEVERITIES = ["critical", "warning", "normal"]


@pytest.fixture
def overview(demo_factory: str, trained: list[str]) -> str:
    """Path of the page for seven days that are over."""
    assert trained
    return f"ui/?factory={demo_factory}&days=7"


def answer(stack: Stack, page: Page, route: str, factory: str) -> Any:
    return stack.api(f"api/v1/{route}?factory_id={factory}&{period_of(page)}")


def tile(page: Page, name: str) -> str:
    return text_of(page.locator(f"#{name} .content"))


def written_deviation(total: dict[str, Any]) -> str:
    deviation_kwh = total["deviation_kwh"]
    sign = "+" if deviation_kwh > 0 else ""
    return sign + written(deviation_kwh, "kWh", decimals=1 if abs(deviation_kwh) < 10 else 0)


def rank(machine: dict[str, Any]) -> tuple[int, float]:
    """The worst first; what can't be judged comes last, and last of all what has no baseline."""
    if severity := machine["deviation_severity"]:
        return SEVERITIES.index(severity), -abs(machine["deviation_sigma"])
    return len(SEVERITIES) + (machine["reason"]["code"] == "no_model"), 0.0


def test_tiles_tell_what_the_service_tells(
    page: Page, console_stack: Stack, demo_factory: str, overview: str
) -> None:
    open_page(page, overview)
    total = answer(console_stack, page, "baseline/overview", demo_factory)["total"]
    kpis = answer(console_stack, page, "kpi/all", demo_factory)
    health = console_stack.api("health")

    deviation, severity = tile(page, "deviation"), total["deviation_severity"].title()
    assert deviation.startswith(f"{written_deviation(total)} {severity}")
    assert f"{total['judged_machines']} of {total['machines']} machines judged" in deviation
    cost = kpis["kpis"]["energy_cost"]["value"]
    assert tile(page, "cost").startswith(f"€{written(cost, decimals=0 if cost >= 1000 else 2)} ")
    assert f"for {written(kpis['total_energy_kwh'], 'kWh')}" in tile(page, "cost")
    assert tile(page, "carbon").startswith(written(kpis["kpis"]["carbon_intensity"]["value"], "kg"))
    assert re.match(r"[\d.]+ kW Quarter hour of \w{3}.*of the 400 kW in the contract", tile(page, "peak"))
    assert tile(page, "data").startswith("8 of 8 fresh")
    assert f"{health['models_loaded']} active baselines" in tile(page, "service")


def test_machines_come_the_worst_first(
    page: Page, console_stack: Stack, demo_factory: str, overview: str
) -> None:
    open_page(page, overview)
    machines = answer(console_stack, page, "baseline/overview", demo_factory)["machines"]

    cards = page.locator("#machine-cards > li")

    expected = [machine["machine_name"] for machine in sorted(machines, key=rank)]
    assert cards.locator("h3").all_inner_texts() == expected
    for machine in machines:
        card = text_of(cards.filter(has=page.get_by_role("link", name=machine["machine_name"], exact=True)))
        if machine["deviation_severity"]:
            assert machine["deviation_severity"].title() in card
            used, expected_kwh = (written(machine[f"{name}_kwh"], "kWh") for name in ("actual", "predicted"))
            assert f"{used} used, {expected_kwh} expected" in card
        else:
            assert machine["reason"]["code"] != "no_model" or "No baseline yet" in card


def test_a_tile_and_a_card_lead_to_the_same_days_on_their_pages(page: Page, overview: str) -> None:
    open_page(page, overview)
    shown = period_of(page)
    page.get_by_role("link", name="Energy cost").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Key figures")
    settle(page)
    assert period_of(page) == shown

    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    settle(page)
    page.get_by_role("link", name="Compressor-1", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compressor-1")
    settle(page)
    assert period_of(page) == shown


def test_another_period_is_asked_for_and_kept_in_the_address(page: Page, overview: str) -> None:
    open_page(page, overview)
    with page.expect_response("**/baseline/overview**") as response:
        page.get_by_role("button", name="Yesterday").click()
    settle(page)
    assert "days=yesterday" in page.url
    first, last = re.findall(r"=([\d-]+)", period_of(page))
    assert first == last
    assert f"start={first}&end={first}" in response.value.url
    assert written_deviation(response.value.json()["total"]) in tile(page, "deviation")


def test_today_is_so_far_and_kept_up_to_date(page: Page, overview: str) -> None:
    page.clock.install()
    open_page(page, overview.replace("&days=7", ""))
    expect(page.locator("#subtitle")).to_contain_text("so far. Times in Europe/Berlin; as of")
    assert_readable(page)
    first = page.locator("#machine-cards > li").first
    first.get_by_role("link").first.focus()

    with page.expect_response("**/baseline/overview**"):
        page.clock.fast_forward(61_000)

    settle(page)
    assert page.evaluate("document.activeElement.closest('#machine-cards') !== null")


def test_what_has_no_baseline_is_one_step_from_one(
    page: Page, console_stack: Stack, machines: dict[str, str], trained: list[str], overview: str
) -> None:
    untrained = sorted(machines.keys() - set(trained))
    if not untrained:
        pytest.skip("each machine of the stack that is up has a baseline")
    open_page(page, overview)
    card = page.locator("#machine-cards > li", has=page.get_by_role("heading", name=untrained[0]))
    expect(card).to_contain_text("No baseline yet")

    card.get_by_role("link", name="Train one").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Energy baselines")
    settle(page)
    checked = page.locator("#machines input:checked")
    assert [box.input_value() for box in checked.all()] == [machines[untrained[0]]]
