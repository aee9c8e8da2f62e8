"""Boosted regression trees as arrays: scikit-learn grows them, a forecast needs numpy only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from enms.science.arrays import Values

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

_TYPES: Mapping[str, type[np.generic]] = {
    "roots": np.int32,
    "left": np.int32,
    "right": np.int32,
    "feature": np.int16,
    "threshold": np.float64,
    "unknown_left": np.bool_,
    "value": np.float64,
}


@dataclass(frozen=True)
class BoostedTrees:
    """All nodes of all trees, one after the other.

    Attributes:
        roots: Place of each tree's root.
        left: Where a row goes whose value is at most the threshold; of a leaf its own place.
        right: Where it goes otherwise; of a leaf its own place.
        feature: The column that a node splits by.
        threshold: Of a leaf 0.
        unknown_left: Whether a row goes left whose value isn't known.
        value: Of a leaf, what it adds.
        base: What all rows begin with.
        levels: Depth of the deepest tree.
    """

    roots: npt.NDArray[np.int32]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int16]
    threshold: Values
    unknown_left: npt.NDArray[np.bool_]
    value: Values
    base: float
    levels: int

    @classmethod
    def of(cls, model: "HistGradientBoostingRegressor") -> Self:
        """The trees of a fitted model; its columns are numbers without gaps."""
        # scikit-learn has no public way to its nodes; a test holds what is read here against its predictions.
        trees = [stage[0].nodes for stage in model._predictors]
        roots = np.cumsum([0, *(len(each) for each in trees)])[:-1]
        first = np.repeat(roots, [len(each) for each in trees])
        nodes = np.concatenate(trees)
        place = np.arange(len(nodes))
        is_leaf = nodes["is_leaf"].astype(bool)
        return cls(
            roots.astype(np.int32),
            np.where(is_leaf, place, nodes["left"] + first).astype(np.int32),
            np.where(is_leaf, place, nodes["right"] + first).astype(np.int32),
            np.where(is_leaf, 0, nodes["feature_idx"]).astype(np.int16),
            np.where(is_leaf, 0.0, nodes["num_threshold"]),
            nodes["missing_go_to_left"].astype(bool),
            np.where(is_leaf, nodes["value"], 0.0),
            float(np.asarray(model._baseline_prediction).ravel()[0]),
            int(nodes["depth"].max()),
        )

    def predict(self, table: Values) -> Values:
        """What the trees say of each row, shape (n,)."""
        at = np.broadcast_to(self.roots, (len(table), len(self.roots)))
        rows = np.arange(len(table))[:, None]
        for _ in range(self.levels):
            values = table[rows, self.feature[at]]
            goes_left = (values <= self.threshold[at]) | (np.isnan(values) & self.unknown_left[at])
            at = np.where(goes_left, self.left[at], self.right[at])
        said: Values = self.base + self.value[at].sum(axis=1)
        return said

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {name: np.asarray(value).tolist() for name, value in vars(self).items()}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Of a document."""
        arrays = {name: np.array(document[name], dtype=kind) for name, kind in _TYPES.items()}
        # Loosely typed, since the fields' types differ.
        fields: dict[str, Any] = {
            **arrays,
            "base": float(document["base"]),
            "levels": int(document["levels"]),
        }
        return cls(**fields)
