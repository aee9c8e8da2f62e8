"""Blocks held out in turn: contiguous, unseen, and honest about what they can't predict."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from unit.science.samples import hours

from enms.science.baseline.forms import linear
from enms.science.baseline.observations import Category, Observations
from enms.science.baseline.terms import Numeric, Term, design_matrix
from enms.science.baseline.validation import block_rows, out_of_time, predict_rows
from enms.science.diagnostics.goodness import goodness
from enms.science.diagnostics.least_squares import solve

RECIPE = linear(["production_count", "outdoor_temp_c"], "outdoor_temp_c")


@pytest.mark.parametrize("observations", [20, 21, 24, 1003])
def test_blocks_are_contiguous_alike_and_cover_everything(observations: int) -> None:
    blocks = block_rows(observations)
    assert len(blocks) == 5
    np.testing.assert_array_equal(np.concatenate(blocks), np.arange(observations))
    assert max(map(len, blocks)) - min(map(len, blocks)) <= 1


def test_each_block_is_predicted_by_a_fit_to_the_others() -> None:
    data = hours(500)
    tested = out_of_time(data, RECIPE)
    rows = block_rows(500)[2]
    others = data.take(np.setdiff1d(np.arange(500), rows))
    terms = RECIPE(others)
    fit = solve(design_matrix(terms, others), others.energy_kwh)
    expected = design_matrix(terms, data.take(rows)) @ fit.coefficients
    np.testing.assert_allclose(tested.predicted_kwh[rows], expected, rtol=1e-9)
    assert tested.unpredicted == 0
    assert tested.goodness == goodness(data.energy_kwh, tested.predicted_kwh, 0)
    assert tested.blocks[2].goodness == goodness(data.energy_kwh[rows], tested.predicted_kwh[rows], 0)


def test_blocks_say_which_intervals_they_hold() -> None:
    data = hours(500)
    gappy = data.take(np.flatnonzero(np.arange(500) % 7 != 3))
    blocks = out_of_time(gappy, RECIPE, 4).blocks
    assert len(blocks) == 4
    assert blocks[0].first == gappy.positions[0]
    assert blocks[-1].last == gappy.positions[-1]
    assert all(one.last < other.first for one, other in pairwise(blocks))


def test_a_block_never_sees_itself() -> None:
    data = hours(500)
    # What only the last block knows can't be foretold.
    data.energy_kwh[400:] += 100
    tested = out_of_time(data, RECIPE)
    assert tested.blocks[-1].goodness.nmbe_percent > 40
    assert tested.goodness.rmse > 40


def test_recipes_are_followed_anew_for_each_block() -> None:
    seen: list[int] = []

    def recipe(data: Observations) -> Sequence[Term]:
        seen.append(len(data))
        return [Numeric("production_count")]

    out_of_time(hours(500), recipe)
    assert seen == [400] * 5


def test_a_driver_that_varies_in_one_block_only_is_left_alone_by_it() -> None:
    data = hours(500)
    pressure = np.full(500, 7.1)
    pressure[420:] = 9.3
    data = replace(data, drivers={**data.drivers, "pressure_bar": pressure})
    tested = out_of_time(data, linear(["production_count", "outdoor_temp_c", "pressure_bar"], ""))
    assert tested.goodness.rmse == pytest.approx(2.0, rel=0.1)


def test_a_level_that_no_other_block_has_is_not_predicted() -> None:
    data = hours(500)
    shift = Category(("a", "b", "extra"), np.where(np.arange(500) >= 450, 2, np.arange(500) % 2))
    data = replace(data, categories={"shift": shift})
    tested = out_of_time(data, linear(["production_count", "shift"], ""))
    assert tested.unpredicted == 50
    assert np.isnan(tested.predicted_kwh[450:]).all()
    assert np.isfinite(tested.predicted_kwh[:450]).all()
    assert tested.goodness.observations == 450


def test_where_no_block_knows_another_the_mean_is_what_is_left() -> None:
    data = hours(500)
    month = Category(tuple("abcde"), np.arange(500) // 100)
    data = replace(data, categories={"month": month})
    tested = out_of_time(data, linear(["month"], ""))
    assert tested.unpredicted == 500
    assert np.isnan(tested.predicted_kwh).all()
    assert tested.blocks == ()
    assert tested.goodness.r_squared == pytest.approx(0)


def test_a_level_seen_once_does_not_spoil_the_fit() -> None:
    data = hours(100)
    codes = np.arange(100) % 2
    codes[[10, 90]] = 2
    data = replace(data, categories={"shift": Category(("a", "b", "rare"), codes)})
    seen = np.arange(100) < 80
    predicted = predict_rows(data, linear(["production_count", "shift"], ""), seen, np.arange(80, 100))
    assert np.flatnonzero(np.isnan(predicted)).tolist() == [10]
