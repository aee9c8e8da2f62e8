"""Levels of categories: what can't be learned from, and intervals that have several."""

from dataclasses import replace

import numpy as np
import pytest
from unit.science.samples import hours, well_measured

from enms.science.baseline.build import Built, Model, RefusalRules, Request, build
from enms.science.baseline.forms import indicators
from enms.science.baseline.observations import Category, Observations
from enms.science.baseline.terms import Indicators
from enms.science.baseline.verdict import Limits
from enms.science.problems import UnfitError


def with_category(data: Observations, codes: np.ndarray) -> Observations:
    return replace(data, categories=data.categories | {"product": Category(("a", "b", "c"), codes)})


def built(data: Observations, *drivers: str, model: Model = "linear", auto: bool = False) -> Built:
    request = Request(None if auto else drivers, drivers, model)
    return build(data, well_measured(len(data)), request, Limits(), RefusalRules())


@pytest.mark.parametrize("auto", [False, True])
def test_a_level_that_occurs_once_is_refused_not_fitted(auto: bool) -> None:
    codes = np.arange(1200) % 2
    codes[700] = 2
    data = with_category(hours(), codes)
    data = replace(data, energy_kwh=data.energy_kwh + 30 * (codes == 1))

    found = built(data, "production_count", "outdoor_temp_c", "product", auto=auto)

    assert [(each.code, each.driver, each.count) for each in found.judged.refusals] == [
        ("rare_level", "product", 1)
    ]
    assert len(found.data) == 1199
    [level] = [each for each in found.fit.coefficients if each.term == "product"]
    assert abs(level.value) == pytest.approx(30, abs=1)


def test_a_level_that_only_one_block_has_leaves_the_others_predictable() -> None:
    codes = np.arange(1200) % 2
    codes[[10, 20, 700]] = 2  # two in the first block: once only for whom the first block is hidden

    found = built(with_category(hours(), codes), "production_count", "product")

    assert found.tested.unpredicted == 2


def test_a_category_of_one_level_is_constant() -> None:
    with pytest.raises(UnfitError, match="product has the same value") as caught:
        built(with_category(hours(), np.zeros(1200, dtype=np.int64)), "production_count", "product")
    assert caught.value.code == "constant-driver"


def test_beside_the_time_of_the_week_its_parts_say_nothing() -> None:
    data = hours(24 * 7 * 12)
    calendar = ("weekday", "production_count")

    found = built(data, *calendar, model="time_of_week_temperature")

    assert [term.name for term in found.fit.terms] == [
        "hour_of_week", "outdoor_temp_c segments", "production_count",
    ]  # fmt: skip


def test_auto_without_any_driver_and_temperature_says_so() -> None:
    data = hours()
    noise = np.random.default_rng(3).normal(size=len(data))
    data = replace(data, drivers={"noise": noise}, categories={})
    with pytest.raises(UnfitError, match="None of the candidates"):
        built(data, "noise", model="auto", auto=True)


MIXED = Category(
    ("idle", "busy", "off"),
    np.array([0, 1, -1, 0]),
    np.array([[18.0, 6.0, 0.0], [4.0, 20.0, 0.0], [0.0, 0.0, 0.0], [14.0, 10.0, 0.0]]),
)


def test_hours_of_levels_are_columns() -> None:
    data = Observations("day", np.arange(4), np.ones(4), {}, {"state": MIXED})

    term = indicators("state", data)

    assert term == Indicators("state", ("busy",), "idle")
    assert term.columns(data)[[0, 1, 3]].tolist() == [[6.0], [20.0], [10.0]]
    assert np.isnan(term.columns(data)[2])


def test_hours_of_a_level_that_the_model_lacks_are_unknown() -> None:
    columns = Indicators("state", (), "busy").columns(
        Observations("day", np.arange(4), np.ones(4), {}, {"state": MIXED})
    )
    assert columns.shape == (4, 0)
    known = Indicators("state", ("busy",), "off").columns(
        Observations("day", np.arange(4), np.ones(4), {}, {"state": MIXED})
    )
    assert np.isnan(known).all()


def test_some_of_the_intervals_keep_their_hours() -> None:
    taken = MIXED.take(np.array([True, False, False, True]))
    assert taken.hours is not None
    assert taken.hours[:, 0].tolist() == [18.0, 14.0]
    assert taken.varies
    assert not MIXED.take(np.array([True, False, False, False])).varies
    assert MIXED.occurrences().tolist() == [3, 3, 0]
    assert MIXED.totals().tolist() == [36.0, 36.0, 0.0]
