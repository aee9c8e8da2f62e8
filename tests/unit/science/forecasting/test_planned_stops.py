"""Stops that people planned: not learned from, and taken off what is to come."""

from dataclasses import replace

import numpy as np

from enms.science.arrays import Values
from enms.science.forecasting.clock import on_local_clock
from enms.science.forecasting.planned_stops import taken_off
from enms.science.forecasting.series import LoadSeries

HOUR = 3600
# 2026-03-28T00:00 in Berlin, whose clocks go forward a day later, and 2026-10-24, whose go back.
SPRING, AUTUMN = 1_774_652_400, 1_792_792_800
PAST, COMING = 24, 24


def _series(first: int, stopped_share: Values | None) -> LoadSeries:
    return LoadSeries(
        step_seconds=HOUR,
        starts_at=first + HOUR * np.arange(PAST, dtype=np.int64),
        future_starts_at=first + HOUR * np.arange(PAST, PAST + COMING, dtype=np.int64),
        power_kw=np.full(PAST, 40.0),
        is_flagged=np.zeros(PAST, dtype=np.bool_),
        zone="Europe/Berlin",
        stopped_share=stopped_share,
    )


def _share(*places: int, share: float = 1.0) -> Values:
    found = np.zeros(PAST + COMING)
    found[list(places)] = share
    return found


def test_without_a_stop_nothing_changes() -> None:
    point = np.array([1.0, 2.0])
    for nothing in (None, np.zeros(2)):
        remaining, notes = taken_off(point, nothing)
        assert (remaining.tolist(), notes) == ([1, 2], [])
    assert on_local_clock(_series(SPRING, None)).stopped_share is None


def test_what_a_stop_takes_away_is_missing() -> None:
    remaining, notes = taken_off(np.array([10.0, 10.0, 10.0]), np.array([0.0, 0.25, 1.0]))
    assert remaining.tolist() == [10, 7.5, 0]
    assert notes == ["A stop is planned in 2 of the 3 steps to come: it is taken off."]


def test_steps_of_a_stop_are_not_learned_from() -> None:
    window = on_local_clock(
        _series(SPRING, _share(3, 4) + _share(7, share=0.05) + _share(9, share=0.06))
    ).window
    assert np.flatnonzero(window.weights == 0).tolist() == [3, 4, 9]
    flagged = replace(_series(SPRING, _share(3)), is_flagged=np.arange(PAST) == 5)
    assert np.flatnonzero(on_local_clock(flagged).window.weights == 0).tolist() == [3, 5]


def test_coming_stops_lie_on_the_local_clock() -> None:
    # 03:00 by the clock is the third hour after midnight, when clocks go forward: two steps are nobody's.
    spring = on_local_clock(_series(SPRING, _share(PAST + 2)))
    share = spring.stopped_share
    assert share is not None
    assert np.flatnonzero(share).tolist() == [3]
    assert share[spring.places].tolist() == _share(PAST + 2)[PAST:].tolist()
    # A doubled hour is one step: half of it stands still.
    autumn = on_local_clock(_series(AUTUMN, _share(PAST + 3)))
    assert autumn.stopped_share is not None
    assert autumn.stopped_share[:4].tolist() == [0, 0, 0.5, 0]
