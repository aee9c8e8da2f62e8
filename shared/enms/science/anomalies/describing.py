"""A span of odd intervals as an episode: what it is, how bad, and why."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from enms.science.anomalies.budget import Budget
from enms.science.anomalies.confidence import confidence_of
from enms.science.anomalies.detector import Detector
from enms.science.anomalies.deviations import Deviations
from enms.science.anomalies.findings import Contribution, Episode, Kind, Severity
from enms.science.anomalies.kinds import power_kind
from enms.science.anomalies.rules import Strike
from enms.science.anomalies.spans import Span
from enms.science.anomalies.views import View, features_of
from enms.science.arrays import Flags, Values
from enms.science.baseline.deviation import Total, total_of

_ONGOING_SECONDS = 3 * 3_600
_CRITICAL_GAP_SECONDS = 86_400
_LASTING_SECONDS = 7 * 86_400
_WARNING_SIGMA, _CRITICAL_SIGMA = 2.0, 3.0
_MOST_CONTRIBUTIONS = 6
_LEAST_SHARE = 0.02
# Further out, a feature says no more.
_MOST_SIGMA = 10.0
_TEMPERATURES = ("temp",)
_RULE_PER_WEEK, _RULE_CONFIDENCE = 0.02, 0.95


@dataclass(frozen=True)
class Evidence:
    """What episodes are described from.

    Attributes:
        detector: Of the machine.
        seen: Its scores.
        deviations: Held against the baseline; None without one.
        limits: The false-alarm budget.
    """

    detector: Detector
    seen: View
    deviations: Deviations | None
    limits: Budget

    @cached_property
    def features(self) -> dict[str, Values]:
        """The forest's features."""
        return features_of(self.seen)

    def rows(self, start: int, end: int) -> Flags:
        """The series' intervals in [start, end)."""
        at = self.seen.series.starts_at
        inside: Flags = (at >= start) & (at < end)
        return inside

    def total(self, start: int, end: int) -> Total | None:
        """The deviation from the baseline over [start, end), by whole intervals; None where there is none."""
        if self.deviations is None:
            return None
        at, seconds = self.deviations.starts_at, self.deviations.seconds
        inside = (at + seconds > start) & (at < end)
        return total_of(self.deviations.comparison, inside) if inside.any() else None


def described(evidence: Evidence, span: Span) -> Episode | None:
    """The episode of a span; None where as a whole it is nothing odd."""
    total = evidence.total(span.start, span.end) if span.family.startswith("power") else None
    if total is not None and _by_deviation(span) and abs(total.z) < _WARNING_SIGMA:
        return None
    metric, value, expected, sigma = _metric(evidence, span, total)
    rows = evidence.rows(span.start, span.end)
    return Episode(
        start=span.start,
        end=span.end,
        is_ongoing=evidence.seen.series.end - span.end <= _ONGOING_SECONDS,
        kind=_kind(evidence, span, rows),
        severity=_severity(evidence, span, total),
        methods=tuple(dict.fromkeys(track.method for track in span.tracks)),
        metric_name=metric,
        metric_value=value,
        expected_value=expected,
        sigma=sigma,
        confidence=confidence_of(span.per_week, evidence.detector.confidence_cap),
        false_alarms_per_week=span.per_week,
        peak_at=span.peak_at,
        deviation_kwh=_deviation_kwh(evidence, rows, total),
        contributions=_contributions(evidence, rows),
        is_lasting=span.family.startswith("power") and span.end - span.start >= _LASTING_SECONDS,
    )


def rule_episode(evidence: Evidence, strike: Strike) -> Episode:
    """The episode of a run that a rule strikes."""
    series = evidence.seen.series
    start = int(series.starts_at[strike.first])
    end = int(series.starts_at[strike.end - 1]) + series.step_seconds
    kind: Kind = "data_gap" if strike.kind == "data_gap" else "sensor_fault"
    values = series.covered_share if kind == "data_gap" else _values(evidence, strike.metric)
    value = _mean(values[strike.first : strike.end])
    severity: Severity = "critical" if end - start >= _CRITICAL_GAP_SECONDS else "warning"
    return Episode(
        start=start,
        end=end,
        is_ongoing=series.end - end <= series.step_seconds,
        kind=kind,
        severity=severity,
        methods=("rule",),
        metric_name=strike.metric,
        metric_value=value,
        expected_value=1.0 if kind == "data_gap" else None,
        sigma=None,
        confidence=_RULE_CONFIDENCE,
        false_alarms_per_week=_RULE_PER_WEEK,
        peak_at=start,
        deviation_kwh=None,
        contributions=(Contribution(strike.metric, 1.0, value, None, None),),
    )


def _by_deviation(span: Span) -> bool:
    return all(track.method in ("baseline_deviation", "cusum") for track in span.tracks)


def _severity(evidence: Evidence, span: Span, total: Total | None) -> Severity:
    is_rare = span.per_week <= evidence.limits.critical_per_week
    is_large = total is None or not _by_deviation(span) or abs(total.z) >= _CRITICAL_SIGMA
    return "critical" if is_rare and is_large else "warning"


def _kind(evidence: Evidence, span: Span, rows: Flags) -> Kind:
    if span.family == "power_down":
        return "power_drop"
    if span.family == "power_up":
        seen = evidence.seen
        extra = seen.power_kw - seen.usual_kw
        running = seen.series.running_share
        return power_kind(seen.series.step_seconds, extra[rows], seen.usual_kw[rows], running[rows])
    name = span.family.removeprefix("sensor:")
    if name.startswith("pressure"):
        return "pressure_anomaly"
    if span.family != "pattern" and any(word in name for word in _TEMPERATURES):
        return "temperature_spike"
    return "unusual_pattern"


def _metric(
    evidence: Evidence, span: Span, total: Total | None
) -> tuple[str, float | None, float | None, float | None]:
    """Name, value, expected value and σ of what is told of a span."""
    rows = evidence.rows(span.start, span.end)
    lead = span.tracks[0]
    if total is not None and any(track.metric == "energy_kwh" for track in span.tracks):
        return "energy_kwh", total.actual_kwh, total.predicted_kwh, total.z
    seen = evidence.seen
    if span.family.startswith("power") or span.family == "pattern":
        power, expected = _mean(seen.power_kw[rows]), _mean(seen.usual_kw[rows])
        return "power_kw", power, expected, _peak(lead.z, rows, lead.sign)
    name = span.family.removeprefix("sensor:")
    model = next(each for each in evidence.detector.models.sensors if each.name == name)
    if lead.metric.endswith("_variation"):
        return (
            lead.metric,
            _mean(seen.series.sensor_spread[name][rows]),
            model.spread_level,
            _peak(lead.z, rows),
        )
    expected_value = _mean(model.expected(seen.series, seen.expected_kw)[rows])
    return name, _mean(seen.series.sensors[name][rows]), expected_value, _peak(lead.z, rows, lead.sign)


def _deviation_kwh(evidence: Evidence, rows: Flags, total: Total | None) -> float | None:
    """Energy more than expected: by the quarter hours' load where they tell it, else by the baseline."""
    seen = evidence.seen
    extra_kw = (seen.power_kw - seen.usual_kw)[rows]
    if np.isfinite(extra_kw).any():
        return float(np.nansum(extra_kw)) * seen.series.step_seconds / 3_600
    return total.deviation_kwh if total is not None else None


def _contributions(evidence: Evidence, rows: Flags) -> tuple[Contribution, ...]:
    """Features by the square of their distance from what is usual, those of time left out."""
    forest = evidence.detector.forest
    if forest is None:
        return ()
    found = []
    for name, centre, spread in zip(
        forest.features, forest.centres.tolist(), forest.spreads.tolist(), strict=True
    ):
        value = _mean(evidence.features[name][rows])
        if name.startswith("time_of") or value is None or spread <= 0:
            continue
        found.append((name, value, centre, (value - centre) / spread))
    weights = [min(abs(sigma), _MOST_SIGMA) ** 2 for *_, sigma in found]
    whole = sum(weights) or 1.0
    parts = [
        Contribution(name, weight / whole, value, centre, sigma)
        for weight, (name, value, centre, sigma) in zip(weights, found, strict=True)
    ]
    kept = [each for each in parts if each.share >= _LEAST_SHARE]
    return tuple(sorted(kept, key=lambda each: -each.share)[:_MOST_CONTRIBUTIONS])


def _values(evidence: Evidence, metric: str) -> Values:
    series = evidence.seen.series
    return series.power_kw if metric == "power_kw" else series.sensors[metric]


def _mean(values: Values) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def _peak(z: Values, rows: Flags, sign: int = 1) -> float | None:
    if len(z) != len(rows):
        return None
    known = z[rows & np.isfinite(z)]
    return sign * float(known.max()) if len(known) else None
