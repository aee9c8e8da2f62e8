"""All tracks of a machine over a stretch of time, from its models."""

from dataclasses import dataclass

import numpy as np

from enms.science.anomalies.detector import Models
from enms.science.anomalies.deviations import Deviations, on_grid
from enms.science.anomalies.load import sound_power_kw
from enms.science.anomalies.profile import Expected, expected_and_scale, profile_scores
from enms.science.anomalies.series import MachineSeries
from enms.science.anomalies.tracks import Track
from enms.science.arrays import Positions, Values

_DAY_MINUTES, _WEEK_DAYS = 1_440, 7
_IDLE = 0.05
_UNKNOWN_STEP = 1e-9


@dataclass(frozen=True)
class View:
    """A machine's scores over a stretch of time.

    Attributes:
        series: The machine.
        power_kw: Measured power where it is sound.
        expected_kw: Power at the same load; NaN where unknown.
        usual_kw: What power is told beside: that, or what earlier weeks show where nothing tells the load.
        tracks: On the series' grid.
        grid: Start of each of the baseline's intervals, seconds since 1970; empty without a baseline.
        grid_seconds: Their length.
        z: Studentised deviation of each.
        deviation_tracks: On that grid.
    """

    series: MachineSeries
    power_kw: Values
    expected_kw: Values
    usual_kw: Values
    tracks: tuple[Track, ...]
    grid: Positions
    grid_seconds: int
    z: Values
    deviation_tracks: tuple[Track, ...]

    def z_of_intervals(self) -> Values:
        """The studentised deviation of the baseline's interval that each interval lies in."""
        if not len(self.grid):
            return np.full(len(self.series), np.nan)
        places = np.searchsorted(self.grid, self.series.starts_at, side="right") - 1
        inside = (places >= 0) & (self.series.starts_at - self.grid[places] < self.grid_seconds)
        z: Values = np.where(inside, self.z[places], np.nan)
        return z


def view(models: Models, series: MachineSeries, deviations: Deviations | None, z: Values | None) -> View:
    """Computes a machine's tracks.

    Args:
        models: What is known of the machine.
        series: The machine.
        deviations: Held against its baseline; None without one.
        z: Their studentised deviations.
    """
    power_kw = sound_power_kw(series)
    load = models.load
    expected_kw = load.expected_kw(series) if load else np.full(len(series), np.nan)
    tracks: list[Track] = []
    if load and load.tells_load and models.load_scale:
        residuals = (power_kw - expected_kw) / load.scatter_kw(series)
        tracks += [
            Track(family, "load_model", "power_kw", sign, *models.load_scale.scores(residuals, sign))
            for family, sign in (("power_up", 1), ("power_down", -1))
        ]
    usual_kw = expected_kw
    if models.season:
        clock = (series.starts_at, series.minute_of_day, series.step_seconds)
        profile = expected_and_scale(power_kw, *clock, models.season)
        tracks += _profile_tracks(power_kw, profile, series.step_seconds)
        usual_kw = expected_kw if load and load.tells_load else profile.value
    for sensor in models.sensors:
        if sensor.name in series.sensors:
            tracks += sensor.tracks(series, expected_kw)
    grid, placed, by_baseline, seconds = np.zeros(0, np.int64), np.zeros(0), [], 0
    if models.deviation and deviations is not None and z is not None:
        grid, placed = on_grid(series, deviations, z)
        by_baseline, seconds = models.deviation.tracks(placed), deviations.seconds
    return View(
        series, power_kw, expected_kw, usual_kw, tuple(tracks), grid, seconds, placed, tuple(by_baseline)
    )


def features_of(seen: View) -> dict[str, Values]:
    """What the forest looks at, by name; sensors that aren't there make no feature."""
    series, power = seen.series, seen.power_kw
    with np.errstate(invalid="ignore", divide="ignore"):
        against_usual = 100 * (power - seen.expected_kw) / np.maximum(np.abs(seen.expected_kw), _UNKNOWN_STEP)
        is_idle = series.running_share < _IDLE
        makes = series.production_count > 0
    cycle = series.time_of_day
    week = 2 * np.pi * (series.weekday + series.minute_of_day / _DAY_MINUTES) / _WEEK_DAYS
    found = {
        "power_kw": power,
        "power_against_load_kw": power - seen.expected_kw,
        "ramp_kw": _step(power),
        "deviation_sigma": seen.z_of_intervals(),
        "sec_against_usual_percent": np.where(makes, against_usual.clip(-200, 200), 0.0),
        "standby_power_kw": np.where(is_idle, power - seen.expected_kw, 0.0),
        "mode_change": np.abs(_step(series.running_share)),
        "time_of_day_sin": cycle[:, 0],
        "time_of_day_cos": cycle[:, 1],
        "time_of_week_sin": np.sin(week),
        "time_of_week_cos": np.cos(week),
    }
    for track in seen.tracks:
        if track.family.startswith("sensor:") and track.sign > 0:
            found[f"{track.metric}_sigma"] = track.z
    return found


def _profile_tracks(power_kw: Values, profile: Expected, step_seconds: int) -> list[Track]:
    """Power against the same hours of earlier days or weeks, more and less."""
    rows = profile_scores(power_kw, profile, step_seconds)
    return [
        Track(family, "power_profile", "power_kw", sign, np.fmax.reduce(sign * rows), sign * rows[0])
        for family, sign in (("power_up", 1), ("power_down", -1))
    ]


def _step(values: Values) -> Values:
    steps: Values = np.concatenate([[np.nan], np.diff(values)])
    return steps
