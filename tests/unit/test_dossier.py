"""The dossier: whole, escaped, the same bytes each time, readable without a network."""

import copy
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from enms.science.baseline import model as documents
from enms.science.baseline.build import RefusalRules, Request, build
from enms.science.baseline.calendar import categories, local_time
from enms.science.baseline.observations import Interval, Observations
from enms.science.baseline.refusals import Quality
from enms.science.baseline.verdict import Limits
from enms.services import dossier
from enms.services.dossier import report

# The clocks of Berlin go back within it.
FIRST_HOUR = int(datetime(2026, 9, 20, tzinfo=UTC).timestamp()) // 3600
VOID = {"meta"}
HOSTILE = "<script>alert('x')</script>&\"="
AT = datetime(2026, 11, 24, 9, 31, tzinfo=UTC)
ROW = {
    "id": UUID(int=7), "model_version": 2, "is_active": True, "created_at": AT, "trained_by": "anna",
    "artifact_sha256": "ab" * 32, "artifact_key": "baselines/x.json",
}  # fmt: skip
HISTORY = [
    # Written by a platform's own program: it says little.
    {
        "model_version": 1, "model_type": "their_own", "interval": None, "training_start_date": None,
        "training_end_date": None, "training_samples": None, "r_squared": None, "verdict": None,
        "created_at": AT - timedelta(days=9), "actor": None, "trained_by": None, "reason": None,
    },
    {
        "model_version": 2, "model_type": "linear", "interval": "hour", "training_start_date": AT,
        "training_end_date": AT, "training_samples": 1200, "r_squared": 0.93, "verdict": "valid",
        "created_at": AT, "actor": "anna", "trained_by": "anna", "reason": "new valve",
    },
]  # fmt: skip
EVENTS = [
    {"event": "trained", "actor": "anna", "reason": "new valve", "run_id": None, "at": AT},
    {"event": "activated", "actor": "bert", "reason": "Forced: audit", "run_id": UUID(int=9), "at": AT},
]


def observations(
    count: int, interval: Interval = "hour", noise: float = 1.0
) -> tuple[Observations, np.ndarray]:
    """A machine that follows its production and the temperature, and starts of its intervals."""
    random = np.random.default_rng(5)
    seconds = 3600 if interval == "hour" else 86_400
    positions = np.arange(count) + FIRST_HOUR * 3600 // seconds
    production = np.round(random.uniform(0, 200, count))
    temperature = 12 + 9 * np.sin(np.arange(count) / 40) + random.normal(0, 1, count)
    energy = 12 + 0.1 * production - 0.4 * temperature + noise * random.normal(0, 1, count)
    starts_at = positions * seconds
    drivers = {"production_count": production, "outdoor_temp_c": temperature}
    calendar = categories(local_time(starts_at, "Europe/Berlin"), "DE", None)
    return Observations(interval, positions, energy, drivers, calendar), starts_at


def document_of(request: Request, count: int = 1200, interval: Interval = "hour", noise: float = 1.0) -> Any:
    data, starts_at = observations(count, interval, noise)
    hours = np.full(count, 1.0 if interval == "hour" else 24.0)
    nothing = np.zeros(count)
    covered = np.ones(count)
    covered[:7] = 0.2
    quality = Quality(covered, nothing, nothing, nothing, 90.0, hours)
    limits, rules = Limits(), RefusalRules()
    built = build(data, quality, request, limits, rules)
    content = documents.document(
        built,
        energy_type="electrical",
        machine={
            "id": str(UUID(int=3)), "name": "Press", "type": "injection_molding", "rated_power_kw": 90.0,
            "factory_name": "Works", "timezone": "Europe/Berlin", "country": "DE",
        },
        period={"start": "2026-09-20T00:00:00Z", "end": "2026-11-09T00:00:00Z"},
        starts_at=starts_at[built.judged.usable],
        settings={
            "drivers": list(request.drivers) if request.drivers is not None else "auto",
            "drivers_used": list(built.selection.drivers if built.selection else request.drivers or ()),
            "model": request.model,
            "standby_power_kw": None,
            "limits": vars(limits),
            "rules": vars(rules),
        },
        code_version="0.1.0",
    )  # fmt: skip
    return documents.from_bytes(documents.to_bytes(content))


@pytest.fixture(scope="module")
def linear() -> Any:
    return document_of(Request(None, ("production_count", "outdoor_temp_c", "weekday"), "linear"))


@pytest.fixture
def content(linear: Any) -> Any:
    return copy.deepcopy(linear)


class Reader(HTMLParser):
    """What a browser would find: balanced elements, text, and whatever it would have to fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attributes
        if tag not in (*VOID, "wbr"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attributes

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def test_the_page_is_whole_and_needs_nothing_else(content: Any) -> None:
    page = report(content, ROW, HISTORY, EVENTS)
    found = read(page)
    assert re.findall(r"<h2>(\d+) ", page) == [str(n) for n in range(1, 12)]
    assert not {"script", "link", "img", "iframe", "object"} & set(found.elements)
    assert not {"src", "href", "style"} & {name for name, _ in found.attributes}
    assert not any(name.startswith("on") for name, _ in found.attributes)
    assert "http://" not in page
    assert "https://" not in page
    assert set(re.findall(r"url\(([^)]*)\)", page)) == {
        f"#{each}" for each in re.findall(r'clipPath id="([^"]*)"', page)
    }
    identifiers = [value for name, value in found.attributes if name == "id"]
    assert len(identifiers) == len(set(identifiers))
    assert len(page.encode()) < 400_000


def test_the_same_document_gives_the_same_bytes(content: Any) -> None:
    pages = {report(copy.deepcopy(content), ROW, HISTORY, EVENTS) for _ in range(2)}
    assert len(pages) == 1


def test_it_tells_all_that_an_auditor_asks_for(content: Any) -> None:
    text = read(report(content, ROW, HISTORY, EVENTS)).text
    for reason in content["verdict"]["reasons"]:
        assert reason["text"] in text
        assert reason["code"] in text
    for each in content["coefficients"]:
        assert each["name"] in text
    for told in (
        "ISO 50001:2018, clause 6.5", content["training"]["data_sha256"], ROW["artifact_sha256"],
        str(ROW["id"]),
        "less than 90% of it has readings", "new valve", "Forced: audit", str(UUID(int=9)), "their_own",
        "0.1.0", np.__version__, "least_r_squared", "Europe/Berlin",
    ):  # fmt: skip
        assert told in text, told


def test_what_was_refused_is_counted(content: Any) -> None:
    page = report(content, ROW, HISTORY, EVENTS)
    assert '<td class="n">7</td><td class="n">0.58 %</td>' in page
    assert "<dt>Used</dt><dd>1\u202f193 (99.42 %)</dd>" in page


def test_instants_are_the_factorys_and_its_double_hour_is_told_apart(content: Any) -> None:
    content["training"] |= {"start": "2026-10-25T00:30:00Z", "end": "2026-10-25T01:30:00Z"}
    text = read(report(content, ROW, HISTORY, EVENTS)).text
    assert "2026-10-25 02:30 +02:00" in text
    assert "2026-10-25 02:30 +01:00" in text


def test_whatever_people_wrote_is_text(content: Any) -> None:
    content["machine"] |= {"name": HOSTILE, "factory_name": HOSTILE, "type": HOSTILE}
    content["energy_type"] = HOSTILE
    rename(content, "production_count", HOSTILE)
    for refused in content["training"]["refused"]:
        refused |= {"driver": HOSTILE, "text": HOSTILE}
    for each in (*content["verdict"]["reasons"], *content["contenders"], *content["selection"]["dropped"]):
        each["text"] = HOSTILE
    row = ROW | {"trained_by": HOSTILE}
    history = [each | {"actor": HOSTILE, "reason": HOSTILE, "model_type": HOSTILE} for each in HISTORY]
    events = [each | {"actor": HOSTILE, "reason": HOSTILE} for each in EVENTS]
    page = report(content, row, history, events)
    found = read(page)
    assert "script" not in found.elements
    assert "<script" not in page
    assert found.text.count(HOSTILE) > 30


def rename(content: Any, old: str, new: str) -> None:
    """Another name for a driver, wherever the document has it."""
    content["ranges"][new] = content["ranges"].pop(old)
    content["residuals"]["strongest_driver"] = {
        "name": new, "values": np.linspace(0, 200, content["training"]["samples"]).tolist()
    }  # fmt: skip
    for term in content["terms"]:
        term |= {"driver": new} if term.get("driver") == old else {}
    for each in (*content["coefficients"], *content["statistics"]["term_tests"]):
        each["term"] = new if each["term"] == old else each["term"]
    for each in content["coefficients"]:
        each["name"] = new if each["name"] == old else each["name"]
    settings = content["settings"]
    settings["drivers_used"] = [new if each == old else each for each in settings["drivers_used"]]


def test_the_strongest_driver_has_its_chart_with_the_models_line(content: Any) -> None:
    data, _ = observations(1200)
    content["residuals"]["strongest_driver"] = {
        "name": "production_count", "values": data.drivers["production_count"][7:].tolist()
    }  # fmt: skip
    page = report(content, ROW, HISTORY, EVENTS)
    assert "Energy against the strongest driver" in page
    assert "production_count, units" in page


def test_a_rejected_model_says_so_and_who_uses_it_all_the_same(content: Any) -> None:
    content["verdict"]["status"] = "rejected"
    content["verdict"]["reasons"][0] |= {"severity": "rejected", "text": "Too little."}
    text = read(report(content, ROW, HISTORY, EVENTS)).text
    assert "The baseline must not be used to judge energy performance" in text
    assert "It is in use all the same, since 2026-11-24 10:31 +01:00, by bert: “Forced: audit”." in text
    unused = read(report(content, ROW | {"is_active": False}, HISTORY, EVENTS)).text
    assert "all the same" not in unused


def test_a_baseline_of_days_speaks_of_days() -> None:
    content = document_of(Request(("production_count", "outdoor_temp_c")), 120, "day")
    text = read(report(content, ROW, HISTORY, EVENTS)).text
    assert "is expected to use in a day of the factory" in text
    assert "Days in it" in text
    assert "2026-09-2" in text
    assert content["verdict"]["status"] == "caution"
    assert "may be used with care" in text


@pytest.mark.parametrize("form", ["change_point", "time_of_week_temperature"])
def test_every_form_is_explained(form: Any) -> None:
    content = document_of(Request(("production_count",), model=form), 200, "day")
    text = read(report(content, ROW, HISTORY, EVENTS)).text
    told = {"change_point": "= max(0, ", "time_of_week_temperature": "a broken line with knots at"}
    assert told[form] in text
    assert "outdoor_temp_c" in text


def test_a_model_of_categories_alone_has_no_range(content: Any) -> None:
    content = document_of(Request(("weekday",)))
    page = report(content, ROW, HISTORY, EVENTS)
    assert "The model has no numeric driver." in read(page).text
    assert "strongest driver" not in page


def test_errors_of_nothing_are_no_obstacle() -> None:
    content = document_of(Request(("production_count", "outdoor_temp_c")), noise=0.0)
    assert "Distribution of residuals" in report(content, ROW, HISTORY, EVENTS)


def test_figures_that_are_not_finite_are_a_dash(content: Any) -> None:
    content["statistics"]["f_value"] = None
    content["coefficients"][0] |= {"vif": None, "plain_p_value": None}
    content["out_of_time"]["cv_rmse_percent"] = None
    assert '<th scope="row">F, all drivers</th><td class="n">—</td>' in report(content, ROW, HISTORY, EVENTS)


def test_colours_of_text_have_the_contrast_that_wcag_asks_for() -> None:
    style = Path(dossier.__file__).with_name("dossier.css").read_text()
    colours = dict(re.findall(r"--(\w+): (#\w{6});", style))
    tints = re.findall(r"background: (#\w{6})", style)
    assert len(tints) == 5
    for name in ("ink", "soft", "accent", "valid", "caution", "rejected"):
        for tint in tints:
            assert contrast(colours[name], tint) >= 4.5, (name, tint)


def contrast(one: str, other: str) -> float:
    """WCAG 2.1's ratio of two colours."""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
