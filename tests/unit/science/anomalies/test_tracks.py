"""Scores of a residual: means over windows, and the cumulative sum."""

import numpy as np
import pytest

from enms.science.anomalies.rolling import rolling_mean, spread_of
from enms.science.anomalies.tracks import Scale, cusum


def test_a_mean_needs_half_of_its_window() -> None:
    values = np.array([1.0, np.nan, np.nan, 4.0, 6.0])
    means = rolling_mean(values, 2)
    assert np.isnan(means[[1, 2]]).all()
    assert means[[3, 4]].tolist() == [4.0, 5.0]


def test_the_spread_is_not_pulled_by_outliers() -> None:
    values = np.random.default_rng(1).normal(size=2000)
    values[:40] = 100
    assert spread_of(values) == pytest.approx(1.0, rel=0.1)
    assert spread_of(np.array([0.0, 0.0, 0.0, 0.0, 4.0])) == pytest.approx(np.sqrt(3.2))


def test_a_small_shift_shows_in_a_longer_window() -> None:
    noise = np.random.default_rng(2)
    scale = Scale.of(noise.normal(size=3000), (1, 16))
    worst, alone = scale.scores(noise.normal(size=200) + np.repeat([0.0, 1.5], 100), 1)
    assert worst[120:].mean() > 4
    assert alone[120:].mean() == pytest.approx(1.5, abs=0.3)


def test_a_residual_without_spread_has_no_scale() -> None:
    assert Scale.of(np.full(50, np.nan), (1, 2)).windows == ()


def test_the_cumulative_sum_finds_a_drift_that_no_single_hour_shows() -> None:
    z = np.random.default_rng(3).normal(size=600).clip(-2, 2)
    z[300:] += 0.8
    sums = cusum(z, 0.35)
    assert sums[:300].max() < 20
    assert sums[420] > 25


def test_the_cumulative_sum_begins_anew_when_what_it_told_of_is_over() -> None:
    z = np.concatenate([np.full(50, 5.0), np.zeros(100)])
    sums = cusum(z, 0.35)
    assert sums[49] == pytest.approx(50 * 3.65)
    assert sums[70] == 0


def test_an_hour_that_could_not_be_judged_adds_nothing() -> None:
    sums = cusum(np.array([2.0, np.nan, 2.0]), 0.5)
    assert np.isnan(sums[1])
    assert sums[2] == 3.0
