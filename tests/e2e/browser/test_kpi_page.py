"""The key figures: someone chooses whose and when, looks, sorts, and takes the figures along."""

import re
from typing import Any

import pytest
from e2e.browser.console_page import (
    assert_saved,
    open_page,
    period_of,
    saved_rows,
    see_all,
    settle,
    text_of,
    written,
)
from e2e.running_stack import Stack
from playwright.sync_api import Page, expect


@pytest.fixture
def kpi(machines: dict[str, str]) -> str:
    """Path of the page for one machine over seven days that are over."""
    return f"ui/kpi?machine={machines['Compressor-1']}&days=7"


def answer(stack: Stack, page: Page, route: str, subject: str) -> Any:
    return stack.api(f"api/v1/kpi/{route}?{subject}&{period_of(page)}")


def test_cards_tell_what_the_service_tells_of_whom_one_chooses(
    page: Page, console_stack: Stack, demo_factory: str, machines: dict[str, str]
) -> None:
    open_page(page, f"ui/kpi?factory={demo_factory}&days=7")
    subjects = {"": f"factory_id={demo_factory}", "HVAC-1": f"machine_id={machines['HVAC-1']}"}
    for name, subject in subjects.items():
        if name:
            page.get_by_label("Factory or machine").select_option(label=name)
            settle(page)
            expect(page.locator("#subtitle")).to_contain_text(f"{name}, ")
        told = answer(console_stack, page, "all", subject)
        kpis = told["kpis"]
        cards = {
            "energy": written(told["total_energy_kwh"], "kWh"),
            "sec": written(kpis["sec"]["value"], "kWh/unit"),
            "peak": written(kpis["peak_demand"]["value"], "kW"),
            "load-factor": written(kpis["load_factor"]["percent"], "%", decimals=1),
            "carbon": written(kpis["carbon_intensity"]["value"], "kg"),
        }
        for card, value in cards.items():
            assert text_of(page.locator(f"#card-{card} .value")) == value
        cost = kpis["energy_cost"]["value"]
        shown = text_of(page.locator("#card-cost .value"))
        assert shown == f"€{written(cost, decimals=0 if cost >= 1000 else 2)}"
    with page.expect_event("load"):
        page.go_back()
    settle(page)
    expect(page.get_by_label("Factory or machine")).to_have_value("")


def test_the_trend_shows_any_figure_and_is_saved(
    page: Page, console_stack: Stack, machines: dict[str, str], kpi: str
) -> None:
    open_page(page, f"{kpi}&figure=peak")
    expect(page.get_by_label("Figure of the trend")).to_have_value("peak")
    subject = f"machine_id={machines['Compressor-1']}"
    history = answer(console_stack, page, "history", f"{subject}&interval=day")["history"]
    page.locator("#chart-trend summary").click()
    values = page.locator("#chart-trend tbody tr td:nth-child(2)")
    expect(values).to_have_text([written(row["peak_demand_kw"], "kW") for row in history])

    page.get_by_label("Figure of the trend").select_option(label="Energy")
    expect(values.first).to_have_text(written(history[0]["energy_kwh"], "kWh"))
    assert "figure=energy" in page.url
    assert_saved(saved_rows(page.get_by_role("button", name="CSV of the trend")), history)

    page.get_by_label("Interval of the trend").select_option(label="by weeks")
    settle(page)
    weeks = answer(console_stack, page, "history", f"{subject}&interval=week")["history"]
    expect(values).to_have_count(len(weeks))
    assert_saved(saved_rows(page.get_by_role("button", name="CSV of the trend")), weeks)


def test_every_part_is_saved_as_the_service_tells_it(
    page: Page, console_stack: Stack, demo_factory: str, machines: dict[str, str], kpi: str
) -> None:
    open_page(page, kpi)
    see_all(page)
    subject = f"machine_id={machines['Compressor-1']}"
    told = {
        "the cost by tariff": answer(console_stack, page, "energy-cost", subject)["bands"],
        "the load by hour and weekday": answer(console_stack, page, "profile", subject)["profile"],
        "the load duration curve": answer(console_stack, page, "duration-curve", subject)["duration_curve"],
        "the machines": answer(console_stack, page, "comparison", f"factory_id={demo_factory}")["machines"],
    }
    for what, rows in told.items():
        button = page.get_by_role("button", name=f"CSV of {what}", exact=True)
        assert_saved(saved_rows(button), rows)


def test_machines_are_sorted_by_any_figure(
    page: Page, console_stack: Stack, demo_factory: str, kpi: str
) -> None:
    open_page(page, kpi)
    see_all(page)
    machines = answer(console_stack, page, "comparison", f"factory_id={demo_factory}")["machines"]
    names = page.locator("#machines-table tbody th")

    def by(figure: str, *, falling: bool) -> list[str]:
        found = sorted(machines, key=lambda machine: machine[figure], reverse=falling)
        return [machine["machine_name"] for machine in found]

    assert names.all_inner_texts() == by("energy_kwh", falling=True)
    head = page.locator("#machines-table th", has=page.get_by_role("button", name="Peak"))
    for order, falling in (("descending", True), ("ascending", False)):
        head.get_by_role("button").press("Enter")
        expect(head).to_have_attribute("aria-sort", order)
        assert names.all_inner_texts() == by("peak_demand_kw", falling=falling)
    open_page(page, page.url)
    see_all(page)
    assert names.all_inner_texts() == by("peak_demand_kw", falling=False)
    expect(page.locator("#machines-table tr[aria-current] th")).to_have_text("Compressor-1")


def test_the_heat_map_is_read_cell_by_cell_with_the_keyboard(
    page: Page, console_stack: Stack, machines: dict[str, str], kpi: str
) -> None:
    open_page(page, kpi)
    see_all(page)
    profile = answer(console_stack, page, "profile", f"machine_id={machines['Compressor-1']}")["profile"]
    power = {(cell["weekday"], cell["hour"]): cell["mean_power_kw"] for cell in profile}
    told = page.locator("#heat-cell")

    page.get_by_role("button", name="CSV of the load by hour and weekday").focus()
    page.keyboard.press("Tab")
    expect(told).to_contain_text("Mon, 00:00 to 01:00")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)

    expect(told).to_contain_text(f"Mon, 01:00 to 02:00: {written(power[1, 1], 'kW')} on average")
    page.keyboard.press("Tab")
    assert not page.evaluate("document.activeElement.matches('.heat td')")


def test_days_that_have_not_come_are_refused_with_a_way_back(page: Page, kpi: str) -> None:
    assert open_page(page, f"{kpi}&from=2099-01-01&to=2099-01-07") == "empty"
    expect(page.locator("#cards > .face")).to_contain_text("These days have not come yet.")
    page.get_by_role("button", name="Show the last 7 days").click()
    assert settle(page) in ("ready", "partial")
    assert not re.search("2099", page.url)
