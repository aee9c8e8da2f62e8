"""Isolation Forest over all that is known of an interval (Liu, Ting & Zhou 2008, ICDM)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from enms.science.anomalies.trees import Trees
from enms.science.arrays import Flags, Values

TREES = 100
_SEED = 0
# Of the training's intervals, how many must know a feature for it to be one.
_LEAST_KNOWN = 0.8
_LEAST_ROWS = 500
_MAD_TO_STD = 1.4826
# What lies between the 0.05 and the 0.95 quantile of a normal distribution.
_NEARLY_ALL_SIGMAS = 3.29


@dataclass(frozen=True)
class Forest:
    """A trained forest.

    Attributes:
        trees: As scikit-learn grew them.
        features: Names of its columns.
        centres: Median of each.
        spreads: Scatter of each around it.
        quantile_scores: Scores of the training at the quantiles 0, 1/200 … 1: where a contamination lies.
    """

    trees: Trees
    features: tuple[str, ...]
    centres: Values
    spreads: Values
    quantile_scores: Values

    def scores(self, features: Mapping[str, Values], rows: Flags) -> Values:
        """How easily each interval is isolated, 0 to 1; NaN outside `rows` and where a feature is unknown."""
        return _scores(self.trees, _matrix(features, self.features), rows)

    def threshold(self, contamination: float) -> float:
        """The score above which this share of the training lies."""
        places = np.linspace(0, 1, len(self.quantile_scores))
        return float(np.interp(1 - contamination, places, self.quantile_scores))


def grow(features: Mapping[str, Values], rows: Flags, later: Flags) -> tuple[Forest, Values] | None:
    """Grows a forest; None with too few intervals.

    Args:
        features: Candidates by name; those that are mostly unknown or always the same are left out.
        rows: The intervals to learn from.
        later: Intervals that it hasn't seen.

    Returns:
        The forest, and the scores of `later` (NaN elsewhere).
    """
    from sklearn.ensemble import IsolationForest

    names = tuple(
        name
        for name, values in features.items()
        if np.isfinite(values[rows]).mean() >= _LEAST_KNOWN and np.nanstd(values[rows]) > 0
    )
    table = _matrix(features, names)
    learned = rows & np.isfinite(table).all(axis=1)
    if not names or learned.sum() < _LEAST_ROWS:
        return None
    trees = Trees.of(IsolationForest(n_estimators=TREES, random_state=_SEED).fit(table[learned]))
    scores = _scores(trees, table, later)
    known = scores[np.isfinite(scores)]
    if not len(known):
        return None
    centres = np.median(table[learned], axis=0)
    # The wider of two: a feature that rests mostly has hardly a median distance.
    nearly_all = np.subtract(*np.quantile(table[learned], (0.95, 0.05), axis=0)) / _NEARLY_ALL_SIGMAS
    spreads = np.maximum(_MAD_TO_STD * np.median(np.abs(table[learned] - centres), axis=0), nearly_all)
    spreads = np.where(spreads > 0, spreads, table[learned].std(axis=0))
    return Forest(trees, names, centres, spreads, np.quantile(known, np.linspace(0, 1, 201))), scores


def _scores(trees: Trees, table: Values, rows: Flags) -> Values:
    scores = np.full(len(table), np.nan)
    judged = rows & np.isfinite(table).all(axis=1)
    if judged.any():
        scores[judged] = trees.scores(table[judged])
    return scores


def _matrix(features: Mapping[str, Values], names: tuple[str, ...]) -> Values:
    some = next(iter(features.values()))
    unknown = np.full(len(some), np.nan)
    return np.stack([features.get(name, unknown) for name in names] or [unknown], axis=1)
