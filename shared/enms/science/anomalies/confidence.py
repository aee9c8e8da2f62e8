"""How probable it is that a finding is real."""

import numpy as np

# Logistic in the decades by which a finding is rarer than one false alarm a week; fitted to the findings on
# demo factories of other seeds than those that it is judged by (docs/adr/0009).
_INTERCEPT, _SLOPE = -0.7, 0.55
_MOST_DECADES = 12.0


def confidence_of(per_week: float, cap: float) -> float:
    """The probability that a finding is real.

    Args:
        per_week: Expected false alarms a week as odd as this.
        cap: What it can't pass.
    """
    decades = min(-np.log10(max(per_week, 1e-300)), _MOST_DECADES)
    return round(min(float(1 / (1 + np.exp(-(_INTERCEPT + _SLOPE * decades)))), cap), 4)
