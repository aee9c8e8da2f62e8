"""What holds for each page of the console, whatever it is about."""

import re
from typing import Any

import pytest
from e2e.browser.accessibility import assert_accessible
from e2e.browser.console_page import (
    API,
    OVERFLOW,
    PAGES,
    TWO_FRAMES,
    assert_readable,
    fail_with,
    open_page,
    see_all,
    settle,
)
from e2e.browser.page_watch import PageWatch
from e2e.running_stack import Stack
from playwright.sync_api import Page, Route, ViewportSize, expect

MOST_REQUESTS = 12
MOST_BYTES = 200_000
MOST_SHIFT = 0.02
# A4 within the margins that browsers leave.
PAPER: ViewportSize = {"width": 717, "height": 1046}
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
# It comes after the demo factory in every list.
HOSTILE_FACTORY = "Zone </script><b onmouseover=alert(3)>"

WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    const moved = entry.sources.map(({ node }) => node?.id || node?.className || node?.nodeName);
    window.shifts.push([entry.value, moved]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""
TABBABLE = """
[...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
  .filter(each => !each.disabled && each.checkVisibility({ visibilityProperty: true }))
  .map((each, index) => each.dataset.stop = index).length
"""
# Where the focus is, whether it is marked, and whether a point of it lies open within the window.
FOCUS = """
(() => {
  const focused = document.activeElement;
  if (focused === document.body) return null;
  const card = focused.closest(":is(.tile, .machine):has(a.cover:focus-visible)");
  const box = focused.getBoundingClientRect();
  const x = (Math.max(box.left, 0) + Math.min(box.right, innerWidth)) / 2;
  const y = (Math.max(box.top, 0) + Math.min(box.bottom, innerHeight)) / 2;
  const top = document.elementFromPoint(x, y);
  const own = [focused, ...focused.labels ?? []];
  // The browser itself marks the button in it that opens a calendar.
  const isCalendar = /^date/.test(focused.type) && !focused.matches(":focus");
  return {
    stop: focused.dataset.stop,
    text: focused.outerHTML.slice(0, 160),
    marked: isCalendar || getComputedStyle(card ?? focused).outlineStyle !== "none",
    open: top !== null && (top.contains(focused) || own.some(each => each.contains(top))),
  };
})()
"""
MARKUP = "each => each.outerHTML.slice(0, 160)"
INLINE_SCRIPTS = "[...document.scripts].filter(each => !each.src && each.type !== 'application/json').length"
PLACES = pytest.mark.parametrize("name", PAGES)
WIDTHS = pytest.mark.parametrize(
    "viewport", [{"width": 360, "height": 800}, {"width": 1440, "height": 900}], ids=["narrow", "wide"]
)


@pytest.fixture
def path(name: str, machines: dict[str, str], trained: list[str], faulty: list[str]) -> str:
    """Of the named page, about a machine with a baseline; some machine has an anomaly."""
    assert "Compressor-1" in trained
    assert faulty
    return PAGES[name].format(machine=machines["Compressor-1"])


def open_tables(page: Page) -> None:
    """Opens whatever is folded: the table behind each chart among it."""
    folded = page.locator("details:not([open]) > summary:visible")
    while folded.count():
        folded.first.click()


def visible_regions(page: Page) -> list[str]:
    ids = page.locator("[data-region]:visible").evaluate_all("regions => regions.map(each => each.id)")
    return [f"#{each}" for each in ids]


@PLACES
@WIDTHS
def test_it_is_readable_and_accessible_in_both_themes_and_on_paper(
    page: Page, path: str, viewport: ViewportSize
) -> None:
    # Of the dear checks, with all tables open, each width has one theme.
    folded, unfolded = ("dark", "light") if viewport["width"] < 1000 else ("light", "dark")
    page.emulate_media(color_scheme=folded, reduced_motion="reduce")
    assert open_page(page, path) in ("ready", "partial")
    see_all(page)
    assert_readable(page)
    assert_accessible(page)

    page.emulate_media(color_scheme=unfolded)
    open_tables(page)
    page.evaluate(TWO_FRAMES)
    assert_readable(page)
    assert_accessible(page)

    page.set_viewport_size(PAPER)
    page.emulate_media(media="print")
    page.evaluate(TWO_FRAMES)
    expect(page.locator("header.top")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate(OVERFLOW) <= 0, "the page is wider than the paper"


@PLACES
def test_a_first_load_is_light(page: Page, path: str) -> None:
    requests: list[str] = []
    sizes: list[float] = []
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.requestWillBeSent", lambda event: requests.append(event["request"]["url"]))
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))

    open_page(page, path)

    asked = [url for url in requests if not url.startswith("data:")]
    assert len(asked) <= MOST_REQUESTS, "\n".join(asked)
    assert sum(sizes) <= MOST_BYTES


@PLACES
@WIDTHS
def test_while_it_loads_its_room_is_kept(page: Page, path: str) -> None:
    held: list[Route] = []
    page.add_init_script(WATCH_SHIFTS)
    page.emulate_media(reduced_motion="reduce")
    page.route(API, lambda route: held.append(route))
    page.goto(path)
    expect(page.locator("[data-face=loading]:visible").first).to_be_attached()
    assert page.locator("html").get_attribute("data-state") == "loading"
    assert_readable(page)
    assert_accessible(page)
    assert page.evaluate("document.getAnimations().length") == 0

    for route in held:
        route.continue_()
    page.unroute(API)

    assert settle(page) in ("ready", "partial")
    page.evaluate(TWO_FRAMES)
    shifts = page.evaluate("shifts")
    assert sum(size for size, _ in shifts) <= MOST_SHIFT, shifts


@PLACES
@pytest.mark.parametrize("failure", ["broken", "unreachable"])
def test_when_everything_fails_each_part_says_so_and_recovers(
    page: Page, path: str, watch: PageWatch, failure: str
) -> None:
    watch.expect("status of 500|ERR_FAILED")
    is_broken = failure == "broken"
    page.route(API, fail_with(500) if is_broken else lambda route: route.abort())
    assert open_page(page, path) == "error"
    see_all(page)

    for region in visible_regions(page):
        face = page.locator(f"{region} > .face")
        expect(face.get_by_role("alert")).to_contain_text(
            "It broke." if is_broken else "The service can't be reached"
        )
        expect(face.locator("code")).to_have_text(["req-42"] if is_broken else [])
        expect(face.get_by_role("button", name="Try again")).to_be_visible()
    assert_readable(page)
    assert_accessible(page)

    page.unroute(API)
    again = page.get_by_role("button", name="Try again")
    for _ in visible_regions(page):
        if again.count():
            again.first.click()
            settle(page)
    expect(again).to_have_count(0)
    see_all(page)
    assert settle(page) in ("ready", "partial")


@PLACES
@pytest.mark.parametrize("locale", ["de-DE"])
def test_numbers_follow_the_browsers_language_and_words_stay_english(page: Page, path: str) -> None:
    open_page(page, path)
    see_all(page)
    open_tables(page)

    shown = page.locator("main").inner_text().replace("\xa0", " ")

    assert re.search(r"\d,\d", shown)
    assert not re.search(r"\d\.\d{1,2} (kWh|kW|kg|%|EUR|€)", shown)
    german = re.search(r"\b(vor \d|(Mo|Di|Mi|Do|Fr|Sa|So)[.,] |März|Mai |Okt|Dez)|\d\. [A-Z]", shown)
    assert german is None, german


@PLACES
def test_it_goes_by_keyboard(page: Page, path: str) -> None:
    open_page(page, path)
    see_all(page)
    settle(page)

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()

    page.goto("about:blank")
    open_page(page, path)
    see_all(page)
    stops = page.evaluate(TABBABLE)
    reached = set()
    for _ in range(2 * stops):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus is None:
            break
        assert focus["marked"], f"the focus isn't marked: {focus['text']}"
        assert focus["open"], f"the focus is out of sight: {focus['text']}"
        reached.add(focus["stop"])
    missed = {str(stop) for stop in range(stops)} - reached
    assert not missed, [
        page.locator(f"[data-stop='{stop}']").evaluate("each => each.outerHTML.slice(0, 160)")
        for stop in missed
    ]


@pytest.mark.parametrize("name", sorted(PAGES.keys() - {"anomaly", "forecast"}))
def test_going_back_restores_the_view(page: Page, path: str) -> None:
    open_page(page, path)
    pressed = page.locator("#period button[aria-pressed=true]")
    before = (page.url, pressed.inner_text(), page.locator("#from").input_value())

    page.locator("#period button[aria-pressed=false]").last.click()
    settle(page)
    assert page.url != before[0]
    assert page.locator("#from").input_value() != before[2]

    # The page is loaded again.
    with page.expect_event("load"):
        page.go_back()
    settle(page)
    assert (page.url, pressed.inner_text(), page.locator("#from").input_value()) == before


def test_what_embeds_a_page_has_a_header_of_its_own(page: Page, machines: dict[str, str]) -> None:
    for path in PAGES.values():
        page.goto(f"{path.format(machine=machines['Compressor-1'])}&embed=1")
        expect(page.locator("header.top")).to_be_hidden()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        settle(page)
    page.get_by_role("link", name="More key figures").click()
    page.wait_for_url("**/ui/kpi?**embed=1**")
    settle(page)
    expect(page.locator("header.top")).to_be_hidden()


def test_the_chosen_theme_is_there_from_the_first_byte_on(page: Page) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    open_page(page, PAGES["overview"])
    button = page.get_by_role("button", name="Dark")
    expect(button).to_have_attribute("aria-pressed", "false")
    light = page.evaluate(paper)

    button.click()

    expect(button).to_have_attribute("aria-pressed", "true")
    dark = page.evaluate(paper)
    assert dark != light
    for path in (PAGES["overview"], "ui/kpi"):
        answer = page.goto(path)
        assert answer is not None
        assert 'data-theme="dark"' in answer.text()
        assert page.evaluate(paper) == dark
        expect(button).to_have_attribute("aria-pressed", "true")
        settle(page)
    button.click()
    assert page.evaluate(paper) == light


@pytest.mark.parametrize(
    ("name", "says", "offers"),
    [
        ("overview", "There is nothing to judge in this period.", re.compile("^Show ")),
        ("kpi", "has no readings in these days; the latest is from", "Show it"),
        ("machine", "No readings lie in these days; the first is from", re.compile("^Show the first days")),
    ],
)
def test_days_without_readings_lead_to_days_that_have_some(
    page: Page, path: str, says: str, offers: str | re.Pattern[str], watch: PageWatch
) -> None:
    watch.expect("status of 422")
    page.goto(f"{path.replace('days=7', '')}&from=2020-01-01&to=2020-01-07")
    said = page.get_by_text(says).filter(visible=True)
    expect(said.first).to_be_visible()
    settle(page)
    assert_readable(page)
    assert_accessible(page)

    page.get_by_role("button", name=offers).click()

    expect(said).to_have_count(0)
    assert not page.locator("#from").input_value().startswith("2020")
    assert settle(page) in ("ready", "partial")


@pytest.fixture(scope="module")
def hostile_machine(console_stack: Stack) -> dict[str, Any]:
    """A machine without readings whose name and factory's name try to be markup."""
    if "ENMS_STATE_DIR" not in console_stack.settings:
        pytest.skip("nothing is added to a stack that others use")
    console_stack.enms("factories", "add", HOSTILE_FACTORY, "--timezone", "Europe/Berlin")
    machine = ("--factory", HOSTILE_FACTORY, "--type", "other", "--rated-kw", "10")
    console_stack.enms("machines", "add", HOSTILE, *machine)
    found = console_stack.api("api/v1/machines?limit=200")["machines"]
    return next(each for each in found if each["name"] == HOSTILE)


def test_a_name_is_never_markup(page: Page, hostile_machine: dict[str, Any], watch: PageWatch) -> None:
    watch.expect("status of (404|409|422)")
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    machine, factory = hostile_machine["id"], hostile_machine["factory_id"]
    for pattern in PAGES.values():
        path = f"{pattern.format(machine=machine)}&factory={factory}"
        open_page(page, path)
        see_all(page)
        shown = page.locator("main").inner_text()
        assert HOSTILE in shown or HOSTILE_FACTORY in shown, path
        assert_readable(page)
        assert_accessible(page)
        assert page.locator("img[src=x], b[onmouseover]").count() == 0
        assert page.evaluate(
            "[...document.scripts].every(each => each.src || each.type === 'application/json')"
        )
    assert page.title().startswith(HOSTILE)
    assert dialogs == []


def test_an_unknown_machine_has_a_page_that_says_so(page: Page, watch: PageWatch) -> None:
    watch.expect("status of 404")
    answer = page.goto("ui/machine/00000000-0000-4000-8000-000000000000")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("alert")).to_be_visible()
    assert_readable(page)
    assert_accessible(page)
    page.get_by_role("alert").get_by_role("link", name="overview").click()
    assert settle(page) in ("ready", "partial")
