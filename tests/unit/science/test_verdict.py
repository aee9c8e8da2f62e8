"""The verdict: each figure at, below and above its limit, in words that say what to do."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from unit.science.samples import hours

from enms.science.arrays import Values
from enms.science.baseline.fit import Fit, fit_terms
from enms.science.baseline.forms import linear
from enms.science.baseline.observations import Interval, Observations
from enms.science.baseline.validation import OutOfTime, out_of_time
from enms.science.baseline.verdict import Limits, Reason, Verdict, judge, range_coverage

RECIPE = linear(["production_count", "outdoor_temp_c", "shift"], "outdoor_temp_c")


@cache
def _sound() -> tuple[Observations, Fit, OutOfTime]:
    data = hours()
    shift = data.categories["shift"].codes
    data = replace(data, energy_kwh=data.energy_kwh + np.array([0.0, 5.0, 9.0])[shift])
    return data, fit_terms(data, RECIPE(data)), out_of_time(data, RECIPE)


def _judge(
    *, fit: dict[str, Any] | None = None, goodness: dict[str, float] | None = None,
    tested: dict[str, float] | None = None, limits: Limits | None = None,
) -> Verdict:  # fmt: skip
    """The sound baseline with some of its figures altered."""
    data, sound, unseen = _sound()
    altered = replace(sound, goodness=replace(sound.goodness, **(goodness or {})), **(fit or {}))
    unseen = replace(unseen, goodness=replace(unseen.goodness, **(tested or {})))
    return judge(data, altered, unseen, limits or Limits())


def _reason(verdict: Verdict, code: str) -> Reason:
    return next(reason for reason in verdict.reasons if reason.code == code)


def test_a_sound_baseline_is_valid_and_says_of_each_figure_why() -> None:
    verdict = _judge()
    assert verdict.status == "valid"
    assert {reason.severity for reason in verdict.reasons} == {"valid"}
    assert {reason.code for reason in verdict.reasons} == {
        "samples", "r_squared", "cv_rmse_percent", "nmbe_percent", "out_of_time_error_ratio",
        "p_value:production_count", "p_value:outdoor_temp_c", "p_value:shift",
        "range_coverage:production_count", "range_coverage:outdoor_temp_c",
        "residual_curvature", "residual_autocorrelation", "residual_change",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("interval", "count", "severity", "limit", "more_days"),
    [
        ("hour", 1000, "valid", 1000, None),
        ("hour", 999, "caution", 1000, 1),
        ("hour", 976, "caution", 1000, 1),
        ("hour", 975, "caution", 1000, 2),
        ("hour", 500, "caution", 1000, 21),
        ("hour", 499, "rejected", 500, 21),
        ("day", 365, "valid", 365, None),
        ("day", 364, "caution", 365, 1),
        ("day", 90, "caution", 365, 275),
        ("day", 89, "rejected", 90, 276),
    ],
)
def test_samples(interval: Interval, count: int, severity: str, limit: float, more_days: int | None) -> None:
    data, _, tested = _sound()
    few = replace(data.take(np.arange(count)), interval=interval)
    reason = _reason(judge(few, fit_terms(few, RECIPE(few)), tested, Limits()), "samples")
    assert (reason.severity, reason.measured, reason.limit) == (severity, count, limit)
    if more_days is None:
        assert "more day" not in reason.text
    else:
        assert reason.text.startswith(f"Only {count} {interval}s could be used")
        assert f": collect {more_days} more day" in reason.text


@pytest.mark.parametrize(
    ("measured", "severity"), [(0.81, "valid"), (0.80, "rejected"), (0.5, "rejected"), (np.nan, "rejected")]
)
def test_r_squared_has_to_exceed_its_limit(measured: float, severity: str) -> None:
    reason = _reason(_judge(goodness={"r_squared": measured}), "r_squared")
    assert (reason.severity, reason.limit) == (severity, 0.80)
    assert ("add a driver" in reason.text) is (severity == "rejected")


@pytest.mark.parametrize(
    ("interval", "measured", "severity"),
    [
        ("hour", 30.0, "valid"),
        ("hour", 30.1, "rejected"),
        ("day", 25.0, "valid"),
        ("day", 25.1, "rejected"),
        ("hour", np.nan, "rejected"),
    ],
)
def test_the_typical_error_has_a_limit_whose_source_is_named(
    interval: Interval, measured: float, severity: str
) -> None:
    data, fit, tested = _sound()
    fit = replace(fit, goodness=replace(fit.goodness, cv_rmse_percent=measured))
    reason = _reason(judge(replace(data, interval=interval), fit, tested, Limits()), "cv_rmse_percent")
    assert reason.severity == severity
    source = "ASHRAE Guideline 14" if interval == "hour" else "our choice for daily models"
    assert source in reason.text


@pytest.mark.parametrize(
    ("p_value", "severity"), [(0.0499, "valid"), (0.05, "rejected"), (0.3, "rejected"), (np.nan, "rejected")]
)
@pytest.mark.parametrize("place", [0, 2])
def test_each_driver_and_each_category_as_a_whole_has_to_be_significant(
    place: int, p_value: float, severity: str
) -> None:
    tests = list(_sound()[1].term_tests)
    tests[place] = replace(tests[place], p_value=p_value)
    reason = _reason(_judge(fit={"term_tests": tuple(tests)}), f"p_value:{tests[place].term}")
    assert (reason.severity, reason.limit) == (severity, 0.05)
    assert ("its levels together" in reason.text) is (place == 2)
    assert ("leave it out" in reason.text) is (severity == "rejected")


@pytest.mark.parametrize(
    ("measured", "severity", "limit", "text"),
    [
        (0.0, "valid", 5, "0.0 %"),
        (5.0, "valid", 5, "5.0 % too little; at most 5 %"),
        (-5.1, "caution", 5, "5.1 % too much; at most 5 %"),
        (10.0, "caution", 5, "10.0 % too little"),
        (-10.1, "rejected", 10, "10.1 % too much; at most 10 %"),
        (np.inf, "rejected", 10, "too little"),
        (np.nan, "rejected", 10, ""),
    ],
)
def test_bias_is_judged_out_of_time(measured: float, severity: str, limit: float, text: str) -> None:
    reason = _reason(_judge(tested={"nmbe_percent": measured}), "nmbe_percent")
    assert (reason.severity, reason.limit) == (severity, limit)
    assert text in reason.text


@pytest.mark.parametrize(
    ("ratio", "severity", "limit"),
    [(1.0, "valid", 1.3), (1.299, "valid", 1.3), (1.31, "caution", 1.3), (1.99, "caution", 1.3),
     (2.01, "rejected", 2.0)],
)  # fmt: skip
def test_the_error_out_of_time_stays_near_the_one_in_sample(
    ratio: float, severity: str, limit: float
) -> None:
    in_sample = _sound()[1].goodness.cv_rmse_percent
    verdict = _judge(tested={"cv_rmse_percent": ratio * in_sample})
    reason = _reason(verdict, "out_of_time_error_ratio")
    assert (reason.severity, reason.limit) == (severity, limit)
    assert reason.measured == pytest.approx(ratio)


def test_without_an_error_in_sample_there_is_no_ratio() -> None:
    verdict = _judge(goodness={"cv_rmse_percent": 0.0}, tested={"cv_rmse_percent": 1e-12})
    assert _reason(verdict, "out_of_time_error_ratio").measured == 1.0


def test_gaps_in_a_drivers_range_call_for_care() -> None:
    data, fit, tested = _sound()
    few = np.where(np.arange(1200) % 2, 3.0, 100.0)
    few[:3] = 40.0
    data = replace(data, drivers={**data.drivers, "production_count": few})
    reason = _reason(judge(data, fit, tested, Limits()), "range_coverage:production_count")
    assert (reason.severity, reason.measured) == ("caution", pytest.approx(0.3))
    assert "samples lie in 30% of its range; at least 50% is asked for" in reason.text


@pytest.mark.parametrize(
    ("values", "share"),
    [
        (np.linspace(0, 1, 1000), 1.0),
        (np.array([0.0, 1.0] * 50), 1.0),  # a switch
        (np.full(50, 7.1), 1.0),
        (np.concatenate([np.linspace(0, 0.9, 99), [10.0]]), 0.2),
        (np.concatenate([np.linspace(0, 0.9, 4999), [10.0]]), 0.1),  # one in five thousand is none
        (np.repeat([0.0, 5.0, 10.0], 20), 0.3),
    ],
)
def test_coverage_counts_the_tenths_of_a_range_that_hold_samples(values: Values, share: float) -> None:
    assert range_coverage(values) == pytest.approx(share)


@pytest.mark.parametrize(("share", "severity"), [(0.05, "valid"), (0.06, "caution"), (np.nan, "caution")])
def test_a_bend_calls_for_care(share: float, severity: str) -> None:
    reason = _reason(_judge(fit={"curvature_share": share}), "residual_curvature")
    assert reason.severity == severity
    assert ("try model=auto" in reason.text) is (severity == "caution")


@pytest.mark.parametrize(("lag_one", "severity"), [(-0.3, "valid"), (0.9, "valid"), (0.91, "caution")])
def test_errors_with_a_long_memory_call_for_care(lag_one: float, severity: str) -> None:
    assert _reason(_judge(fit={"lag_one": lag_one}), "residual_autocorrelation").severity == severity


def _changed(by_kwh: float) -> Verdict:
    """Of a machine that uses so much more in each hour from the fifty-first of its ninety days on."""
    data = hours(24 * 90)
    data = replace(data, energy_kwh=data.energy_kwh + by_kwh * (np.arange(24 * 90) >= 24 * 50))
    return judge(data, fit_terms(data, RECIPE(data)), _sound()[2], Limits())


@pytest.mark.parametrize(("by_kwh", "words"), [(6.0, "more"), (-6.0, "less")])
def test_a_lasting_change_inside_the_training_calls_for_care(by_kwh: float, words: str) -> None:
    reason = _reason(_changed(by_kwh), "residual_change")
    assert reason.severity == "caution"
    assert reason.measured <= reason.limit == 0.01
    assert reason.text.startswith("From day 51 of 90 of the training on the machine uses")
    assert f"kWh a day {words} than its drivers explain" in reason.text


def test_the_worst_reason_is_the_verdict_and_stands_first() -> None:
    caution = _judge(fit={"lag_one": 0.95})
    assert (caution.status, caution.reasons[0].code) == ("caution", "residual_autocorrelation")
    rejected = _judge(fit={"lag_one": 0.95}, goodness={"r_squared": 0.1})
    assert (rejected.status, rejected.reasons[0].code) == ("rejected", "r_squared")
    severities = [reason.severity for reason in rejected.reasons]
    assert severities == ["rejected", "caution", *["valid"] * (len(severities) - 2)]


def test_every_limit_can_be_set() -> None:
    strict = Limits(
        least_samples_hour=2000, least_r_squared=0.9999, most_p_value=0.0, most_cv_rmse_percent_hour=0.1,
        caution_nmbe_percent=-1, caution_error_ratio=0.1, caution_range_coverage=1.1,
        caution_curvature_share=-1, caution_lag_one=-1,
    )  # fmt: skip
    kept = [reason.code for reason in _judge(limits=strict).reasons if reason.severity == "valid"]
    assert kept == ["residual_change"]
    lenient = Limits(least_r_squared=0.0, most_nmbe_percent=90, caution_nmbe_percent=80)
    assert (
        _judge(goodness={"r_squared": 0.1}, tested={"nmbe_percent": 70.0}, limits=lenient).status == "valid"
    )
