"""Anomalies: a planner sees what is open and what it costs, opens one, and says what came of it."""

import re
from itertools import groupby
from typing import Any

import pytest
from e2e.browser.accessibility import assert_accessible
from e2e.browser.console_page import (
    assert_failed,
    assert_readable,
    fail_with,
    open_page,
    saved_rows,
    see_all,
    settle,
    text_of,
    written,
)
from e2e.browser.page_watch import PageWatch
from e2e.running_stack import Stack
from playwright.sync_api import Locator, Page, expect

NARROW = pytest.mark.parametrize("viewport", [{"width": 360, "height": 800}], ids=["narrow"])


@pytest.fixture
def anomalies(console_stack: Stack, demo_factory: str, faulty: list[str]) -> list[dict[str, Any]]:
    """The demo factory's open anomalies as the service lists them: the dearest first."""
    assert faulty
    answer = console_stack.api(f"api/v1/anomaly/active?factory_id={demo_factory}&limit=100")
    found: list[dict[str, Any]] = answer["anomalies"]
    return found


@pytest.fixture
def dearest(anomalies: list[dict[str, Any]]) -> dict[str, Any]:
    """The open anomaly that costs most."""
    return anomalies[0]


@pytest.fixture
def own_stack(console_stack: Stack) -> Stack:
    """A stack on which a test may change what it likes."""
    if "ENMS_STATE_DIR" not in console_stack.settings:
        pytest.skip("nothing is changed on a stack that others use")
    return console_stack


def listed(page: Page) -> Locator:
    return page.locator("#anomalies a")


def priced(anomaly: dict[str, Any]) -> str:
    cost = anomaly["cost"]
    if cost is None:
        return "no price"
    sign = "-" if cost < 0 else ""
    return f"{sign}€{written(abs(cost), decimals=0 if abs(cost) >= 1000 else 2)}"


def change(page: Page, path: str, body: dict[str, Any]) -> None:
    """Somebody else changes an anomaly."""
    assert page.request.put(f"api/v1/anomaly/{path}", data=body).ok


def test_open_ones_stand_by_cost_and_the_dearest_is_opened(
    page: Page, console_stack: Stack, demo_factory: str, anomalies: list[dict[str, Any]]
) -> None:
    open_page(page, f"ui/anomaly?factory={demo_factory}")

    assert listed(page).locator(".name").all_inner_texts() == [each["machine_name"] for each in anomalies]
    assert listed(page).locator(".price").all_inner_texts() == [priced(each) for each in anomalies]
    expect(listed(page).first).to_have_attribute("aria-current", "true")
    assert f"id={anomalies[0]['id']}" in page.url
    expect(page.locator("#lanes i")).to_have_count(len(anomalies))

    sums = console_stack.api(f"api/v1/anomaly/summary?factory_id={demo_factory}")
    assert text_of(page.locator("#tile-count .value")) == str(sums["count"])
    states = f"{sums['open']} new, {sums['acknowledged']} acknowledged, {sums['resolved']} resolved"
    assert text_of(page.locator("#tile-count .note")) == states
    if sums["cost"] is not None:
        assert text_of(page.locator("#tile-cost .value")) == priced(sums)
    see_all(page)
    expect(page.locator("#totals table").first.locator("tbody tr")).to_have_count(len(sums["by_machine"]))


def test_one_opened_tells_what_was_seen_why_and_what_became_of_it(
    page: Page, console_stack: Stack, dearest: dict[str, Any]
) -> None:
    told = console_stack.api(f"api/v1/anomaly/{dearest['id']}")

    open_page(page, f"ui/anomaly?id={dearest['id']}")

    title = dearest["anomaly_type"].replace("_", " ").capitalize()
    expect(page.locator("#detail-title")).to_have_text(f"{title} at {dearest['machine_name']}")
    facts = text_of(page.locator("#facts"))
    assert f"Money lost {priced(dearest)}" in facts
    assert re.search(r"Confidence (over )?[\d.]+ %", facts)
    assert f"{written(abs(told['deviation_std_dev']), 'σ', decimals=1)}: " in facts
    expect(page.locator("#causes tbody tr")).to_have_count(len(told["contributions"]))
    # What went on hour by hour is told once.
    happened = [event for event, _ in groupby(each["event"] for each in told["history"])]
    expect(page.locator("#history li")).to_have_count(len(happened))
    page.locator("#chart-series summary").click()
    expect(page.locator("#chart-series tbody tr")).to_have_count(len(told["series"]["starts_at"]))
    assert_readable(page)

    page.get_by_role("link", name="The machine in these days").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(dearest["machine_name"])
    settle(page)


def test_the_overview_leads_to_it(page: Page, demo_factory: str, anomalies: list[dict[str, Any]]) -> None:
    open_page(page, f"ui/?factory={demo_factory}")
    tile = page.locator("#anomalies")
    assert text_of(tile.locator(".value")) == str(len(anomalies))
    first = anomalies[0]
    kind = first["anomaly_type"].replace("_", " ")
    price = "" if first["cost"] is None else f", {priced(first)}"

    tile.get_by_role("link", name=f"{first['machine_name']}: {kind}{price}", exact=True).click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Anomalies")
    settle(page)
    assert f"id={first['id']}" in page.url
    expect(page.locator("#detail-title")).to_contain_text(first["machine_name"])


def test_filters_are_in_the_address_and_going_back_takes_them_off(
    page: Page, demo_factory: str, dearest: dict[str, Any], anomalies: list[dict[str, Any]]
) -> None:
    open_page(page, f"ui/anomaly?factory={demo_factory}")
    with page.expect_response("**/anomaly/active?**") as response:
        page.locator("#machine").select_option(label=dearest["machine_name"])
    settle(page)
    assert f"machine={dearest['machine_id']}" in page.url
    assert f"machine_id={dearest['machine_id']}" in response.value.url
    of_machine = [each for each in anomalies if each["machine_id"] == dearest["machine_id"]]
    expect(listed(page)).to_have_count(len(of_machine))

    with page.expect_response("**/anomaly/recent?**") as response:
        page.get_by_role("button", name="7 days").click()
    settle(page)
    assert "since=" in response.value.url
    expect(page.locator("#list-title")).to_have_text("The latest first")

    other = "warning" if dearest["severity"] == "critical" else "critical"
    for name, value in (("severity", other), ("state", "expected"), ("kind", "data_gap")):
        page.locator(f"#{name}").select_option(value)
    settle(page)
    expect(page.locator("#list > .face")).to_contain_text("Of these there is none in the last 7 days.")
    assert_accessible(page)
    page.get_by_role("button", name="Show all").click()
    settle(page)
    assert listed(page).count() > 0

    with page.expect_event("load"):
        page.go_back()
    settle(page)
    expect(page.locator("#kind")).to_have_value("data_gap")


def test_the_list_goes_by_arrows_and_return_opens(
    page: Page, demo_factory: str, anomalies: list[dict[str, Any]]
) -> None:
    open_page(page, f"ui/anomaly?factory={demo_factory}&show=30")
    count = listed(page).count()
    listed(page).first.focus()
    for _ in range(count):
        page.keyboard.press("ArrowDown")
    expect(listed(page).last).to_be_focused()

    page.keyboard.press("Enter")

    settle(page)
    expect(page.locator("#detail-title")).to_be_focused()
    expect(listed(page).last).to_have_attribute("aria-current", "true")
    assert f"id={listed(page).last.get_attribute('data-id')}" in page.url


@NARROW
def test_a_narrow_window_shows_the_list_or_one_of_it(page: Page, dearest: dict[str, Any]) -> None:
    open_page(page, "ui/anomaly")
    expect(page.locator("#detail")).to_be_hidden()
    listed(page).first.click()
    settle(page)
    expect(page.locator("#list")).to_be_hidden()
    expect(page.locator("#detail-title")).to_be_focused()
    assert_readable(page)
    assert_accessible(page)

    page.get_by_role("button", name="All anomalies").click()

    expect(page.locator("#detail")).to_be_hidden()
    expect(listed(page).first).to_be_focused()
    assert "id=" not in page.url


def test_the_list_is_saved_as_the_service_writes_it(page: Page, anomalies: list[dict[str, Any]]) -> None:
    open_page(page, "ui/anomaly")
    rows = saved_rows(page.get_by_role("button", name="CSV of the anomalies"))
    assert [row["id"] for row in rows] == [each["id"] for each in anomalies]


def test_each_part_fails_for_itself(page: Page, watch: PageWatch, dearest: dict[str, Any]) -> None:
    watch.expect("status of 500")
    page.route(re.compile(rf"/anomaly/{dearest['id']}$"), fail_with(500))
    open_page(page, "ui/anomaly")
    assert_failed(page, "#detail", "It broke.")
    expect(page.get_by_role("button", name="Acknowledge")).to_be_hidden()
    assert listed(page).count() > 0
    assert_accessible(page)

    page.unroute(re.compile(rf"/anomaly/{dearest['id']}$"))
    page.get_by_role("button", name="Try again").click()

    settle(page)
    expect(page.locator("#detail-title")).to_contain_text(dearest["machine_name"])


def test_a_link_to_what_is_no_more_says_so(page: Page, watch: PageWatch, faulty: list[str]) -> None:
    watch.expect("status of 404")
    open_page(page, "ui/anomaly?id=00000000-0000-4000-8000-000000000000")
    expect(page.locator("#detail > .face")).to_contain_text("There is no such anomaly any more.")
    assert_accessible(page)


def test_a_write_that_fails_is_told_and_loses_nothing(
    page: Page, watch: PageWatch, dearest: dict[str, Any]
) -> None:
    watch.expect("status of 500")
    open_page(page, f"ui/anomaly?id={dearest['id']}")
    page.route("**/resolve", fail_with(500))
    page.get_by_role("button", name="Resolve …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Expected").check()
    dialog.get_by_label("Notes, kept in its history").fill("A trial")
    dialog.get_by_role("button", name="Resolve").click()
    expect(dialog.get_by_role("alert")).to_have_text("It broke.")
    expect(dialog.get_by_label("Notes, kept in its history")).to_have_value("A trial")
    assert_accessible(page)

    page.keyboard.press("Escape")

    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Resolve …")).to_be_focused()


def test_alerts_are_held_back_and_raised_again(
    page: Page, own_stack: Stack, watch: PageWatch, machines: dict[str, str]
) -> None:
    watch.expect("status of 422")
    open_page(page, "ui/anomaly")
    see_all(page)
    page.locator("#suppress-new").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Machine").select_option(label="Pump-1")
    dialog.get_by_label("From").fill("2099-07-01T06:00")
    dialog.get_by_label("Until").fill("2099-07-01T05:00")
    dialog.get_by_label("Reason").fill("<b>Works</b> on the network")
    dialog.get_by_role("button", name="Hold back").click()
    expect(dialog.get_by_role("alert")).not_to_be_empty()
    dialog.get_by_label("Until").fill("2099-07-02T18:00")
    dialog.get_by_role("button", name="Hold back").click()

    row = page.locator("#suppressions tbody tr", has_text="<b>Works</b> on the network")
    expect(row).to_contain_text("Planned")
    found = own_stack.api(f"api/v1/anomaly/suppressions?machine_id={machines['Pump-1']}")["suppressions"]
    (kept,) = (each for each in found if each["start"].startswith("2099-07-01T04:00:00"))
    assert kept["end"].startswith("2099-07-02T16:00:00")
    assert_readable(page)
    assert_accessible(page)

    row.get_by_role("button", name="Withdraw").click()

    expect(row).to_have_count(0)
    expect(page.locator("#live")).to_have_text("Alerts of Pump-1 are raised again.")


def test_what_others_did_shows_without_a_reload(
    page: Page, own_stack: Stack, demo_factory: str, anomalies: list[dict[str, Any]]
) -> None:
    page.clock.install()
    open_page(page, f"ui/anomaly?factory={demo_factory}")
    change(page, f"{anomalies[0]['id']}/acknowledge", {"notes": "The fitter is on his way."})

    with page.expect_response("**/anomaly/active?**"):
        page.clock.fast_forward(61_000)

    expect(listed(page).first).to_contain_text("Acknowledged")
    expect(page.locator("#history")).to_contain_text("The fitter is on his way.")
    expect(page.get_by_role("button", name="Acknowledge")).to_be_hidden()


def test_one_is_acknowledged_and_resolved_and_only_once(
    page: Page, own_stack: Stack, watch: PageWatch, demo_factory: str, anomalies: list[dict[str, Any]]
) -> None:
    watch.expect("status of 409")
    dearest, last = anomalies[0], anomalies[-1]
    assert dearest is not last, "the faults gave two anomalies"
    open_page(page, f"ui/anomaly?factory={demo_factory}&id={last['id']}")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator("#live")).to_have_text("Acknowledged.")
    expect(page.locator("#told")).to_contain_text("Acknowledged")
    expect(page.get_by_role("button", name="Resolve …")).to_be_focused()

    page.get_by_role("button", name="Resolve …").click()
    dialog = page.get_by_role("dialog")
    assert_accessible(page)
    change(page, f"{last['id']}/resolve", {"outcome": "fixed", "notes": "The valve was exchanged."})
    dialog.get_by_label("False alarm").check()
    dialog.get_by_role("button", name="Resolve").click()
    expect(dialog.get_by_role("alert")).to_contain_text("local")
    assert_readable(page)
    dialog.get_by_role("button", name="Leave it open").click()

    listed(page).first.click()
    settle(page)
    page.get_by_role("button", name="Resolve …").click()
    dialog.get_by_label("False alarm").check()
    dialog.get_by_label("Notes, kept in its history").fill("The meter was exchanged.")
    dialog.get_by_role("button", name="Resolve").click()

    expect(page.locator("#live")).to_have_text("Resolved as a false alarm.")
    expect(page.locator("#told")).to_contain_text("False alarm")
    expect(page.locator("#history")).to_contain_text("The meter was exchanged.")
    expect(listed(page)).to_have_count(len(anomalies) - 2)
    resolved = own_stack.api(f"api/v1/anomaly/{dearest['id']}")
    assert (resolved["state"], resolved["resolution_notes"]) == ("false_alarm", "The meter was exchanged.")
    rate = own_stack.api(f"api/v1/anomaly/summary?factory_id={demo_factory}")["false_alarm_rate"]
    assert text_of(page.locator("#tile-feedback .value")) == written(100 * rate, "%", decimals=0)
