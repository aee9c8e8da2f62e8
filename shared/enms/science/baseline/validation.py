"""How a model does in time that it hasn't seen: contiguous blocks held out in turn, never shuffled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Flags, Positions, Values
from enms.science.baseline.observations import Observations
from enms.science.baseline.terms import Term, design_matrix
from enms.science.diagnostics.goodness import Goodness, goodness
from enms.science.diagnostics.least_squares import solve_quickly

BLOCKS = 5

# From observations to the terms that they call for: knots are found anew in each fit, as they would be.
type Recipe = Callable[[Observations], Sequence[Term]]


@dataclass(frozen=True)
class Block:
    """One block held out.

    Attributes:
        first: Position of its first observation.
        last: Position of its last one.
        goodness: Of the predictions by a model fitted to all other blocks.
    """

    first: int
    last: int
    goodness: Goodness


@dataclass(frozen=True)
class OutOfTime:
    """Predictions of every observation by models that haven't seen its block.

    Attributes:
        predicted_kwh: Of each observation; NaN where a level or driver wasn't known to the other blocks.
        goodness: Of all that there are together; of the mean, where there is none.
        blocks: Of each block.
        unpredicted: How many observations could not be predicted.
    """

    predicted_kwh: Values
    goodness: Goodness
    blocks: tuple[Block, ...]
    unpredicted: int


def block_rows(observations: int, blocks: int = BLOCKS) -> list[Positions]:
    """Rows of each block, contiguous in time and of equal length as far as can be."""
    return [rows.astype(np.int64) for rows in np.array_split(np.arange(observations), blocks)]


def out_of_time(data: Observations, recipe: Recipe, blocks: int = BLOCKS) -> OutOfTime:
    """Holds each block out in turn.

    Args:
        data: Complete observations in the order of time.
        recipe: Makes the terms from the blocks that are fitted.
        blocks: How many there are.
    """
    predicted = np.full(len(data), np.nan)
    held_out: list[Block] = []
    for rows in block_rows(len(data), blocks):
        seen = np.ones(len(data), dtype=bool)
        seen[rows] = False
        predicted[rows] = predict_rows(data, recipe, seen, rows)
        judged = rows[np.isfinite(predicted[rows])]
        if judged.size:
            measures = goodness(data.energy_kwh[judged], predicted[judged], 0)
            held_out.append(Block(int(data.positions[rows[0]]), int(data.positions[rows[-1]]), measures))
    told = np.isfinite(predicted)
    if told.any():
        measures = goodness(data.energy_kwh[told], predicted[told], 0)
    else:
        # No block knows another's levels: then there is nothing better than the mean.
        measures = goodness(data.energy_kwh, np.full(len(data), data.energy_kwh.mean()), 0)
    return OutOfTime(predicted, measures, tuple(held_out), int((~told).sum()))


def predict_rows(data: Observations, recipe: Recipe, seen: Flags, rows: Positions) -> Values:
    """What a model fitted to the rows that are seen says of others."""
    fitted = data.take(seen)
    terms = recipe(fitted)
    design = design_matrix(terms, fitted)
    # A level that occurs once among the rows that are seen has no column.
    whole = np.isfinite(design).all(axis=1)
    coefficients = solve_quickly(design[whole], fitted.energy_kwh[whole])
    predicted: Values = design_matrix(terms, data.take(rows)) @ coefficients
    return predicted
