"""A machine's page: someone looks what it used, holds it against its baseline, and at what it measures."""

import pytest
from e2e.browser.accessibility import assert_accessible
from e2e.browser.console_page import (
    assert_readable,
    assert_saved,
    open_page,
    period_of,
    saved_rows,
    see_all,
    settle,
    text_of,
    written,
)
from e2e.browser.page_watch import PageWatch
from e2e.running_stack import Stack
from playwright.sync_api import Page, expect


@pytest.fixture
def machine_id(machines: dict[str, str], trained: list[str]) -> str:
    """Of a machine with an active baseline by the hour."""
    assert "Compressor-1" in trained
    return machines["Compressor-1"]


def test_figures_and_verdict_are_those_of_the_service(
    page: Page, console_stack: Stack, machine_id: str
) -> None:
    open_page(page, f"ui/machine/{machine_id}?days=7")
    of = f"machine_id={machine_id}&{period_of(page)}"
    told = console_stack.api(f"api/v1/kpi/all?{of}")
    deviation = console_stack.api(f"api/v1/baseline/deviation?{of}")
    kpis = told["kpis"]

    tiles = {
        "energy": written(told["total_energy_kwh"], "kWh"),
        "cost": f"€{written(kpis['energy_cost']['value'], decimals=2)}",
        "carbon": written(kpis["carbon_intensity"]["value"], "kg"),
        "peak": written(kpis["peak_demand"]["value"], "kW"),
        "sec": written(kpis["sec"]["value"], "kWh/unit"),
        "load-factor": written(kpis["load_factor"]["percent"], "%", decimals=1),
    }
    assert {name: text_of(page.locator(f"#tile-{name} .value")) for name in tiles} == tiles
    verdict = text_of(page.locator("#verdict"))
    used, expected = (written(deviation[f"total_{name}_kwh"], "kWh") for name in ("actual", "predicted"))
    assert f"{used} used, {expected} expected" in verdict
    assert deviation["deviation_severity"].title() in verdict
    assert f"judged by version {deviation['baseline_model_version']};" in verdict
    expect(page.locator("#facts")).to_contain_text("Compressor")
    expect(page.locator("#facts")).to_contain_text("Demo Factory")


@pytest.mark.parametrize(("days", "interval"), [(7, "hour"), (30, "day")])
def test_deviations_are_saved_as_the_service_tells_them(
    page: Page, console_stack: Stack, machine_id: str, days: int, interval: str
) -> None:
    open_page(page, f"ui/machine/{machine_id}?days={days}")
    asked = f"machine_id={machine_id}&{period_of(page)}&interval={interval}"
    told = console_stack.api(f"api/v1/baseline/deviation?{asked}")
    rows = told["hourly_deviations" if interval == "hour" else "daily_deviations"]

    assert_saved(saved_rows(page.get_by_role("button", name="CSV of the deviations")), rows)

    page.locator("#chart-expected summary").click()
    expect(page.locator("#chart-expected tbody tr")).to_have_count(len(rows))


def test_whatever_was_measured_can_be_looked_at(page: Page, console_stack: Stack, machine_id: str) -> None:
    open_page(page, f"ui/machine/{machine_id}?days=7")
    see_all(page)
    page.get_by_label("What was measured").select_option(label="Outdoor temperature")
    expect(page.locator("#chart-series h3")).to_contain_text("Outdoor temperature in")
    settle(page)
    assert "metric=outdoor_temp_c" in page.url
    told = console_stack.api(
        f"api/v1/machines/{machine_id}/series?metric=outdoor_temp_c&interval=15min&{period_of(page)}"
    )
    page.locator("#chart-series summary").click()
    expect(page.locator("#chart-series tbody tr")).to_have_count(len(told["data"]["time"]))

    with page.expect_event("load"):
        page.go_back()
    settle(page)
    see_all(page)
    expect(page.get_by_label("What was measured")).to_have_value("power_kw")
    expect(page.locator("#chart-series h3")).to_have_text("Power in kW")


def test_what_was_learnt_stands_beside_it(page: Page, console_stack: Stack, machine_id: str) -> None:
    (model,) = console_stack.api(f"api/v1/baseline/models?machine_id={machine_id}&active=true")["models"]
    open_page(page, f"ui/machine/{machine_id}?days=7")
    see_all(page)
    facts = text_of(page.locator("#baseline-facts"))
    assert f"Version {model['model_version']} {model['verdict'].title()}" in facts
    assert f"R² {written(model['r_squared'], decimals=3)}" in facts
    page.get_by_role("link", name="All versions").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Energy baselines")
    settle(page)


def test_it_leads_to_its_anomalies(page: Page, machine_id: str) -> None:
    open_page(page, f"ui/machine/{machine_id}?days=7")
    page.get_by_role("link", name="its anomalies").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Anomalies")
    settle(page)
    expect(page.locator("#machine")).to_have_value(machine_id)
    expect(page.get_by_role("button", name="30 days")).to_have_attribute("aria-pressed", "true")


def test_without_a_baseline_it_leads_to_one(
    page: Page, machines: dict[str, str], trained: list[str], watch: PageWatch
) -> None:
    untrained = sorted(machines.keys() - set(trained))
    if not untrained:
        pytest.skip("each machine of the stack that is up has a baseline")
    watch.expect("status of 409")
    open_page(page, f"ui/machine/{machines[untrained[0]]}?days=7")
    see_all(page)
    face = page.locator("#deviation > .face")
    expect(face).to_contain_text("No baseline yet")
    expect(page.locator("#baseline")).to_be_hidden()
    assert_readable(page)
    assert_accessible(page)
    expect(page.get_by_role("button", name="CSV of the deviations")).to_be_disabled()

    face.get_by_role("link", name="Train one").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Energy baselines")
    settle(page)
    expect(page.locator("#machines input:checked")).to_have_value(machines[untrained[0]])


def test_days_that_have_not_come_are_refused_with_a_way_back(page: Page, machine_id: str) -> None:
    assert open_page(page, f"ui/machine/{machine_id}?from=2099-01-01&to=2099-01-07") == "empty"
    expect(page.locator("#nothing > .face")).to_contain_text("These days lie in the future.")
    page.get_by_role("button", name="Show the last 7 days").click()
    assert settle(page) in ("ready", "partial")
    assert "2099" not in page.url
