"""The highest quarter hour, from paths whose hours belong together."""

from dataclasses import replace

import numpy as np
import pytest
from unit.science.forecasting.loads import load

from enms.science.arrays import Values
from enms.science.forecasting.conformal import Intervals, PastErrors
from enms.science.forecasting.forecast import Peak, probability_over
from enms.science.forecasting.horizons import NEXT_DAY, NEXT_HOUR, NEXT_WEEK
from enms.science.forecasting.paths import QuarterFactors, paths, peak_of
from enms.science.forecasting.peaks import with_likely_peaks

HOURS = 24
MONDAY = 24 * 18_001
POINT = np.full(HOURS, 100.0)


def _past(errors: Values) -> PastErrors:
    first = MONDAY - HOURS * np.arange(len(errors), 0, -1)
    return PastErrors(first, np.full(errors.shape, 100.0), errors)


def _paths(past: PastErrors, point: Values = POINT) -> Values:
    return paths(Intervals.of(past, point, MONDAY, HOURS))


def test_each_step_is_spread_as_its_errors_are() -> None:
    errors = 10 * np.random.default_rng(1).standard_normal((80, HOURS))
    drawn = _paths(_past(errors), POINT)
    assert drawn.mean() == pytest.approx(100, abs=1)
    assert drawn.std(axis=0).mean() == pytest.approx(10, rel=0.15)


def test_days_that_err_as_a_whole_make_lower_peaks_than_hours_that_err_alone() -> None:
    noise = np.random.default_rng(2)
    together = np.repeat(10 * noise.standard_normal((80, 1)), HOURS, axis=1) + noise.normal(
        0, 0.1, (80, HOURS)
    )
    alone = 10 * noise.standard_normal((80, HOURS))
    peaks = [float(np.median(_paths(_past(each), POINT).max(axis=1))) for each in (together, alone)]
    assert peaks[0] == pytest.approx(100, abs=3)
    assert peaks[1] > 115


def test_the_peak_is_above_the_highest_mean_and_where_most_paths_have_it() -> None:
    point = np.where(np.arange(HOURS) == 17, 130.0, 100.0)
    errors = 5 * np.random.default_rng(3).standard_normal((60, HOURS))
    quantiles, step = peak_of(_paths(_past(errors), point), point)
    assert step == 17
    assert len(quantiles) == 99
    assert (np.diff(quantiles) >= 0).all()
    assert quantiles[49] == pytest.approx(130, abs=2)


def test_paths_are_the_same_each_time_and_never_below_zero() -> None:
    errors = 80 * np.random.default_rng(4).standard_normal((30, HOURS))
    first, second = (_paths(_past(errors), np.full(HOURS, 20.0)) for _ in range(2))
    assert first.tolist() == second.tolist()
    assert first.min() == 0


@pytest.mark.parametrize("rows", [0, 2])
def test_with_few_errors_there_are_paths_all_the_same(rows: int) -> None:
    drawn = _paths(_past(np.full((rows, HOURS), 4.0)), POINT)
    assert drawn.shape[1] == HOURS
    assert np.isfinite(drawn).all()


def test_peaks_are_as_far_off_as_earlier_ones_were() -> None:
    # Every day is 100 kW but for its peak, which comes at another hour each day.
    noise = np.random.default_rng(9)
    errors = noise.normal(0, 1, (60, HOURS))
    errors[np.arange(60), noise.integers(HOURS, size=60)] += noise.choice([20.0, 60.0], 60)
    past = _past(errors)
    drawn = with_likely_peaks(_paths(past), past, POINT, MONDAY, HOURS)
    quantiles, _ = peak_of(drawn, POINT)
    assert quantiles[9] > 110
    assert quantiles[89] == pytest.approx(160, abs=6)
    few = _past(errors[:5])
    assert with_likely_peaks(drawn, few, POINT, MONDAY, HOURS) is drawn


def test_the_peak_is_no_less_likely_passed_than_the_highest_step() -> None:
    # Errors that lie below the forecast most of the time.
    quantiles, _ = peak_of(np.full((40, HOURS), 90.0), POINT)
    assert quantiles[48] == 90
    assert quantiles[49] == 100


class TestProbability:
    PEAK = Peak(0, 150.0, np.linspace(101, 199, 99))

    @pytest.mark.parametrize(
        ("limit_kw", "share"), [(150.0, 0.5), (110.0, 0.9), (190.5, 0.095), (101.0, 0.99), (199.0, 0.01)]
    )
    def test_it_interpolates_the_quantiles(self, limit_kw: float, share: float) -> None:
        assert probability_over(self.PEAK, limit_kw) == pytest.approx(share)

    def test_it_fades_out_beyond_them(self) -> None:
        assert probability_over(self.PEAK, 208.0) == pytest.approx(0.001)
        assert probability_over(self.PEAK, 1e6) < 1e-9
        assert probability_over(self.PEAK, 92.0) == pytest.approx(0.999)

    def test_a_peak_without_doubt_is_exceeded_or_not(self) -> None:
        sure = Peak(0, 5.0, np.full(99, 5.0))
        assert probability_over(sure, 4.9) == 1.0
        assert probability_over(sure, 5.1) == 0.0


class TestQuarterFactors:
    def test_they_are_learned_by_time_of_day(self) -> None:
        series = load(NEXT_DAY, "2026-02-10", noise_kw=0.0)
        hour = np.arange(len(series.power_kw)) % 24
        peaks = series.power_kw * np.where(hour == 7, 1.5, 1.1)
        peaks[40:50] = np.nan
        found = QuarterFactors.of(replace(series, quarter_peak_kw=peaks))
        steps = np.arange(24)
        factors = found.of_steps(steps, 3_600, 50)
        assert factors[:, 7].tolist() == pytest.approx([1.5] * 50)
        assert factors[:, 9].tolist() == pytest.approx([1.1] * 50)
        # Nights are too low to tell: what holds for all stands for them.
        assert 1.1 <= factors[:, 2].min() <= factors[:, 2].max() <= 1.5
        again = QuarterFactors.from_document(found.document())
        assert again.of_steps(steps, 3_600, 50) == pytest.approx(factors)

    def test_daily_steps_have_them_by_weekday(self) -> None:
        series = load(NEXT_WEEK, "2026-02-10", days=364, noise_kw=0.0)
        found = QuarterFactors.of(replace(series, quarter_peak_kw=1.4 * series.power_kw))
        assert found.factors.shape == (7, 10)
        assert found.factors == pytest.approx(np.full((7, 10), 1.4))

    def test_without_quarter_hours_they_are_one(self) -> None:
        series = load(NEXT_HOUR, "2026-02-10", days=2)
        assert QuarterFactors.of(series).of_steps(np.arange(4), 900, 3).tolist() == [[1.0] * 4] * 3
        off = replace(series, power_kw=np.zeros(192), quarter_peak_kw=np.zeros(192))
        assert QuarterFactors.of(off).factors.tolist() == [[1.0]]
