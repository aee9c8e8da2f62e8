"""Numbers and text as the dossier writes them."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from enms.services.dossier_html import (
    NOTHING,
    Html,
    brief,
    code,
    escape,
    instant,
    number,
    percent,
    probability,
    table,
    whole,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.102039, "0.1020"),
        (-3.14159, "−3.142"),
        (9999.96, "10\u202f000"),
        (1234567.8, "1\u202f235\u202f000"),
        (0.00012345, "0.0001234"),
        (1.86e-85, "1.860 × 10⁻⁸⁵"),
        (-2.5e12, "−2.500 × 10¹²"),
        (None, NOTHING),
        (float("nan"), NOTHING),
        (float("inf"), NOTHING),
    ],
)
def test_figures_have_significant_digits(value: Any, text: str) -> None:
    assert number(value) == text


def test_limits_shares_and_counts() -> None:
    assert [brief(each) for each in (0.8, 1000.0, -0.5, None)] == ["0.8", "1\u202f000", "−0.5", NOTHING]
    assert [percent(each) for each in (99.398, -0.0001, None)] == ["99.40 %", "0.00 %", NOTHING]
    assert [probability(each) for each in (0.0, 0.00012, 0.5, None)] == [
        "< 0.0001",
        "0.0001",
        "0.5000",
        NOTHING,
    ]
    assert [whole(each) for each in (2160, None)] == ["2\u202f160", NOTHING]


def test_instants_name_their_offset() -> None:
    at = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert instant(at, ZoneInfo("Europe/Berlin")) == "2026-10-25 02:30 +01:00"
    assert instant(at, ZoneInfo("America/St_Johns")) == "2026-10-24 23:00 −02:30"
    assert instant(None, ZoneInfo("Europe/Berlin")) == NOTHING


def test_only_html_stays_as_it_is() -> None:
    assert escape("<b>&\"'") == "&lt;b&gt;&amp;&quot;&#x27;"
    assert escape(Html("<b>")) == "<b>"
    assert code("p_value:<x>") == "<code>p_value:<wbr>&lt;x&gt;</code>"
    made = table("a & b", ("one", "two"), [("<x>", 5)], {1})
    assert "<caption>a &amp; b</caption>" in made
    assert '<th scope="row">&lt;x&gt;</th><td class="n">5</td>' in made
