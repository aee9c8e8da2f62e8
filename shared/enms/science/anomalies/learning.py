"""Training: models of sound operation, and thresholds from what they hadn't seen."""

from dataclasses import replace

import numpy as np

from enms.science.anomalies.detector import Detector, Models, key
from enms.science.anomalies.deviations import Deviations, model_of, studentised_by
from enms.science.anomalies.forest import Forest, grow
from enms.science.anomalies.load import fit_load, sound_power_kw
from enms.science.anomalies.profile import season_of
from enms.science.anomalies.rules import learn_rules
from enms.science.anomalies.sensors import fit_sensors
from enms.science.anomalies.series import MachineSeries
from enms.science.anomalies.tail import Tail, calibrate, normal_tail
from enms.science.anomalies.tracks import Scale, Track
from enms.science.anomalies.views import View, features_of, view
from enms.science.arrays import Flags, Values
from enms.science.problems import UnfitError

MIN_DAYS = 14
_DAY = 86_400
# The share of known intervals that models learn from while thresholds are calibrated on the later ones.
_LEARNED = 0.6
_LOAD_WINDOWS_SECONDS = (900, 1_800, 3_600, 7_200, 14_400)
_JOIN_SECONDS = 4 * 3_600


def train(series: MachineSeries, deviations: Deviations | None, excluded: Flags) -> Detector:
    """Trains a detector on a reference window.

    Models are fitted twice: to the first part of the window, so that thresholds come from scores of later,
    unseen data, and to the whole, for use. The forest grows on the first part alone.

    Args:
        series: The machine over the reference window.
        deviations: The same held against the active baseline; None without one.
        excluded: Intervals of known anomalies and planned stops, which aren't learned from.

    Raises:
        UnfitError: There is less than two weeks with readings.
    """
    known = np.isfinite(sound_power_kw(series)) & ~excluded
    _require_history(series, known)
    split = int(np.flatnonzero(known)[int(_LEARNED * known.sum())])
    before = np.arange(len(series)) < split
    learned, unseen = known & before, ~excluded & ~before
    z = None if deviations is None else _z(series, deviations, excluded, learned)
    early = _models(series, learned, z, deviations)
    seen = view(early, series, deviations, z)
    tails = {key(track): tail for track, tail in _tails(seen, unseen, split)}
    forest, forest_tail = _forest(seen, learned, unseen)
    if forest_tail:
        tails["isolation_forest"] = forest_tail
    final = replace(_models(series, known, z, deviations), load_scale=early.load_scale)
    return Detector(
        step_seconds=series.step_seconds,
        trained_from=int(series.starts_at[0]),
        trained_to=series.end,
        models=final,
        tails=tails,
        rules=learn_rules(series),
        forest=forest,
    )


def _require_history(series: MachineSeries, known: Flags) -> None:
    days = known.sum() * series.step_seconds / _DAY
    if days < MIN_DAYS:
        raise UnfitError(
            "little-history",
            f"{days:.1f} days of sound readings, {MIN_DAYS} are needed to know what is usual: "
            f"{MIN_DAYS - days:.1f} days more.",
            days=round(float(days), 1),
            needed=MIN_DAYS,
        )


def _z(series: MachineSeries, deviations: Deviations, excluded: Flags, learned: Flags) -> Values:
    """Studentised deviations by coefficients of the learned part; NaN where excluded."""
    places = np.searchsorted(series.starts_at, deviations.starts_at, side="right") - 1
    inside = places >= 0
    places = np.clip(places, 0, None)
    z = studentised_by(deviations.comparison, inside & learned[places])
    return np.where(inside & ~excluded[places], z, np.nan)


def _models(series: MachineSeries, rows: Flags, z: Values | None, deviations: Deviations | None) -> Models:
    load = fit_load(series, rows)
    expected_kw = load.expected_kw(series) if load else np.full(len(series), np.nan)
    scale = None
    if load:
        residuals = (sound_power_kw(series) - expected_kw) / load.scatter_kw(series)
        windows = sorted({max(1, seconds // series.step_seconds) for seconds in _LOAD_WINDOWS_SECONDS})
        scale = Scale.of(np.where(rows, residuals, np.nan), windows)
    sensors = tuple(fit_sensors(series, expected_kw, rows))
    deviation = None
    if deviations is not None and z is not None:
        deviation = model_of(deviations.comparison.data.interval, z)
    season = None
    if deviations is None:
        power = np.where(rows, sound_power_kw(series), np.nan)
        season = season_of(power, series.starts_at, series.minute_of_day, series.step_seconds)
    return Models(load, scale, sensors, deviation, season)


def _tails(seen: View, unseen: Flags, split: int) -> list[tuple[Track, Tail]]:
    step = seen.series.step_seconds
    found = [(each, _tail(each, unseen, step)) for each in seen.tracks]
    if seen.deviation_tracks:
        first = seen.series.starts_at[split]
        found += [
            (each, _tail(each, seen.grid >= first, seen.grid_seconds) or _of_normal(each, seen.grid_seconds))
            for each in seen.deviation_tracks
        ]
    return [(track, tail) for track, tail in found if tail is not None]


def _tail(track: Track, rows: Flags, step_seconds: int) -> Tail | None:
    join = max(1, _JOIN_SECONDS // step_seconds)
    return calibrate(np.where(rows, track.scores, np.nan), step_seconds, join)


def _of_normal(track: Track, step_seconds: int) -> Tail | None:
    """What theory says of a studentised deviation where too few intervals were seen, as of days."""
    return normal_tail(step_seconds) if track.method == "baseline_deviation" else None


def _forest(seen: View, learned: Flags, unseen: Flags) -> tuple[Forest | None, Tail | None]:
    grown = grow(features_of(seen), learned, unseen)
    if grown is None:
        return None, None
    forest, scores = grown
    step = seen.series.step_seconds
    return forest, calibrate(scores, step, max(1, _JOIN_SECONDS // step))
