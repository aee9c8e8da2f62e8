"""Forecasts: an engineer sees the next peak, how sure it is, and what to move so that it costs less."""

import json
import re
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from e2e.browser import forecast_answers as answers
from e2e.browser.accessibility import assert_accessible
from e2e.browser.console_page import (
    OVERFLOW,
    assert_failed,
    assert_readable,
    assert_saved,
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

from enms.web import forecast_models, schedule_models

NARROW = pytest.mark.parametrize("viewport", [{"width": 360, "height": 800}], ids=["narrow"])
QUARTER_SECONDS = 900
PLAN = "ui/forecast?plan={start}.24&jobs={jobs}"


@pytest.fixture
def answered(page: Page, demo_factory: str) -> Page:
    """A page whose calls for forecasts are answered with made-up ones."""
    assert demo_factory
    answers.answer_all(page)
    return page


def planned_jobs(*jobs: str) -> str:
    """Path of the page with a plan of the day to come."""
    start = answers.hour_now() + timedelta(hours=2)
    return PLAN.format(start=f"{start:%Y%m%dT%H%M}", jobs="*".join(jobs))


def job(name: str, power: float = 40, minutes: int = 120, planned: int = 8) -> str:
    """A job as a link has it, free during all of the plan; planned so many quarter hours after its start."""
    return f"{name}**{power:g}*{minutes}*0*96*{planned}****"


def tile(page: Page, name: str) -> str:
    return text_of(page.locator(f"#tile-{name}"))


def bar(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=f"{name}, start")


def begins(slider: Locator) -> int:
    """When a job begins, in seconds since 1970."""
    return 60 * int(float(slider.get_attribute("aria-valuenow") or "nan"))


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_the_made_up_answers_are_of_the_services_shape() -> None:
    shapes = (
        *((forecast_models.Forecast, answers.demand(horizon)) for horizon in answers.HORIZONS),
        (forecast_models.ForecastPeak, answers.peak()),
        (forecast_models.ForecastHistory, answers.history()),
        (forecast_models.ForecastAccuracy, answers.accuracy()),
        (schedule_models.LoadSchedule, answers.solved()),
    )
    for shape, answer in shapes:
        shape.model_validate(answer)


def test_it_tells_the_peak_its_chance_and_how_good_it_was(answered: Page) -> None:
    assert open_page(answered, "ui/forecast") == "ready"

    assert re.search(r"231 kW Quarter hour of .* four times in five 212 to 249 kW", tile(answered, "peak"))
    assert "under 1 % over 400 kW the demand in the contract" in tile(answered, "limit")
    energy = sum(each["energy_kwh"] for each in answers.demand()["predictions"])
    assert f"{written(energy, 'kWh')} in the next 24 hours" in tile(answered, "energy")
    assert "38 % better last 4 weeks: 38 % better than the same hour last week" in tile(answered, "accuracy")
    answered.locator("#chart-load summary").click()
    rows = answered.locator("#chart-load tbody tr")
    expect(rows).to_have_count(72 + 24)
    assert text_of(rows.last).count("kW") == 5
    assert_readable(answered)


def test_how_far_to_trust_it_comes_when_it_is_scrolled_to(answered: Page) -> None:
    open_page(answered, "ui/forecast")
    see_all(answered)
    proof = answered.locator("#proof")

    expect(proof.locator(".verdict")).to_contain_text(
        "Last 4 weeks: 38 % better than the same hour last week."
    )
    first, second, third = proof.locator("section", has_text="Backtest").locator("tbody tr").all()
    assert text_of(first).startswith("The best at each origin serves 0.46")
    assert text_of(second).startswith("MSTL + AR part of it 0.48")
    assert "1.00" in text_of(third)
    expect(proof).to_contain_text("MASE is the mean error divided by that of repeating the day before")
    expect(proof).to_contain_text("Not used: Shift plan. It is not known for the time to come.")
    expect(proof.locator("section", has_text="Week by week").locator("tbody tr")).to_have_count(4)
    assert_readable(answered)


def test_horizon_subject_and_model_are_in_the_address(answered: Page, machines: dict[str, str]) -> None:
    open_page(answered, "ui/forecast")
    with answered.expect_response("**/forecast/demand?**") as response:
        answered.get_by_role("button", name="7 days").click()
    settle(answered)
    assert query_of(response.value.url)["horizon"] == "7d"
    assert "horizon=7d" in answered.url

    with answered.expect_response("**/forecast/demand?**") as response:
        answered.locator("#subject").select_option(label="Boiler-1")
    settle(answered)
    assert query_of(response.value.url)["machine_id"] == machines["Boiler-1"]

    with answered.expect_response("**/forecast/demand?**") as response:
        answered.locator("#model").select_option("prophet")
    settle(answered)
    assert query_of(response.value.url)["model"] == "prophet"
    # Of another model no chances are told.
    expect(answered.locator("#limits")).to_be_hidden()

    with answered.expect_event("load"):
        answered.go_back()
    settle(answered)
    expect(answered.locator("#model")).to_have_value("selected")
    expect(answered.locator("#subject")).to_have_value(machines["Boiler-1"])


def test_another_limit_is_held_against_the_peak(answered: Page) -> None:
    open_page(answered, "ui/forecast")
    limit = answered.get_by_label("Limit in kW", exact=True)
    expect(limit).to_have_value("400")
    with answered.expect_response("**/forecast/peak?**") as response:
        limit.fill("225")
        limit.press("Tab")
    settle(answered)
    assert query_of(response.value.url)["limit_kw"] == "225"
    assert "78 % over 225 kW the limit given" in tile(answered, "limit")
    assert "limit=225" in answered.url

    answered.get_by_role("button", name="This month's peak").click()
    settle(answered)
    assert "over 218 kW this month's peak so far" in tile(answered, "limit")
    expect(limit).to_have_value("218")
    answered.get_by_role("button", name="Contract").click()
    settle(answered)
    assert "the demand in the contract" in tile(answered, "limit")
    assert "limit" not in query_of(answered.url)


def test_figures_and_picture_are_saved(answered: Page) -> None:
    open_page(answered, "ui/forecast")
    rows = saved_rows(answered.get_by_role("button", name="CSV of the forecast"))
    assert_saved(rows, answers.demand()["predictions"])

    with answered.expect_download() as download:
        answered.get_by_role("button", name="PNG of the chart").click()

    assert download.value.suggested_filename.endswith(".png")
    with open(download.value.path(), "rb") as picture:
        assert picture.read(8) == b"\x89PNG\r\n\x1a\n"


def test_without_jobs_the_history_proposes_some_and_says_that_it_assumes(answered: Page) -> None:
    open_page(answered, "ui/forecast")
    see_all(answered)
    schedule = answered.locator("#schedule")

    expect(schedule).to_contain_text("An assumption: nobody said that these loads can move.")
    schedule.get_by_text("Why these").click()
    expect(schedule).to_contain_text("Boiler-1, movable: a run of about 2 h (seen on 18 of 20 such days)")
    expect(schedule).to_contain_text("€59 saved, 5.3 % of €1,113, by moving 184 kWh")
    expect(schedule).to_contain_text("Proven: no schedule is more than 0.3 % cheaper.")
    costs = schedule.get_by_role("region", name="Cost before and after: figures").locator("tbody tr")
    assert [text_of(each) for each in costs.all()] == [
        "Energy €812 €774 €38", "Demand charge €301 €281 €21", "In all €1,113 €1,055 €59",
    ]  # fmt: skip
    expect(answered.get_by_role("slider")).to_have_count(2)
    expect(schedule).to_contain_text("Boiler-1, movable: it has no other time between 06:00 and 08:00")
    expect(schedule.locator("#gantt-key")).to_contain_text("Night, 0.140 EUR/kWh")
    # Nobody's plan is in the address until someone changes it.
    assert "jobs=" not in answered.url
    rows = saved_rows(answered.get_by_role("button", name="CSV of the schedule"))
    assert [row["job_id"] for row in rows] == ["Compressor-1, movable", "Boiler-1, movable"]
    assert_readable(answered)


def test_where_nothing_looks_movable_jobs_are_asked_for(answered: Page) -> None:
    nothing = "Nothing in the last four weeks looks movable. Give jobs of your own."
    answers.answer_with(answered, "optimal-schedule", lambda _, __: answers.unmovable(nothing))
    open_page(answered, "ui/forecast")
    see_all(answered)
    expect(answered.locator("#saving")).to_have_text(nothing)
    expect(answered.locator("#gantt-help")).to_be_hidden()
    assert_accessible(answered)


def test_a_link_with_jobs_is_solved_and_a_job_moves_by_keyboard(answered: Page) -> None:
    path = planned_jobs(job("Press"), job("Oven"))
    with answered.expect_request("**/forecast/optimal-schedule") as request:
        open_page(answered, path)
        see_all(answered)
    body = request.value.post_data_json
    start = datetime.fromisoformat(body["start"])
    assert [each["id"] for each in body["jobs"]] == ["Press", "Oven"]
    assert datetime.fromisoformat(body["jobs"][0]["planned_start"]) - start == timedelta(hours=2)

    # Another subject has the same jobs.
    with answered.expect_response("**/forecast/optimal-schedule"):
        answered.locator("#subject").select_option(label="Boiler-1")
    settle(answered)

    press = bar(answered, "Press")
    solved_at = begins(press)
    press.focus()
    answered.keyboard.press("ArrowLeft")
    answered.keyboard.press("PageDown")

    expect(press).to_be_focused()
    assert begins(press) == solved_at - 5 * QUARTER_SECONDS
    expect(press).to_have_attribute("data-pinned", "")
    expect(answered.locator("#schedule")).to_contain_text("Something was changed since: solve again")
    assert_accessible(answered)

    with answered.expect_request("**/forecast/optimal-schedule") as request:
        answered.get_by_role("button", name="Solve").click()
    settle(answered)
    fixed = request.value.post_data_json["jobs"][0]
    window = [datetime.fromisoformat(fixed[name]).timestamp() for name in ("earliest_start", "deadline")]
    assert window == [solved_at - 5 * QUARTER_SECONDS, solved_at + 3 * QUARTER_SECONDS]

    press.focus()
    answered.keyboard.press("Delete")
    expect(press).not_to_have_attribute("data-pinned", "")


def test_a_job_is_dragged_and_the_link_keeps_its_place(answered: Page) -> None:
    open_page(answered, planned_jobs(job("Press")))
    see_all(answered)
    press = bar(answered, "Press")
    press.scroll_into_view_if_needed()
    before = begins(press)
    box, track = press.bounding_box(), answered.locator(".gantt .lane .track").first.bounding_box()
    assert box
    assert track
    answered.mouse.move(box["x"] + 10, box["y"] + 10)
    answered.mouse.down()
    # To the left by a quarter of the day.
    answered.mouse.move(box["x"] + 10 - track["width"] / 4, box["y"] + 10, steps=5)
    answered.mouse.up()

    assert begins(press) == pytest.approx(before - 6 * 3600, abs=2 * QUARTER_SECONDS)
    moved = begins(press)
    answered.reload()
    settle(answered)
    see_all(answered)
    expect(press).to_have_attribute("data-pinned", "")
    # The made-up answer runs each job as late as it may: pinned that is where it was put.
    assert begins(press) == moved


def test_a_job_is_added_changed_and_removed(answered: Page) -> None:
    open_page(answered, planned_jobs(job("Press")))
    see_all(answered)
    answered.get_by_role("button", name="Add a job …").click()
    dialog = answered.get_by_role("dialog")
    assert_accessible(answered)
    dialog.get_by_label("Name").fill("<b>Oven</b>")
    dialog.get_by_label("Power in kW").fill("30")
    dialog.get_by_label("Lasts, in minutes").fill("3000")
    dialog.get_by_role("button", name="Keep").click()
    expect(dialog.get_by_role("alert")).to_contain_text(
        "It lasts 3,000 minutes; between its times lie 1,440."
    )
    dialog.get_by_label("Lasts, in minutes").fill("90")
    dialog.get_by_label("Press").check()
    dialog.get_by_role("button", name="Keep").click()

    expect(bar(answered, "<b>Oven</b>")).to_be_visible()
    with answered.expect_request("**/forecast/optimal-schedule") as request:
        answered.get_by_role("button", name="Solve").click()
    settle(answered)
    added = request.value.post_data_json["jobs"][1]
    assert (added["power_kw"], added["duration_minutes"], added["after"]) == (30, 90, ["Press"])

    bar(answered, "Press").focus()
    answered.keyboard.press("Enter")
    dialog.get_by_label("Name").fill("Stamp")
    dialog.get_by_role("button", name="Keep").click()
    expect(bar(answered, "Stamp")).to_be_visible()
    answered.get_by_role("button", name="<b>Oven</b>").click()
    expect(dialog.get_by_label("Stamp")).to_be_checked()
    dialog.get_by_role("button", name="Remove the job").click()
    expect(answered.get_by_role("slider")).to_have_count(1)
    assert_readable(answered)


def test_conditions_go_along_and_stay_in_the_link(answered: Page) -> None:
    open_page(answered, planned_jobs(job("Press")))
    see_all(answered)
    for label, value in (
        ("Site limit in kW", "350"),
        ("CO₂ price per kg", "0.05"),
        ("At once, at most", "2"),
    ):
        answered.get_by_label(label).fill(value)
        answered.get_by_label(label).press("Tab")
    with answered.expect_request("**/forecast/optimal-schedule") as request:
        answered.get_by_role("button", name="Solve").click()
    settle(answered)
    body = request.value.post_data_json
    assert (body["site_limit_kw"], body["carbon_price_per_kg"], body["max_parallel"]) == (350, 0.05, 2)
    expect(answered.locator("#saving")).to_contain_text(
        "350 kW, kept with 12.0 kW in hand, which costs €3.20"
    )
    assert query_of(answered.url) | {"site": "350", "co2": "0.05", "most": "2"} == query_of(answered.url)


def test_what_can_not_be_kept_together_is_told_by_name(answered: Page) -> None:
    answers.answer_with(answered, "optimal-schedule", lambda _, body: answers.infeasible(body))
    open_page(answered, planned_jobs(job("Press")))
    see_all(answered)
    alert = answered.locator("#saving").get_by_role("alert")
    expect(alert).to_contain_text("the jobs' windows, deadlines and allowed hours")
    expect(alert).to_contain_text("12 kW more would do")
    # The jobs stay, so that they can be changed.
    expect(bar(answered, "Press")).to_be_visible()
    assert_accessible(answered)


def test_what_the_service_refuses_leaves_the_jobs(answered: Page, watch: PageWatch) -> None:
    watch.expect("status of 422")
    answered.route("**/forecast/optimal-schedule", fail_with(422, "jobs.0.power_kw: 0 is too little."))
    open_page(answered, planned_jobs(job("Press")))
    see_all(answered)
    expect(answered.locator("#saving").get_by_role("alert")).to_have_text("jobs.0.power_kw: 0 is too little.")
    expect(bar(answered, "Press")).to_be_visible()
    assert_readable(answered)


def test_hours_that_have_passed_are_planned_anew(answered: Page) -> None:
    start = answers.hour_now() - timedelta(days=3)
    open_page(answered, PLAN.format(start=f"{start:%Y%m%dT%H%M}", jobs=job("Press")))
    see_all(answered)
    expect(answered.locator("#schedule > .face")).to_contain_text("have passed")
    with answered.expect_request("**/forecast/optimal-schedule") as request:
        answered.get_by_role("button", name="The same from now on").click()
    assert datetime.fromisoformat(request.value.post_data_json["start"]) > answers.hour_now()
    settle(answered)
    expect(bar(answered, "Press")).to_be_visible()


@NARROW
def test_a_narrow_window_pushes_the_gantt_sideways_and_nothing_else(answered: Page) -> None:
    open_page(answered, planned_jobs(job("Press")))
    see_all(answered)
    assert answered.evaluate(OVERFLOW) <= 0
    wrap = answered.locator("#gantt")
    assert wrap.evaluate("each => each.scrollWidth > each.clientWidth")
    assert_readable(answered)
    assert_accessible(answered)


def test_each_part_fails_for_itself(answered: Page, watch: PageWatch) -> None:
    watch.expect("status of 500")
    for name in ("history", "accuracy", "optimal-schedule"):
        answered.route(re.compile(rf"/forecast/{name}(\?|$)"), fail_with(500))
    open_page(answered, "ui/forecast")
    expect(answered.locator("#load .notices")).to_contain_text("What was measured before could not be had.")
    see_all(answered)
    assert_failed(answered, "#schedule", "It broke.")
    expect(answered.locator("#proof")).to_contain_text("How it did since it serves could not be had.")
    assert "38 % better" in tile(answered, "accuracy")
    assert_accessible(answered)

    answers.answer_all(answered)
    answered.locator("#schedule").get_by_role("button", name="Try again").click()
    settle(answered)
    expect(answered.get_by_role("slider").first).to_be_visible()


def test_what_has_no_readings_says_so_once(answered: Page, watch: PageWatch) -> None:
    watch.expect("status of 422")
    reason = "Pump-1 has no reading of electrical energy at all: there is nothing to forecast from."
    for name in ("demand", "peak", "history"):
        answered.route(re.compile(rf"/forecast/{name}\?"), fail_with(422, reason))
    assert open_page(answered, "ui/forecast") == "empty"
    expect(answered.get_by_text(reason)).to_have_count(1)
    expect(answered.locator("#below")).to_be_hidden()
    assert_accessible(answered)

    answers.answer_all(answered)
    answered.get_by_role("button", name="7 days").click()
    assert settle(answered) == "ready"
    expect(answered.locator("#load")).to_be_visible()


def test_models_compete_anew_and_the_page_shows_what_came_of_it(answered: Page) -> None:
    answers.answer_with(answered, "train", lambda _, __: {"run_id": "r"})
    states = iter(["running", "succeeded", "failed"])
    answered.route("**/jobs/runs/r", lambda route: route.fulfill(json={"state": next(states)}))
    open_page(answered, "ui/forecast?horizon=7d")
    see_all(answered)
    train = answered.get_by_role("button", name="Train anew")
    with answered.expect_request("**/forecast/train") as request, answered.expect_response("**/demand?**"):
        train.click()
    body = request.value.post_data_json
    assert (body["horizon"], body["wait"]) == ("7d", False)
    settle(answered)

    train.click()
    expect(answered.locator("#proof .notices")).to_contain_text("the former model serves on")
    expect(train).to_be_enabled()


def test_the_overview_leads_to_it(answered: Page, demo_factory: str) -> None:
    open_page(answered, f"ui/?factory={demo_factory}")
    shown = text_of(answered.locator("#next-peak"))
    assert re.search(r"231 kW Quarter hour of .*under 1 % that it goes over the 400 kW in the", shown)
    assert "218 kW" in text_of(answered.locator("#peak"))

    answered.get_by_role("link", name="Next peak").click()

    expect(answered.get_by_role("heading", level=1)).to_have_text("Forecast")
    assert settle(answered) == "ready"


def test_the_overview_tells_the_months_peak_where_nothing_is_foretold(
    answered: Page, watch: PageWatch, demo_factory: str
) -> None:
    watch.expect("status of 422")
    reason = "It takes two days of readings; there are none."
    answered.route(re.compile(r"/forecast/peak\?"), fail_with(422, reason))
    open_page(answered, f"ui/?factory={demo_factory}")
    expect(answered.locator("#next-peak")).to_contain_text(reason)
    assert re.search(r"[\d.]+ kW Quarter hour of ", text_of(answered.locator("#peak")))


def test_it_shows_what_the_service_foretells(page: Page, console_stack: Stack, demo_factory: str) -> None:
    open_page(page, f"ui/forecast?factory={demo_factory}")
    asked = f"factory_id={demo_factory}&horizon=24h"
    foretold = console_stack.api(f"api/v1/forecast/demand?{asked}")
    peak = console_stack.api(f"api/v1/forecast/peak?{asked}")

    assert tile(page, "peak").startswith(f"Next peak {written(peak['power_kw'], 'kW')}")
    rows = saved_rows(page.get_by_role("button", name="CSV of the forecast"))
    assert [float(row["predicted_power_kw"]) for row in rows] == [
        each["predicted_power_kw"] for each in foretold["predictions"]
    ]
    see_all(page)
    shown = json.dumps(text_of(page.locator("#proof")))
    assert all(member.split(" ")[0].lower() in shown.lower() for member in foretold["model"]["members"])
    assert_readable(page)
    assert_accessible(page)


def test_jobs_are_solved_by_the_service(page: Page, demo_factory: str) -> None:
    with page.expect_response("**/forecast/optimal-schedule") as response:
        open_page(page, f"{planned_jobs(job('Press', 30), job('Oven', 20))}&factory={demo_factory}")
        see_all(page)
    answer = response.value.json()
    assert answer["status"] in ("optimal", "feasible")

    starts = {run["job_id"]: datetime.fromisoformat(run["start"]).timestamp() for run in answer["schedule"]}
    assert {name: begins(bar(page, name)) for name in ("Press", "Oven")} == starts
    total = text_of(page.get_by_role("region", name="Cost before and after").locator("tbody tr").last)
    decimals = 0 if answer["cost_now"]["total"] >= 1000 else 2
    assert f"€{written(answer['cost_then']['total'], decimals=decimals)}" in total
    bands = page.locator("#gantt .backdrop .band")
    expect(bands).to_have_count(len(answer["bands"]))
    assert_readable(page)
    assert_accessible(page)
