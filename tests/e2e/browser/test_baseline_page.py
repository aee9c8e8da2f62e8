"""The baseline page: someone ticks drivers, reads the verdict, trains, exports, goes back a version."""

import csv
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from e2e.browser.accessibility import assert_accessible
from e2e.browser.console_page import assert_failed, assert_readable, fail_with, open_page, see_all, settle
from e2e.browser.page_watch import PageWatch
from e2e.running_stack import Stack
from playwright.sync_api import Page, Route, expect

ANALYZE = "**/api/v1/baseline/analyze"
TICKED = "#drivers input:checked"


@pytest.fixture
def baseline(machines: dict[str, str]) -> str:
    """Path of the page for one machine over its last 30 days."""
    return f"ui/baseline?machine={machines['Compressor-1']}&days=30"


def ticked(page: Page) -> set[str]:
    names = page.locator(TICKED).evaluate_all("boxes => boxes.map(box => box.value)")
    return set(names)


def figure(page: Page, name: str) -> str:
    tile = page.locator("#result .figure", has=page.get_by_text(name, exact=True))
    return tile.locator(".value").inner_text()


def saved(page: Page, button: str) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return Path(download.value.path()).read_text(encoding="utf-8-sig")


def answer_of(page: Page, click: str) -> Any:
    """What the service answered to the fit that a click on a driver makes."""
    with page.expect_response(ANALYZE) as response:
        page.locator(f"#drivers input[value={click}]").click()
    answer = response.value.json()
    settle(page)
    return answer


def test_the_service_chooses_and_the_boxes_say_what(page: Page, baseline: str) -> None:
    assert open_page(page, baseline) == "ready"
    assert "production_count" in ticked(page)
    expect(page.locator("#verdict")).to_contain_text(re.compile("Valid|Caution"))
    assert_readable(page)


def test_a_tick_fits_anew_draws_anew_and_is_undone(page: Page, baseline: str) -> None:
    open_page(page, baseline)
    before, chosen = figure(page, "R²"), ticked(page)

    answer = answer_of(page, "production_count")

    assert "production_count" not in answer["drivers"]
    assert figure(page, "R²") == f"{answer['r_squared']:.3f}" != before
    assert "drivers=" in page.url
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#result .figure .value").first).to_have_text(before)
    assert ticked(page) == chosen
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_a_link_opens_the_same_view(page: Page, baseline: str) -> None:
    open_page(page, f"{baseline}&drivers=outdoor_temp_c,working_day&interval=day&over=outdoor_temp_c")
    assert ticked(page) == {"outdoor_temp_c", "working_day"}
    assert page.locator("#interval").input_value() == "day"
    assert page.locator("#signature-driver").input_value() == "outdoor_temp_c"
    url, shown = page.url, page.locator("#result-content").inner_text()
    page.goto("about:blank")
    page.goto(url)
    settle(page)
    assert page.locator("#result-content").inner_text() == shown


def test_what_cannot_be_used_is_grey_with_its_reason(page: Page, baseline: str) -> None:
    open_page(page, baseline)
    page.locator("#unusable-title").click()
    row = page.locator("#unusable .choice", has_text="Rejected pieces")
    expect(row.locator("input")).to_be_disabled()
    expect(row).to_contain_text("It has the same value throughout")


def test_from_ticks_to_an_active_baseline_and_its_files(page: Page, baseline: str) -> None:
    open_page(page, f"{baseline}&drivers=production_count")
    answer = answer_of(page, "operating_hours")
    assert answer["drivers"] == ["production_count", "operating_hours"]

    page.get_by_role("button", name="Train and keep").click()
    notice = page.locator("#result .notices li")
    expect(notice).to_contain_text(re.compile(r"Compressor-1: version \d+ (was trained|is the same)"))
    expect(notice).to_contain_text("active")

    results = list(csv.DictReader(saved(page, "Results (CSV)").splitlines()))
    assert [row["machine"] for row in results] == ["Compressor-1"]
    assert float(results[0]["r_squared"]) == answer["r_squared"]
    assert int(results[0]["samples"]) == answer["training_samples"]
    coefficients = {
        row["name"]: float(row["value"])
        for row in csv.DictReader(saved(page, "Coefficients (CSV)").splitlines())
    }
    assert coefficients == {"intercept": answer["intercept"], **answer["coefficients"]}
    (equation,) = json.loads(saved(page, "Coefficients (JSON)"))
    assert equation["coefficients"] == answer["coefficients"]

    with page.context.expect_page() as opened:
        notice.get_by_role("link", name="Auditor's dossier").click()
    expect(opened.value.get_by_role("heading", level=1)).to_contain_text("Compressor-1")
    assert_readable(page)


def test_an_older_version_is_made_active_with_a_reason(
    page: Page, machines: dict[str, str], console_stack: Stack
) -> None:
    machine = machines["Pump-1"]
    for drivers in ("production_count", "production_count,operating_hours"):
        open_page(page, f"ui/baseline?machine={machine}&days=30&drivers={drivers}")
        page.get_by_role("button", name="Train and keep").click()
        page.locator("#result .notices li").wait_for()
    open_page(page, f"ui/baseline?machine={machine}&days=30&drivers=production_count")
    see_all(page)
    row = page.locator("#versions-table tbody tr", has=page.get_by_role("button", name="Make active")).first
    version = row.locator("th").inner_text()

    row.get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Make version {version} of Pump-1 active?")
    assert_accessible(page)
    dialog.get_by_label("Reason").fill("agreed with the auditor")
    dialog.get_by_role("button", name="Make it active").click()

    expect(page.locator("#versions-table tr[aria-current] th")).to_have_text(version)
    active = console_stack.api(f"api/v1/baseline/models?machine_id={machine}&active=true")["models"]
    assert [str(model["model_version"]) for model in active] == [version]
    details = console_stack.api(f"api/v1/baseline/model/{active[0]['model_id']}")
    assert "agreed with the auditor" in [event["reason"] for event in details["events"]]


def test_leaving_the_question_changes_nothing(page: Page, machines: dict[str, str]) -> None:
    open_page(page, f"ui/baseline?machine={machines['Pump-1']}&days=30&drivers=production_count")
    see_all(page)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "activate" in request.url else None)
    page.get_by_role("button", name="Make active").first.click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Make active").first.click()
    page.get_by_role("button", name="Leave it").click()
    assert sent == []


def test_machines_stand_beside_each_other(page: Page, machines: dict[str, str]) -> None:
    both = ["Compressor-1", "HVAC-1"]
    ids = ",".join(machines[name] for name in both)
    open_page(page, f"ui/baseline?machine={ids}&days=30&drivers=outdoor_temp_c")
    rows = page.locator("#comparison-table tbody tr")
    assert [row.split("\t")[0].strip() for row in rows.all_inner_texts()] == both
    expect(page.locator("#multiples figure")).to_have_count(2)
    results = list(csv.DictReader(saved(page, "Results (CSV)").splitlines()))
    assert [row["machine"] for row in results] == both
    page.locator("#comparison-table").get_by_role("button", name="HVAC-1").click()
    expect(page.locator("#result-title")).to_have_text("Result for HVAC-1")
    settle(page)
    assert_accessible(page)
    assert_readable(page)


def test_machines_are_found_by_name_type_and_state(page: Page, baseline: str) -> None:
    open_page(page, baseline)
    page.get_by_label("Search by name").fill("mold")
    expect(page.locator("#machines li")).to_have_text(["Injection-Molding-1", "Injection-Molding-2"])
    page.get_by_label("Search by name").fill("")
    page.get_by_label("Type").select_option(label="Boiler")
    expect(page.locator("#machines li")).to_have_text(["Boiler-1"])
    expect(page.locator("#machines-count")).to_have_text("1 of 8")


def test_all_of_it_goes_by_keyboard(page: Page, baseline: str) -> None:
    open_page(page, baseline)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    box = page.locator("#drivers input[value=production_count]")
    for _ in range(60):
        page.keyboard.press("Tab")
        if box.evaluate("box => box === document.activeElement"):
            break
    before = figure(page, "R²")
    with page.expect_response(ANALYZE):
        page.keyboard.press("Space")
    expect(page.locator("#result .figure .value").first).not_to_have_text(before)
    expect(page.locator("#drivers input[value=production_count]")).to_be_focused()
    page.keyboard.press("Control+z")
    expect(page.locator("#result .figure .value").first).to_have_text(before)


def test_days_without_readings_lead_to_the_latest_that_has_some(
    page: Page, machines: dict[str, str], watch: PageWatch
) -> None:
    watch.expect("status of 422")
    empty = f"ui/baseline?machine={machines['Boiler-1']}&from=2020-01-01&to=2020-01-30"
    assert open_page(page, empty) == "empty"
    face = page.locator("#result > .face")
    expect(face).to_contain_text("Boiler-1 has no readings in these days; the latest is from")
    assert_accessible(page)
    assert_readable(page)
    face.get_by_role("button", name="Show it").click()
    expect(page.locator("#verdict")).to_be_visible()
    settle(page)
    expect(page.locator("#charts canvas").first).to_be_visible()


def test_nothing_ticked_asks_for_a_driver(page: Page, baseline: str) -> None:
    open_page(page, f"{baseline}&drivers=production_count")
    page.locator("#drivers input[value=production_count]").click()
    expect(page.locator("#result > .face")).to_contain_text("Tick at least one driver.")
    for button in ("Train and keep", "Results (CSV)"):
        expect(page.get_by_role("button", name=button)).to_be_disabled()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Train and keep")).to_be_enabled()


def test_a_failure_says_what_to_do_and_the_rest_goes_on(page: Page, baseline: str, watch: PageWatch) -> None:
    watch.expect("status of 500")
    page.route(ANALYZE, fail_with(500))
    assert open_page(page, baseline) == "error"
    assert_failed(page, "#result", "It broke.")
    expect(page.locator("#result > .face code")).to_have_text("req-42")
    see_all(page)
    expect(page.locator("#versions-table table")).to_be_visible()
    assert_accessible(page)
    page.unroute(ANALYZE)
    page.locator("#result > .face").get_by_role("button", name="Try again").click()
    expect(page.locator("#verdict")).to_be_visible()


def test_a_lost_connection_is_told_in_words(page: Page, baseline: str, watch: PageWatch) -> None:
    watch.expect("ERR_FAILED|ERR_CONNECTION")
    page.route(ANALYZE, lambda route: route.abort())
    open_page(page, baseline)
    assert_failed(page, "#result", "The service can't be reached")


def test_only_the_last_of_quick_ticks_is_shown(page: Page, baseline: str) -> None:
    open_page(page, f"{baseline}&drivers=production_count,operating_hours,outdoor_temp_c")

    def late_unless_last(route: Route) -> None:
        if route.request.post_data_json["drivers"] != ["production_count"]:
            time.sleep(0.3)
        route.continue_()

    page.route(ANALYZE, late_unless_last)
    page.locator("#drivers input[value=operating_hours]").click()
    page.locator("#drivers input[value=outdoor_temp_c]").click()
    expect(page.locator("#result table").first).not_to_contain_text("Operating hours")
    settle(page)
    time.sleep(0.5)
    assert page.locator("#result table").first.locator("tbody tr").count() == 1


def test_while_it_loads_the_room_is_kept(page: Page, baseline: str) -> None:
    page.route(ANALYZE, lambda route: (time.sleep(0.6), route.continue_()))
    page.goto(baseline)
    expect(page.locator("#result")).to_have_attribute("aria-busy", "true")
    assert page.locator("html").get_attribute("data-state") == "loading"
    assert_accessible(page)
    settle(page)


def test_why_a_steel_works_has_no_valid_baseline(page: Page, steel_works: str) -> None:
    year = "from=2018-01-01&to=2018-12-30"
    open_page(page, f"ui/baseline?machine={steel_works}&{year}&drivers=production.seconds_from_midnight")
    expect(page.locator("#verdict")).to_contain_text("Rejected")
    expect(page.locator("#result .verdict li").first).to_contain_text(re.compile("explain"))
    assert_readable(page)
