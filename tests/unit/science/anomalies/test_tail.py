"""How often a score comes of itself: the calibrated tail."""

import numpy as np
import pytest

from enms.science.anomalies.tail import Tail, calibrate, cluster_maxima, normal_tail

HOUR = 3_600
WEEK_HOURS = 168


def test_the_rate_of_a_high_score_is_what_sound_operation_shows() -> None:
    noise = np.random.default_rng(3)
    tail = calibrate(noise.exponential(size=13 * WEEK_HOURS), HOUR, join=1)
    assert tail is not None
    later = noise.exponential(size=400 * WEEK_HOURS)
    score = tail.score_of(0.5)
    seen = len(cluster_maxima(later, later > score, 1)) / 400
    assert seen == pytest.approx(0.5, rel=0.8)
    assert tail.per_week(np.array([score]))[0] == pytest.approx(0.5)


def test_faults_that_nobody_marked_do_not_raise_the_threshold() -> None:
    scores = np.random.default_rng(4).exponential(size=13 * WEEK_HOURS)
    sound = calibrate(scores, HOUR, join=2)
    scores[500:509] = 60
    scores[1500:1502] = 90
    faulty = calibrate(scores, HOUR, join=2)
    assert sound is not None
    assert faulty is not None
    assert faulty.score_of(0.1) == pytest.approx(sound.score_of(0.1), rel=0.15)


def test_too_few_peaks_are_no_tail() -> None:
    assert calibrate(np.full(500, np.nan), HOUR, join=1) is None
    assert calibrate(np.random.default_rng(5).normal(size=30), HOUR, join=1) is None


def test_neighbouring_peaks_are_one() -> None:
    scores = np.array([0, 5, 6, 0, 7, 0, 0, 0, 9], float)
    assert cluster_maxima(scores, scores > 1, 1).tolist() == [7, 9]
    assert cluster_maxima(scores, scores > 100, 1).tolist() == []


def test_what_could_not_be_judged_has_no_rate() -> None:
    rates = Tail(2.0, 4.0, 0.5).per_week(np.array([np.nan, 1.0, 2.0, 3.0]))
    assert np.isnan(rates[0])
    assert rates[1:].tolist() == pytest.approx([4.0, 4.0, 4.0 * np.exp(-2)])
    assert Tail(2.0, 4.0, 0.5).score_of(10) == 2.0


def test_the_normal_tail_is_that_of_independent_scores() -> None:
    scores = np.random.default_rng(6).normal(size=4000 * WEEK_HOURS)
    seen = (scores > 3.5).sum() / 4000
    # An exponential tail is the heavier one: it errs on the side of silence.
    assert seen <= normal_tail(HOUR).per_week(np.array([3.5]))[0] <= 3 * seen


def test_a_tail_comes_back_from_its_document() -> None:
    tail = Tail(2.5, 3.5, 0.7)
    assert Tail.from_dict(tail.as_dict()) == tail
