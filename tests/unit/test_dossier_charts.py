"""Scales with round ticks, days of the factory, and dots that don't grow without end."""

from datetime import datetime
from itertools import pairwise
from math import gcd
from zoneinfo import ZoneInfo

import pytest

from enms.services.dossier_charts import MOST_DOTS, Plot, every, scale, time_scale

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.3, 9.2, ["0", "2", "4", "6", "8", "10"]),
        (-1.2, 1.2, ["−1.5", "−1.0", "−0.5", "0.0", "0.5", "1.0", "1.5"]),
        (0.001, 0.0098, ["0.000", "0.002", "0.004", "0.006", "0.008", "0.010"]),
        (900, 11_000, ["0", "2\u202f500", "5\u202f000", "7\u202f500", "10\u202f000", "12\u202f500"]),
    ],
)
def test_ticks_are_round_and_hold_the_values(low: float, high: float, labels: list[str]) -> None:
    found = scale(low, high)
    assert [label for _, label in found.ticks] == labels
    assert found.low <= low < high <= found.high


@pytest.mark.parametrize("value", [0.0, 7.0, -3.0])
def test_one_value_has_an_axis_around_it(value: float) -> None:
    found = scale(value, value)
    assert found.low < value < found.high


def test_days_begin_at_midnight_of_the_factory() -> None:
    first = int(datetime(2026, 10, 24, 5, tzinfo=BERLIN).timestamp())
    last = int(datetime(2026, 10, 27, tzinfo=BERLIN).timestamp())
    ticks = time_scale(first, last, BERLIN).ticks
    assert [label for _, label in ticks] == ["25 Oct", "26 Oct", "27 Oct"]
    # The 25th has 25 hours.
    lengths = [(later - earlier) / 3600 for (earlier, _), (later, _) in pairwise(ticks)]
    assert lengths == [25, 24]


@pytest.mark.parametrize("days", [0, 1, 6, 30, 90, 365, 400, 2000])
def test_time_has_few_ticks(days: int) -> None:
    first = int(datetime(2026, 1, 1, tzinfo=BERLIN).timestamp())
    assert 1 <= len(time_scale(first, first + days * 86_400, BERLIN).ticks) <= 8


@pytest.mark.parametrize("dots", [1, MOST_DOTS, MOST_DOTS + 1, 9_600, 100_000])
def test_thinning_keeps_every_hour_of_the_week(dots: int) -> None:
    step = every(dots)
    assert dots / step <= MOST_DOTS
    assert gcd(step, 168) == 1
    assert (step == 1) == (dots <= MOST_DOTS)


def test_dots_on_one_place_are_drawn_once() -> None:
    plot = Plot("Some", scale(0, 10), scale(0, 10), "x", "y")
    assert plot.dots([1, 1, 2], [3, 3, 4]).count("h0") == 2


def test_labels_of_axes_are_text() -> None:
    drawn = Plot("A & b", scale(0, 1), scale(0, 1), "<x>", "y").svg()
    assert "&lt;x&gt;" in drawn
    assert '<title id="a---b">A &amp; b</title>' in drawn
