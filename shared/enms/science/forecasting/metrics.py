"""How far forecasts were off, without units where machines are compared."""

import numpy as np

from enms.science.arrays import Flags, Values


def naive_scale(power_kw: Values, season: int, known: Flags | None = None) -> float:
    """Mean absolute error of the seasonal naive inside a training window: the scale of MASE.

    Hyndman & Koehler (2006), Another look at measures of forecast accuracy.

    Args:
        power_kw: The window's past, shape (n,).
        season: Steps of the season.
        known: Steps that were measured; both ends of a difference have to be. None: all.

    Returns:
        The scale in kW; NaN where no difference is known.
    """
    errors = np.abs(power_kw[season:] - power_kw[:-season])
    if known is not None:
        errors = errors[known[season:] & known[:-season]]
    return float(errors.mean()) if len(errors) else float("nan")


def mase(errors_kw: Values, scale_kw: float) -> float:
    """Mean absolute scaled error; errors that are NaN don't count."""
    return _mean(np.abs(errors_kw)) / scale_kw if scale_kw > 0 else float("nan")


def mape_percent(actual_kw: Values, forecast_kw: Values, least_kw: float = 0.0) -> float:
    """Mean absolute percentage error over steps whose load is above a least one.

    Args:
        actual_kw: What came, NaN where unknown.
        forecast_kw: What was foretold.
        least_kw: Loads up to this don't count: a share of nearly nothing tells nothing.
    """
    counts = actual_kw > max(least_kw, 0.0)
    return 100 * _mean(np.abs(forecast_kw[counts] - actual_kw[counts]) / actual_kw[counts])


def smape_percent(actual_kw: Values, forecast_kw: Values) -> float:
    """Symmetric mean absolute percentage error, 0 to 200; steps where both are nothing count as met."""
    both = np.abs(actual_kw) + np.abs(forecast_kw)
    shares = np.where(both > 0, 2 * np.abs(forecast_kw - actual_kw) / np.where(both > 0, both, 1), 0 * both)
    return 100 * _mean(shares)


def bias_kw(actual_kw: Values, forecast_kw: Values) -> float:
    """Mean of forecast less truth: above zero where too much was foretold."""
    return _mean(forecast_kw - actual_kw)


def coverage(actual_kw: Values, lower_kw: Values, upper_kw: Values) -> float:
    """Share of the known steps that lay inside their band, ends included."""
    known = ~np.isnan(actual_kw)
    return _mean(((actual_kw >= lower_kw) & (actual_kw <= upper_kw))[known].astype(np.float64))


def _mean(values: Values) -> float:
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else float("nan")
