"""How near a model comes to what was measured."""

from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Values


@dataclass(frozen=True)
class Goodness:
    """Measures of one set of predictions.

    Attributes:
        observations: n.
        parameters: p, knots that were searched included; 0 for data that the model was not fitted to.
        r_squared: 1 - SSE ÷ sum of squares about the mean; may be negative out of sample.
        adjusted_r_squared: The same per degree of freedom.
        rmse: √(SSE ÷ (n - p)), kWh per interval; with p = 0 the plain root mean square.
        mae: Mean absolute error, kWh per interval.
        cv_rmse_percent: 100 · rmse ÷ mean.
        nmbe_percent: 100 · Σ(actual - predicted) ÷ ((n - p) · mean): above 0 where too little is predicted.

    With a mean of zero (a block in which nothing ran) the last two are infinite, unless nothing was missed.

    Source: ASHRAE Guideline 14-2014, equations 5-4 to 5-7.
    """

    observations: int
    parameters: int
    r_squared: float
    adjusted_r_squared: float
    rmse: float
    mae: float
    cv_rmse_percent: float
    nmbe_percent: float


def goodness(actual: Values, predicted: Values, parameters: int) -> Goodness:
    """The measures.

    Args:
        actual: n measured values.
        predicted: n predicted ones.
        parameters: p of the fit on these very values, else 0.
    """
    n = len(actual)
    errors = actual - predicted
    squared = float(errors @ errors)
    mean = float(actual.mean())
    centred = actual - mean
    total = float(centred @ centred)
    freedom = max(n - parameters, 1)
    r_squared = 1 - squared / total if total > 0 else 0.0
    spread = max(n - 1, 1)
    rmse = float(np.sqrt(squared / freedom))
    return Goodness(
        observations=n,
        parameters=parameters,
        r_squared=r_squared,
        adjusted_r_squared=1 - (1 - r_squared) * spread / freedom if parameters else r_squared,
        rmse=rmse,
        mae=float(np.abs(errors).mean()),
        cv_rmse_percent=_percent(rmse, abs(mean)),
        nmbe_percent=_percent(float(errors.sum()) / freedom, abs(mean)),
    )


def _percent(part: float, whole: float) -> float:
    if whole:
        return 100 * part / whole
    return float(np.copysign(np.inf, part)) if part else 0.0
