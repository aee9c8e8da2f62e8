"""Levels whose hours can't be told apart are taken together."""

import numpy as np
import pytest

from enms.science.baseline.observations import Category, Observations
from enms_local.evaluate.levels import together


def days(hours: list[list[float]], levels: tuple[str, ...] = ("night", "peak", "shoulder")) -> Observations:
    values = np.array(hours)
    category = Category(levels, values.argmax(axis=1).astype(np.int64), values)
    return Observations("day", np.arange(len(values)), np.ones(len(values)), {}, {"load": category})


def joined(hours: list[list[float]]) -> tuple[str, ...]:
    data = days(hours)
    return together(data, data)[0].categories["load"].levels


def test_levels_in_a_fixed_proportion_are_one() -> None:
    data = days([[10, 6, 8], [24, 0, 0], [10, 6, 8], [17, 3, 4]])
    found, texts = together(data, data)
    category = found.categories["load"]
    assert category.levels == ("night", "shoulder + peak")
    assert category.hours is not None
    assert category.hours[:, 1].tolist() == [14, 0, 14, 7]
    assert category.codes.tolist() == [1, 0, 1, 0]
    assert texts == [
        "load: in training the hours of shoulder and peak follow from each other, so they are taken together."
    ]


def test_levels_that_vary_by_themselves_stay() -> None:
    assert joined([[10, 6, 8], [24, 0, 0], [12, 3, 9], [17, 3, 4]]) == ("night", "peak", "shoulder")


def test_a_level_that_never_varies_joins_those_whose_hours_it_adds_nothing_to() -> None:
    assert len(joined([[10, 6, 8], [12, 4, 8], [15, 1, 8]])) == 2


def test_training_decides_for_later_days_too() -> None:
    train = [[10.0, 6.0, 8.0], [24.0, 0.0, 0.0]] * 3
    data = days([*train, [10.0, 2.0, 12.0]])
    found, _ = together(data, data.take(np.arange(6)))
    hours = found.categories["load"].hours
    assert hours is not None
    assert hours[-1].tolist() == [10.0, 14.0]


@pytest.mark.parametrize("unknown", [0, 1])
def test_levels_of_single_intervals_are_left_alone(unknown: int) -> None:
    category = Category(("a", "b"), np.array([unknown, 1, 0, 1]))
    data = Observations("hour", np.arange(4), np.ones(4), {}, {"c": category})
    assert together(data, data) == (data, [])
