"""Energy signatures: what a baseline expects over one of its drivers, all else as it was in training."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Values
from enms.science.baseline.observations import Observations
from enms.science.baseline.terms import Hinge, Indicators, Segments, Term, column_spans


@dataclass(frozen=True)
class Signature:
    """A broken line over a driver: its ends and its bends, which are all of it.

    Attributes:
        driver: The driver.
        x: Places over its range in training, ascending.
        kwh: What is expected of an interval at each, on average over the other drivers' values.
    """

    driver: str
    x: Values
    kwh: Values


def signature(
    terms: Sequence[Term], coefficients: Values, driver: str, values: Values, mean_kwh: float
) -> Signature:
    """The line of one driver: the mean prediction over the training, had the driver been x throughout.

    (It is the partial dependence, exact since a baseline is a sum of its terms.)

    Args:
        terms: Of the baseline.
        coefficients: Its intercept first, then each column's.
        driver: A numeric driver of its terms.
        values: The driver's values in training.
        mean_kwh: The mean prediction over the training.
    """
    own = [(term, span) for term, span in column_spans(terms) if _is_of(term, driver)]
    x = np.unique(np.array([values.min(), values.max(), *_bends([term for term, _ in own], values)]))

    def contribution_kwh(at: Values) -> Values:
        data = Observations("hour", np.arange(len(at)), np.full(len(at), np.nan), {driver: at})
        parts = [term.columns(data) @ coefficients[span] for term, span in own]
        total: Values = np.sum(parts, axis=0)
        return total

    kwh: Values = mean_kwh - contribution_kwh(values).mean() + contribution_kwh(x)
    return Signature(driver, x, kwh)


def _is_of(term: Term, driver: str) -> bool:
    return not isinstance(term, Indicators) and term.driver == driver


def _bends(terms: Sequence[Term], values: Values) -> list[float]:
    """Knots inside the range of some values."""
    knots: list[float] = []
    for term in terms:
        if isinstance(term, Hinge):
            knots.append(term.knot)
        elif isinstance(term, Segments):
            knots.extend(term.knots)
    return [knot for knot in knots if values.min() < knot < values.max()]
