"""Observations and categories: taking some, knowing what is known."""

import numpy as np
import pytest

from enms.science.baseline.observations import Category, Observations


def _data() -> Observations:
    return Observations(
        "day",
        np.array([10, 11, 13, 14]),
        np.array([1.0, 2.0, 3.0, 4.0]),
        {"t": np.array([5.0, np.nan, np.inf, 6.0])},
        {"shift": Category(("a", "b"), np.array([0, 1, 0, -1]))},
    )


@pytest.mark.parametrize("rows", [np.array([True, False, True, False]), np.array([0, 2])])
def test_some_of_the_intervals_keep_everything_side_by_side(rows: np.ndarray) -> None:
    some = _data().take(rows)
    assert len(some) == 2
    assert some.positions.tolist() == [10, 13]
    assert some.energy_kwh.tolist() == [1.0, 3.0]
    assert some.drivers["t"].tolist() == [5.0, np.inf]
    assert some.categories["shift"].codes.tolist() == [0, 0]
    assert some.interval == "day"


def test_known_is_what_is_finite_and_has_a_level() -> None:
    data = _data()
    assert data.knows(["t"]).tolist() == [True, False, False, True]
    assert data.knows(["shift"]).tolist() == [True, True, True, False]
    assert data.knows(["t", "shift"]).tolist() == [True, False, False, False]
    assert data.knows([]).all()


def test_a_category_tells_whether_it_varies_and_how_often_levels_occur() -> None:
    category = Category(("a", "b", "c"), np.array([0, 1, 0, -1]))
    assert category.varies
    assert not category.take(np.array([0, 2])).varies
    assert category.occurrences().tolist() == [2, 1, 0]
    assert category.totals().tolist() == [2.0, 1.0, 0.0]
    assert category.is_rare().tolist() == [False, True, False, False]


def test_of_intervals_with_several_levels_hours_count() -> None:
    hours = np.array([[8.0, 16.0], [8.0, 16.0], [24.0, 0.0]])
    category = Category(("a", "b"), np.array([1, 1, 0]), hours)
    assert category.occurrences().tolist() == [3, 2]
    assert category.totals().tolist() == [40.0, 32.0]
    assert category.varies
    assert not category.take(np.array([0, 1])).varies
    assert category.take(np.array([0, 2])).is_rare().tolist() == [True, False]
