"""How odd is odd enough: the false alarms that a machine may make."""

from dataclasses import dataclass

WARNINGS_PER_WEEK = 1.0
CRITICALS_PER_WEEK = 12 / 52
# Of the budget, what thresholds aim at: one from a few weeks of operation may be off several times over.
_AIM = 0.05
# Without a budget: what 2 σ and 3 σ of a normal distribution come to, a week of hours.
_UNBUDGETED_WARNINGS_PER_WEEK = 168 * 0.0228
_UNBUDGETED_CRITICALS_PER_WEEK = 168 * 0.00135


@dataclass(frozen=True)
class Budget:
    """Expected false alarms a week, of all detectors of a machine together, at which an interval is odd.

    Attributes:
        warning_per_week: At most so many for a warning.
        critical_per_week: At most so many for a critical one.
    """

    warning_per_week: float
    critical_per_week: float


DEFAULT = Budget(_AIM * WARNINGS_PER_WEEK, _AIM * CRITICALS_PER_WEEK)
NONE = Budget(_UNBUDGETED_WARNINGS_PER_WEEK, _UNBUDGETED_CRITICALS_PER_WEEK)
