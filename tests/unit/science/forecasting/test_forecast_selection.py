"""What is chosen of some trials, and how it is explained."""

import numpy as np
import pytest

from enms.science.arrays import Values
from enms.science.forecasting.backtest import Trials
from enms.science.forecasting.candidates.seasonal import SeasonalNaive
from enms.science.forecasting.selection import Choice, choose

COUNT, POINTS = 28, 24
RANDOM = np.random.default_rng(1)
TRUTH = 100 + 10 * RANDOM.standard_normal((COUNT, POINTS))
NAIVE, CHEAP, COSTLY = (
    SeasonalNaive("naive", 7),
    SeasonalNaive("cheap", 1, cost=1),
    SeasonalNaive("costly", 1, cost=5),
)
ALL = (NAIVE, CHEAP, COSTLY)


def _off(kw: float, seed: int) -> Values:
    return TRUTH + kw * np.random.default_rng(seed).standard_normal(TRUTH.shape)


def _trials(count: int = COUNT, **forecasts: Values) -> Trials:
    return Trials(
        np.arange(count) * 24,
        TRUTH[:count].copy(),
        {name: values[:count] for name, values in forecasts.items()},
        np.full(count, 5.0),
    )


def test_a_candidate_that_is_clearly_the_best_serves_alone() -> None:
    choice = choose(_trials(naive=_off(8, 1), cheap=_off(8, 2), costly=_off(2, 3)), ALL)
    assert choice.members == ("costly",)
    assert choice.weights == (1.0,)
    assert choice.reason.startswith("costly erred 7")
    assert "than naive at 28 origins of the past" in choice.reason


def test_equals_whose_errors_differ_serve_together_and_the_mean_is_better_than_each() -> None:
    trials = _trials(naive=_off(9, 1), cheap=_off(5, 2), costly=_off(5, 3))
    choice = choose(trials, ALL)
    assert set(choice.members) >= {"cheap", "costly"}
    assert sum(choice.weights) == pytest.approx(1)
    assert list(choice.weights) == sorted(choice.weights, reverse=True)
    assert "weighted mean of" in choice.reason
    served = np.abs(choice.combined(trials.forecast_kw) - TRUTH).mean()
    assert served < min(np.abs(each - TRUTH).mean() for each in trials.forecast_kw.values())


def test_of_two_that_say_the_same_the_cheaper_serves() -> None:
    said = _off(3, 2)
    choice = choose(_trials(naive=_off(9, 1), costly=said - 1e-6 * (said - TRUTH), cheap=said), ALL)
    assert choice.members == ("cheap",)


def test_the_naive_serves_where_nothing_beats_it_and_says_so() -> None:
    choice = choose(_trials(naive=_off(3, 1), cheap=TRUTH + 9, costly=TRUTH + 12), ALL)
    assert choice.members == ("naive",)
    assert choice.reason.startswith(
        "No model beat naive at 28 origins of the past: it serves. The nearest, cheap"
    )


@pytest.mark.parametrize("count", [0, 2])
def test_nothing_is_proven_by_two_trials(count: int) -> None:
    choice = choose(_trials(count, naive=_off(9, 1), cheap=TRUTH, costly=TRUTH), ALL)
    assert choice.members == ("naive",)
    assert "too little history" in choice.reason


def test_few_trials_hedge_more_than_many() -> None:
    forecasts = {"naive": _off(9, 1), "cheap": _off(5, 2), "costly": _off(4.5, 3)}
    few, many = (choose(_trials(count, **forecasts), ALL) for count in (6, COUNT))
    assert max(few.weights) < max(many.weights)


def test_one_that_could_seldom_be_fitted_is_left_out_and_one_that_was_late_is_judged_by_its_trials() -> None:
    seldom, late = TRUTH.copy(), _off(2, 3)
    seldom[:20] = np.nan
    late[:10] = np.nan
    naive = _off(3, 1)
    # The first trials were hard ones: it must not look better for having missed them.
    naive[:10] = _off(30, 1)[:10]
    choice = choose(_trials(naive=naive, cheap=seldom, costly=late), ALL)
    assert "cheap" not in choice.members
    assert choice.members[0] == "costly"


def test_truth_that_is_unknown_does_not_count() -> None:
    trials = _trials(naive=_off(8, 1), cheap=_off(7, 2), costly=_off(2, 3))
    trials.actual_kw[:5] = np.nan
    trials.actual_kw[6, 3:] = np.nan
    assert choose(trials, ALL).members == ("costly",)


def test_a_load_that_never_moved_has_no_scale_and_the_naive_serves() -> None:
    trials = _trials(naive=TRUTH, cheap=TRUTH, costly=TRUTH)
    still = Trials(trials.origins, trials.actual_kw, trials.forecast_kw, np.zeros(COUNT))
    assert choose(still, ALL).members == ("naive",)


def test_perfect_forecasts_are_chosen_without_dividing_by_nought() -> None:
    assert choose(_trials(naive=_off(3, 1), cheap=TRUTH, costly=TRUTH), ALL).members == ("cheap",)


def test_the_mean_is_of_those_that_made_a_forecast() -> None:
    choice = Choice(("a", "b"), (0.75, 0.25), "")
    known, missing = np.array([4.0, 8.0]), np.array([np.nan, 4.0])
    np.testing.assert_allclose(choice.combined({"a": known, "b": missing}), [4.0, 7.0])
    assert np.isnan(choice.combined({"a": missing, "b": missing})[0])
    assert choice.combined({"a": np.ones((3, 2)), "b": np.ones((3, 2))}).shape == (3, 2)
