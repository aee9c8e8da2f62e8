"""What an episode of power is taken for: by its length, and by how the extra power goes with the load."""

import numpy as np

from enms.science.anomalies.findings import Kind
from enms.science.arrays import Values

_LONGEST_SPIKE_SECONDS = 2.25 * 3_600
_IDLE = 0.05
_LEAST_INTERVALS = 3
_HEIGHT_QUANTILE = 0.8


def power_kind(step_seconds: int, extra_kw: Values, expected_kw: Values, running_share: Values) -> Kind:
    """The kind of an episode of more power than expected.

    A load left on adds the same while idle and running, or while idle only; a machine that works worse adds
    in proportion to its load. What explains the extra power best, in least squares, names it; both may grow.

    Args:
        step_seconds: Length of an interval.
        extra_kw: Power less expected power of its intervals; NaN where unknown.
        expected_kw: What was expected.
        running_share: Share of the time running; NaN where unknown.
    """
    known = np.isfinite(extra_kw) & np.isfinite(expected_kw)
    extra, expected = extra_kw[known], expected_kw[known]
    if step_seconds * _equivalent_intervals(extra) <= _LONGEST_SPIKE_SECONDS:
        return "power_spike"
    if len(extra) < _LEAST_INTERVALS:
        return "efficiency_drop"
    running = np.nan_to_num(running_share[known], nan=1.0)
    if (running < _IDLE).all():
        return "baseload_increase"
    growth = np.arange(1, len(extra) + 1) / len(extra)
    left_on = (np.ones(len(extra)), 1 - running, growth)
    works_worse = (expected, expected * running, expected * growth)
    constant, proportional = (
        min(_misfit(extra, shape) for shape in shapes) for shapes in (left_on, works_worse)
    )
    return "baseload_increase" if constant < proportional else "efficiency_drop"


def _equivalent_intervals(extra: Values) -> float:
    """Intervals at its height that make up all the extra: the ends of an episode are known by hours only."""
    if not len(extra):
        return 0.0
    height = float(np.quantile(extra, _HEIGHT_QUANTILE))
    return float(np.maximum(extra, 0).sum()) / height if height > 0 else float(len(extra))


def _misfit(extra: Values, shape: Values) -> float:
    """Sum of squares that is left over by a multiple of a shape."""
    size = float(shape @ shape)
    slope = max(float(shape @ extra) / size, 0.0) if size else 0.0
    return float(((extra - slope * shape) ** 2).sum())
