"""Trees as arrays say what scikit-learn says."""

import json

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from enms.science.forecasting.boosted_trees import BoostedTrees

RANDOM = np.random.default_rng(5)


def test_predictions_are_those_of_scikit_learn() -> None:
    table = RANDOM.standard_normal((400, 4))
    model = HistGradientBoostingRegressor(max_iter=20, max_leaf_nodes=9, early_stopping=False)
    model.fit(table, np.sin(3 * table[:, 0]) + table[:, 1] * table[:, 2])
    trees = BoostedTrees.of(model)
    asked = RANDOM.standard_normal((50, 4))
    asked[:5, 0] = np.nan
    np.testing.assert_allclose(trees.predict(asked), model.predict(asked), rtol=1e-12)
    again = BoostedTrees.from_document(json.loads(json.dumps(trees.document())))
    np.testing.assert_array_equal(again.predict(asked), trees.predict(asked))


def test_trees_of_a_constant_say_it() -> None:
    model = HistGradientBoostingRegressor(max_iter=3, early_stopping=False)
    model.fit(RANDOM.standard_normal((100, 2)), np.full(100, 7.0))
    np.testing.assert_allclose(BoostedTrees.of(model).predict(np.zeros((2, 2))), [7.0, 7.0])
