"""A load as it was read: by instants, with its gaps."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from enms.science.arrays import Flags, Positions, Values


@dataclass(frozen=True)
class LoadSeries:
    """The past of a machine or a factory in closed steps, and what is known of the steps to come.

    Attributes:
        step_seconds: Length of a step; 86 400 stands for local days of 23 to 25 hours.
        starts_at: When the steps of the past begin, without a hole: seconds since 1970 (UTC), shape (n,).
        future_starts_at: When the steps to come begin, shape (h,); the first is the origin.
        power_kw: Mean power of each past step, NaN where it isn't known, shape (n,).
        is_flagged: Past steps that aren't to be learned from: anomalies, planned stops, shape (n,).
        zone: IANA zone of the factory.
        country: Whose holidays hold, as `holidays` knows it; None: none.
        regressors: What moves the load, past and to come, NaN where unknown, each of shape (n + h,).
        rated_power_kw: The most that the machine is built for; None where nobody told.
        quarter_peak_kw: Highest mean power of a quarter hour inside each past step, NaN where unknown,
            shape (n,); None where steps are no longer than that or nobody asked.
        stopped_share: Share of the load that planned stops take away, 0 to 1, past and to come, shape
            (n + h,); None: no stop is planned.
    """

    step_seconds: int
    starts_at: Positions
    future_starts_at: Positions
    power_kw: Values
    is_flagged: Flags
    zone: str
    country: str | None = None
    regressors: Mapping[str, Values] = field(default_factory=dict)
    rated_power_kw: float | None = None
    quarter_peak_kw: Values | None = None
    stopped_share: Values | None = None
