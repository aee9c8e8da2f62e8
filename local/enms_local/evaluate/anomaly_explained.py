"""What drivers leave unexplained of a quantity: a regression that a few odd rows don't move."""

import numpy as np

from enms.errors import InvalidInputError
from enms.science.arrays import Values
from enms_local.evaluate.anomaly_file import AnomalyFile

_ROUNDS = 20
# Huber's constant: 95 % efficient on normal errors.
_HUBER = 1.345
_MAD_TO_STD = 1.4826
# Against drivers that tell the same: small against n.
_RIDGE = 1e-3
_LEAST_ROWS_A_DRIVER = 10


def unexplained(file: AnomalyFile) -> Values:
    """The quantity less what its drivers explain, as training tells; where a driver is unknown NaN.

    Raises:
        InvalidInputError: A driver tells nothing in training, or too little is known of all.
    """
    if not file.drivers:
        return file.values
    columns = np.stack(list(file.drivers.values()), axis=1)
    known = np.isfinite(columns).all(axis=1) & np.isfinite(file.values)
    rows = known & (np.arange(len(known)) < file.training)
    least = _LEAST_ROWS_A_DRIVER * columns.shape[1]
    if rows.sum() < least:
        raise InvalidInputError(
            f"{rows.sum()} intervals of training know target and drivers; {columns.shape[1]} drivers need "
            f"at least {least}."
        )
    centre, spread = columns[rows].mean(axis=0), columns[rows].std(axis=0)
    for name, size in zip(file.drivers, spread, strict=True):
        if size == 0:
            raise InvalidInputError(
                f"{name} is the same in every interval of training, so it explains nothing: leave it out."
            )
    design = (columns - centre) / spread
    coefficients = _robust_fit(design[rows], file.values[rows])
    left: Values = file.values - design @ coefficients
    return left


def _robust_fit(design: Values, values: Values) -> Values:
    """Huber's M-estimate by weighted least squares, over and over; the intercept stays in what is left."""
    count, width = design.shape
    weights = np.ones(count)
    coefficients = np.zeros(width)
    for _ in range(_ROUNDS):
        centre = np.average(design, axis=0, weights=weights)
        middle = np.average(values, weights=weights)
        shifted, target = design - centre, values - middle
        normal = (shifted * weights[:, None]).T @ shifted + _RIDGE * count * np.eye(width)
        coefficients = np.linalg.solve(normal, (shifted * weights[:, None]).T @ target)
        errors = target - shifted @ coefficients
        scale = _MAD_TO_STD * float(np.median(np.abs(errors - np.median(errors))))
        if scale == 0:
            break
        weights = np.minimum(1, _HUBER * scale / np.maximum(np.abs(errors), 1e-300))
    return coefficients
