"""Forests as arrays, held to scikit-learn's own scores."""

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from enms.science.anomalies.trees import Trees, usual_length


@pytest.mark.parametrize("count", [40, 2_000])
def test_scores_are_those_of_scikit_learn(count: int) -> None:
    noise = np.random.default_rng(count)
    table = noise.normal(size=(count, 6))
    model = IsolationForest(n_estimators=50, random_state=0).fit(table)
    seen = noise.normal(size=(1_500, 6)) * 2
    np.testing.assert_allclose(Trees.of(model).scores(seen), -model.score_samples(seen), rtol=1e-12)


def test_repeated_rows_share_their_leaves() -> None:
    table = np.repeat(np.random.default_rng(1).normal(size=(20, 2)), 30, axis=0)
    model = IsolationForest(n_estimators=20, random_state=0).fit(table)
    np.testing.assert_allclose(Trees.of(model).scores(table), -model.score_samples(table), rtol=1e-12)


def test_no_rows_have_no_scores() -> None:
    model = IsolationForest(n_estimators=5, random_state=0).fit(np.random.default_rng(2).normal(size=(50, 2)))
    assert Trees.of(model).scores(np.zeros((0, 2))).shape == (0,)


def test_the_usual_length_is_that_of_the_paper() -> None:
    assert usual_length(np.array([0, 1, 2])).tolist() == [0, 0, 1]
    assert usual_length(np.array([256]))[0] == pytest.approx(10.2448, abs=1e-3)


def test_what_is_no_forest_is_refused() -> None:
    with pytest.raises(ValueError, match="str is no forest"):
        Trees.from_arrays("forest")  # type: ignore[arg-type]
