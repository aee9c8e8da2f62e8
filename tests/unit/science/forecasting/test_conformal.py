"""Intervals hold what they promise, where errors differ by hour, by level and in time."""

import numpy as np
import pytest
from unit.science.forecasting.plant import plant

from enms.science.arrays import Values
from enms.science.forecasting.conformal import MOST_ERRORS, Intervals, PastErrors, bands
from enms.science.forecasting.forecast import Bands

HOURS = 24
MONDAY = 24 * 18_001


def _past(errors: Values, point: Values | float = 100.0, apart: int = HOURS) -> PastErrors:
    """Errors of origins that end where the forecast from `MONDAY` begins."""
    first = MONDAY - apart * np.arange(len(errors), 0, -1)
    return PastErrors(first, np.broadcast_to(point, errors.shape).astype(np.float64), errors)


def _bands(errors: Values, point: Values | None = None) -> Bands:
    point = np.full(errors.shape[1], 100.0) if point is None else point
    return Intervals.of(_past(errors, point), point, MONDAY, HOURS).bands()


def _noise(rows: int, seed: int = 1) -> Values:
    return np.random.default_rng(seed).standard_normal((rows, HOURS))


def test_intervals_of_normal_errors_are_as_wide_as_theirs() -> None:
    found = _bands(_noise(200))
    # 1.28 and 1.96 standard deviations to each side.
    assert (found.upper_80_kw - found.lower_80_kw).mean() == pytest.approx(2.56, rel=0.15)
    assert (found.upper_95_kw - found.lower_95_kw).mean() == pytest.approx(3.92, rel=0.2)


def test_they_hold_as_often_as_they_promise() -> None:
    noise = _noise(120, seed=4) * (1 + 3 * (np.arange(HOURS) >= 12))
    held = []
    for origin in range(30, 120):
        found = _bands(noise[origin - 30 : origin])
        truth = 100 + noise[origin]
        held.append(
            [
                np.mean((truth >= found.lower_80_kw) & (truth <= found.upper_80_kw)),
                np.mean((truth >= found.lower_95_kw) & (truth <= found.upper_95_kw)),
            ]
        )
    share_80, share_95 = np.mean(held, axis=0)
    # Somewhat more than promised: real errors are less alike than these.
    assert 0.80 <= share_80 <= 0.84
    assert 0.95 <= share_95 <= 0.98


def test_calm_hours_have_narrow_intervals() -> None:
    found = _bands(_noise(40) * np.where(np.arange(HOURS) < 12, 1.0, 20.0))
    width = found.upper_80_kw - found.lower_80_kw
    assert width[:8].mean() < 0.2 * width[16:].mean()


def test_errors_that_grow_with_the_level_make_intervals_that_do() -> None:
    level = np.random.default_rng(2).uniform(20, 500, (40, HOURS))
    first = MONDAY - HOURS * np.arange(40, 0, -1)
    past = PastErrors(first, level, 0.1 * level * _noise(40))
    point = np.where(np.arange(HOURS) % 2 == 0, 40.0, 480.0)
    found = Intervals.of(past, point, MONDAY, HOURS).bands()
    width = found.upper_80_kw - found.lower_80_kw
    assert width[::2].mean() < 0.4 * width[1::2].mean()


def test_skewed_errors_make_skewed_intervals() -> None:
    found = _bands(np.abs(_noise(60)) * 10 - 2)
    assert (found.upper_95_kw - 100).mean() > 3 * (100 - found.lower_95_kw).mean()


def test_they_widen_when_the_last_days_were_worse() -> None:
    calm, rough = _noise(40), _noise(40)
    rough[-5:] *= 4
    width_calm = _bands(calm).upper_80_kw - _bands(calm).lower_80_kw
    width_rough = _bands(rough).upper_80_kw - _bands(rough).lower_80_kw
    assert width_rough.mean() > 1.4 * width_calm.mean()


def test_ends_are_in_order_around_the_forecast_and_not_below_zero() -> None:
    point = np.linspace(0.0, 3.0, HOURS)
    found = _bands(_noise(30) * 5 + 4, point)
    assert (found.lower_95_kw >= 0).all()
    assert (found.lower_95_kw <= found.lower_80_kw).all()
    assert (found.lower_80_kw <= point).all()
    assert (point <= found.upper_80_kw).all()
    assert (found.upper_80_kw <= found.upper_95_kw).all()


def test_few_errors_make_wide_intervals_and_none_the_widest() -> None:
    point = np.full(HOURS, 100.0)
    few = _bands(_noise(2))
    assert np.isfinite(few.upper_95_kw).all()
    for unknown in (np.full((3, HOURS), np.nan), np.zeros((0, HOURS))):
        none = Intervals.of(_past(unknown), point, MONDAY, HOURS).bands()
        assert none.lower_95_kw.tolist() == pytest.approx([5.0] * HOURS)
        assert none.upper_95_kw.tolist() == pytest.approx([195.0] * HOURS)


def test_unknown_errors_do_not_count() -> None:
    errors = _noise(30)
    errors[::3, :6] = np.nan
    found = _bands(errors)
    assert not np.isnan(found.upper_80_kw).any()


def test_a_machine_that_is_off_is_foretold_without_doubt() -> None:
    found = _bands(np.zeros((30, HOURS)), np.zeros(HOURS))
    assert found.upper_95_kw.tolist() == [0.0] * HOURS


def test_a_longer_day_takes_the_last_lead_again() -> None:
    found = Intervals.of(_past(_noise(30)), np.full(25, 100.0), MONDAY, HOURS).bands()
    assert len(found.upper_80_kw) == 25


def test_the_errors_alone_are_enough() -> None:
    window = plant()
    errors = _noise(30)
    point = np.full(HOURS, 100.0)
    alone = bands(errors, point, window)
    first = window.first_step + len(window) - HOURS * np.arange(30, 0, -1)
    known = bands(errors, point, window, np.full((30, HOURS), 100.0), first)
    assert alone.upper_80_kw.tolist() == known.upper_80_kw.tolist()
    assert (
        known.upper_80_kw.tolist()
        == PastErrors(first, np.full((30, HOURS), 100.0), errors).bands(point, window).upper_80_kw.tolist()
    )


def test_newer_errors_follow_and_too_many_are_thinned() -> None:
    past = _past(_noise(60))
    later = PastErrors(past.first_steps + 24 * 30, past.points_kw, past.errors_kw)
    both = past.with_newer(later)
    assert len(both) == 90
    assert (np.diff(both.first_steps) > 0).all()
    many = PastErrors(MONDAY + np.arange(500), np.zeros((500, HOURS)), _noise(500))
    thin = past.with_newer(many)
    assert thin.errors_kw.size <= MOST_ERRORS
    assert thin.first_steps[[0, -1]].tolist() == [past.first_steps[0], many.first_steps[-1]]
