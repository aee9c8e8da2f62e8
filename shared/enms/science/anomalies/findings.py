"""What detection finds: episodes, each with its kind, severity and reasons."""

from dataclasses import dataclass
from typing import Literal

type Kind = Literal[
    "power_spike",
    "power_drop",
    "efficiency_drop",
    "baseload_increase",
    "pressure_anomaly",
    "temperature_spike",
    "unusual_pattern",
    "sensor_fault",
    "data_gap",
]
type Severity = Literal["warning", "critical"]
type Method = Literal[
    "baseline_deviation", "cusum", "isolation_forest", "load_model", "power_profile", "sensor", "rule"
]


@dataclass(frozen=True)
class Contribution:
    """What one feature has to do with an episode.

    Attributes:
        feature: Its name, with its unit.
        share: Of the whole, 0 to 1; those of an episode sum up to 1.
        value: Mean over the episode.
        expected_value: What is usual.
        sigma: Distance in standard deviations, with its sign.
    """

    feature: str
    share: float
    value: float | None
    expected_value: float | None
    sigma: float | None


@dataclass(frozen=True)
class Episode:
    """Adjoining odd intervals.

    Attributes:
        start: First odd instant, seconds since 1970.
        end: The instant after the last odd interval that was seen.
        is_ongoing: Whether it reaches to the end of the data (as far as odd intervals join).
        kind: What it is taken for.
        severity: The worst that it came to.
        methods: Detectors that saw it, the one that saw it most clearly first.
        metric_name: What is told of it: `energy_kwh`, `power_kw`, a sensor's name, `covered_share`.
        metric_value: Mean over the episode (of energy: the sum).
        expected_value: The same of what was expected.
        sigma: Distance of the two in standard errors of the episode's mean, with its sign.
        confidence: Probability that something is really wrong, 0 to 1.
        false_alarms_per_week: How often the machine, sound, would show something as odd.
        peak_at: Start of the oddest interval.
        deviation_kwh: Energy used more (less, where negative) than expected; None where nothing tells it.
        contributions: Features that drove it, the strongest first.
        is_lasting: Whether the level changed for good, so that a new baseline is due.
    """

    start: int
    end: int
    is_ongoing: bool
    kind: Kind
    severity: Severity
    methods: tuple[Method, ...]
    metric_name: str
    metric_value: float | None
    expected_value: float | None
    sigma: float | None
    confidence: float
    false_alarms_per_week: float
    peak_at: int
    deviation_kwh: float | None
    contributions: tuple[Contribution, ...]
    is_lasting: bool = False

    @property
    def deviation_percent(self) -> float | None:
        """Of the expected value; None where that is unknown or nothing."""
        if self.metric_value is None or not self.expected_value:
            return None
        return 100 * (self.metric_value - self.expected_value) / abs(self.expected_value)
