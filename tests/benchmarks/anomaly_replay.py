"""A month as the hourly job lives it: hour by hour, keeping what each run finds as the service keeps it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.anomaly_factory import FactoryCase
from benchmarks.anomaly_judgement import Detect
from benchmarks.anomaly_series import HOUR_SECONDS
from enms.science.anomalies.findings import Episode, Severity
from enms.services.anomaly_matching import is_own

_JOIN = timedelta(hours=2)


@dataclass
class _Kept:
    """An episode as it is kept, grown by every run that found it again."""

    episode: Episode

    @property
    def row(self) -> dict[str, Any]:
        return {
            "anomaly_type": self.episode.kind,
            "metric_name": self.episode.metric_name,
            "detected_at": datetime.fromtimestamp(self.episode.start, UTC),
            "last_seen_at": datetime.fromtimestamp(self.episode.end, UTC),
        }

    def grow(self, found: Episode) -> None:
        start, end = min(self.episode.start, found.start), max(self.episode.end, found.end)
        severity: Severity = (
            "critical" if "critical" in (self.episode.severity, found.severity) else "warning"
        )
        self.episode = replace(found, start=start, end=end, severity=severity)


def replayed(case: FactoryCase, detect: Detect) -> list[Episode]:
    """The episodes that a month of hourly runs leaves, when nobody deals with any."""
    kept: list[_Kept] = []
    for hour_end in range(case.tested_from + HOUR_SECONDS, case.series.end + 1, HOUR_SECONDS):
        for found in detect(case, hour_end - HOUR_SECONDS, hour_end, hour_end):
            fresh = _Kept(found)
            same = [each for each in kept if is_own(each.row, fresh.row, _JOIN)]
            if not same:
                kept.append(fresh)
                continue
            first, *others = same
            first.grow(found)
            for other in others:
                first.grow(replace(found, start=other.episode.start, end=other.episode.end))
                kept.remove(other)
    return [each.episode for each in kept]
