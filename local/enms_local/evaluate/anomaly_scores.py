"""How odd each interval of a file is: against its profile, and to an Isolation Forest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from enms.science.anomalies.findings import Method
from enms.science.anomalies.profile import (
    SPANS_SECONDS,
    Expected,
    Season,
    expected_and_scale,
    seasons_at,
    span_means,
)
from enms.science.anomalies.rolling import rolling_mean
from enms.science.arrays import Positions, Values
from enms_local.evaluate.anomaly_file import AnomalyFile
from enms_local.evaluate.anomaly_flat import longest_usual, still_for
from enms_local.evaluate.anomaly_rates import Spell, rates, spells

_PROFILES: tuple[Method, ...] = tuple("power_profile" for _ in SPANS_SECONDS)
METHODS: tuple[Method, ...] = (*_PROFILES, "isolation_forest", "rule")
_HOUR = 3_600
_DAY = 24 * _HOUR
_FEW_HOURS = SPANS_SECONDS[1]
_TREES = 200
_SEED = 0
_LEAST_ROWS = 100
# Of a standstill that is far longer than any before.
_STILL_PER_WEEK = 1 / 52


@dataclass(frozen=True)
class Judged:
    """Each interval of a file as the detectors see it.

    Attributes:
        rates: Expected false alarms a week: a row for each of `METHODS`; NaN where one can't tell.
        expected: What was to be expected of the quantity.
        spans: Distance from that in standard deviations with its sign, for each of `SPANS_SECONDS`.
        lately: The same over the last hour.
        seasons: What repeats, as far as history tells, in the order in which it was found.
    """

    rates: Values
    expected: Values
    spans: Values
    lately: Values
    seasons: tuple[Season, ...]

    @property
    def per_week(self) -> Values:
        """Of all detectors together; NaN where none can tell.

        Were they independent, each would add its own false alarms; did they say the same, none would. Midway
        between the two is the root of their number.
        """
        known = np.isfinite(self.rates)
        least = np.where(known, self.rates, np.inf).min(axis=0)
        return np.where(known.any(axis=0), least, np.nan) * np.sqrt(known.sum(axis=0))

    @property
    def methods(self) -> Positions:
        """Place in `METHODS` of the detector that sees each interval most clearly."""
        places: Positions = np.where(np.isfinite(self.rates), self.rates, np.inf).argmin(axis=0)
        return places


def judge(file: AnomalyFile, values: Values) -> Judged:
    """Judges each interval by those before it.

    Args:
        file: The intervals.
        values: The quantity, or what drivers leave of it.
    """
    parts = tuple(spells(file.training, len(values), file.step_seconds))
    seasons = seasons_at(
        values, file.starts_at, file.minute_of_day, file.step_seconds, [part.known for part in parts]
    )
    by_season = {season: _by(season, file, values, parts) for season in dict.fromkeys(seasons)}
    chosen = [by_season[season] for season in seasons]

    def joined(name: str) -> Values:
        pieces = [
            getattr(each, name)[..., part.start : part.end] for each, part in zip(chosen, parts, strict=True)
        ]
        return np.concatenate(pieces, axis=-1)

    return Judged(
        joined("rates"),
        joined("expected"),
        joined("spans"),
        joined("lately"),
        tuple(season for season, _ in groupby(seasons)),
    )


def _by(season: Season, file: AnomalyFile, values: Values, parts: Sequence[Spell]) -> Judged:
    step = file.step_seconds
    expected = expected_and_scale(values, file.starts_at, file.minute_of_day, step, season)
    spans = span_means(values, expected, step)
    isolation = _isolation(_features(file, values, expected, season), file.training)
    scores = [*np.abs(spans), isolation]
    return Judged(
        np.stack([*(rates(each, parts, step) for each in scores), _still(file, parts)]),
        expected.value,
        spans,
        rolling_mean(spans[0], max(_HOUR // step, 1)),
        (season,),
    )


def _features(file: AnomalyFile, values: Values, expected: Expected, season: Season) -> Mapping[str, Values]:
    """What the forest looks at; the time of day only where something repeats with it."""
    few_hours = max(_FEW_HOURS // file.step_seconds, 2)
    mean = rolling_mean(values, few_hours)
    around = values - expected.value
    variance = rolling_mean(around**2, few_hours) - rolling_mean(around, few_hours) ** 2
    found = {
        "value": values,
        "residual": around,
        "mean_few_hours": mean,
        "std_few_hours": np.sqrt(np.maximum(variance, 0)),
        "ramp": np.concatenate([[np.nan], np.diff(values)]),
        "mean_day": rolling_mean(values, max(_DAY // file.step_seconds, 1)),
    }
    if season != "none":
        angle = 2 * np.pi * (file.clock % _DAY) / _DAY
        found |= {"time_of_day_sin": np.sin(angle), "time_of_day_cos": np.cos(angle)}
    return found


def _still(file: AnomalyFile, parts: Sequence[Spell]) -> Values:
    """The rate of each interval in which the quantity hangs; NaN elsewhere."""
    still = still_for(file.values)
    found = np.full(len(still), np.nan)
    for part in parts:
        rows = slice(part.start, part.end)
        hangs = still[rows] > longest_usual(still[: part.known], file.step_seconds)
        found[rows][hangs] = _STILL_PER_WEEK
    return found


def _isolation(features: Mapping[str, Values], training: int) -> Values:
    """How easily a forest of the training isolates each interval, 0 to 1; NaN where it can't be told."""
    from sklearn.ensemble import IsolationForest

    table = np.stack(list(features.values()), axis=1)
    known = np.isfinite(table).all(axis=1)
    learned = table[:training][known[:training]]
    scores = np.full(len(table), np.nan)
    if len(learned) < _LEAST_ROWS:
        return scores
    model = IsolationForest(n_estimators=_TREES, random_state=_SEED).fit(learned)
    scores[known] = -model.score_samples(table[known])
    return scores
