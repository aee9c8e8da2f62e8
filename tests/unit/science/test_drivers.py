"""What is known of drivers by name, and what a report says of them."""

import numpy as np
import pytest

from enms.science.baseline.driver_report import DriverReport, report
from enms.science.baseline.drivers import CALENDAR, DRIVERS, driver
from enms.science.baseline.observations import Category, Observations


def test_somebodys_metadata_key_may_be_anything() -> None:
    unknown = driver("production.glue_grams")
    assert (unknown.unit, unknown.sign, unknown.not_chosen) == (None, 0, None)
    assert unknown.low == -np.inf
    assert unknown.high == np.inf


@pytest.mark.parametrize("name", DRIVERS)
def test_what_is_possible_is_a_range(name: str) -> None:
    known = driver(name)
    assert known.low < known.high
    assert known.sign in (-1, 0, 1)


def test_more_production_and_more_degrees_never_mean_less_energy() -> None:
    for name in ("production_count", "operating_hours", "heating_degrees", "cooling_degrees"):
        assert driver(name).sign == 1
    assert driver("outdoor_temp_c").sign == 0


def test_what_follows_from_energy_is_not_chosen() -> None:
    assert driver("vibration_mm_s").not_chosen
    assert not driver("production_count").not_chosen
    assert all(driver(name).not_chosen is None for name in CALENDAR)


def _report(name: str) -> DriverReport:
    count = 100
    random = np.random.default_rng(20)
    energy = random.normal(50, 5, count)
    energy[:3] = np.nan
    half = random.normal(size=count)
    half[40:] = np.nan
    data = Observations(
        "hour",
        np.arange(count),
        energy,
        {
            "production_count": 2 * energy + random.normal(size=count),
            "outdoor_temp_c": np.linspace(-5, 25, count),
            "pressure_bar": np.full(count, 7.1),
            "speed_percent": random.normal(size=count),
            "production.half": half,
            "production.none": np.full(count, np.nan),
        },
        {
            "shift": Category(("early", "late", "night"), np.arange(count) % 2),
            "working_day": Category(("working day", "day off"), np.zeros(count, np.int64)),
        },
    )
    return report(data, [name], "outdoor_temp_c")[0]


def test_a_good_driver_is_described() -> None:
    found = _report("production_count")
    assert found.coverage == pytest.approx(0.97)
    assert found.correlation is not None
    assert found.correlation > 0.9
    assert found.minimum is not None
    assert found.mean is not None
    assert found.minimum < found.mean
    assert (found.kind, found.unit, found.reason) == ("numeric", "units", None)
    assert found.is_usable
    assert found.is_automatic


def test_degrees_are_described_by_their_temperature() -> None:
    found = _report("cooling_degrees")
    assert (found.kind, found.unit, found.minimum, found.maximum) == ("degrees", "K", -5, 25)
    assert found.is_usable


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("pressure_bar", "same value throughout"),
        ("production.half", "known in 40% of the intervals"),
        ("production.none", "wasn't recorded"),
        ("working_day", "one level only"),
    ],
)
def test_what_cannot_be_used_says_why(name: str, reason: str) -> None:
    found = _report(name)
    assert not found.is_usable
    assert not found.is_automatic
    assert reason in (found.reason or "")
    if name != "production.half":
        assert found.correlation is None


def test_what_is_not_chosen_by_itself_may_still_be_asked_for() -> None:
    found = _report("speed_percent")
    assert found.is_usable
    assert not found.is_automatic
    assert found.reason == driver("speed_percent").not_chosen


def test_a_category_lists_the_levels_that_occur() -> None:
    found = _report("shift")
    assert (found.kind, found.levels, found.correlation) == ("category", ("early", "late"), None)
    assert found.is_usable
