"""Histograms: Freedman and Diaconis' bins as numpy has them, never too many, and none lost."""

import numpy as np
import pytest

from enms.science.arrays import Values
from enms.science.diagnostics.histogram import MOST_BINS, histogram


def test_bins_are_those_of_freedman_and_diaconis() -> None:
    values = np.random.default_rng(1).normal(size=400)
    found = histogram(values)
    counts, edges = np.histogram(values, "fd")
    np.testing.assert_array_equal(found.counts, counts)
    np.testing.assert_allclose(found.edges, edges)


@pytest.mark.parametrize(
    ("values", "bins"),
    [
        (np.append(np.random.default_rng(2).normal(size=5_000), 1e6), MOST_BINS),
        (np.append(np.zeros(99), 1.0), MOST_BINS),
        (np.zeros(50), 1),
        (np.array([3.0]), 1),
        (np.array([1.0, 2.0]), 2),
    ],
)
def test_every_value_is_in_one_of_a_few_bins(values: Values, bins: int) -> None:
    found = histogram(values)
    assert len(found.counts) == bins
    assert len(found.edges) == bins + 1
    assert found.counts.sum() == len(values)
    assert found.edges[0] <= values.min() <= values.max() <= found.edges[-1]
