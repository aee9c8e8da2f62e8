"""Whether a baseline may be used: each figure against its limit, in words for an energy manager."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from enms.science.arrays import Values
from enms.science.baseline.change_points import daily_sums, lasting_changes
from enms.science.baseline.fit import Fit
from enms.science.baseline.observations import INTERVALS_PER_DAY, Interval, Observations, collect_more
from enms.science.baseline.terms import Indicators, Segments
from enms.science.baseline.validation import OutOfTime

type Status = Literal["valid", "caution", "rejected"]

_BINS = 10
_LEAST_SHOWN_P = 0.0001


@dataclass(frozen=True)
class Limits:
    """What a baseline has to keep to: beyond a `caution_` limit it is used with care, beyond the other not.

    Attributes:
        least_samples_hour: Fewer hours are too few for a valid model.
        least_samples_day: Fewer days are too few for a valid model.
        caution_samples_hour: Fewer hours are too few for any.
        caution_samples_day: Fewer days are too few for any.
        least_r_squared: R² has to exceed it.
        most_p_value: Of each numeric driver, and jointly of each term with several columns, at most.
        most_cv_rmse_percent_hour: ASHRAE Guideline 14-2014, hourly calibration.
        most_cv_rmse_percent_day: A choice of this service: Guideline 14 has none for daily data.
        caution_nmbe_percent: Out of time, either way; Guideline 14's limit for monthly data.
        most_nmbe_percent: Out of time, either way; Guideline 14's limit for hourly data.
        caution_error_ratio: Error out of time ÷ error in sample.
        most_error_ratio: The same.
        caution_range_coverage: Share of ten equal parts of a driver's range that hold samples, at least.
        caution_curvature_share: Share of the residuals' variance that a bend explains, at most.
        caution_lag_one: Autocorrelation of neighbouring residuals, at most.
        caution_change_p_value: Of a lasting change inside the training that no driver explains, at least.
        challenger_margin_percent: How much less error `auto` wants of a form that isn't linear.
    """

    least_samples_hour: float = 1000
    least_samples_day: float = 365
    caution_samples_hour: float = 500
    caution_samples_day: float = 90
    least_r_squared: float = 0.80
    most_p_value: float = 0.05
    most_cv_rmse_percent_hour: float = 30.0
    most_cv_rmse_percent_day: float = 25.0
    caution_nmbe_percent: float = 5.0
    most_nmbe_percent: float = 10.0
    caution_error_ratio: float = 1.3
    most_error_ratio: float = 2.0
    caution_range_coverage: float = 0.5
    caution_curvature_share: float = 0.05
    caution_lag_one: float = 0.9
    caution_change_p_value: float = 0.01
    challenger_margin_percent: float = 2.0

    def samples(self, interval: Interval) -> tuple[float, float]:
        """The least samples of a valid model, and of one to be used with care."""
        if interval == "hour":
            return self.least_samples_hour, self.caution_samples_hour
        return self.least_samples_day, self.caution_samples_day

    def cv_rmse_percent(self, interval: Interval) -> float:
        """The largest CV(RMSE)."""
        return self.most_cv_rmse_percent_hour if interval == "hour" else self.most_cv_rmse_percent_day


@dataclass(frozen=True)
class Reason:
    """One figure against its limit.

    Attributes:
        code: For programs.
        severity: What it makes of the model: `valid` where the limit is kept.
        measured: The figure.
        limit: What it was held against.
        text: For people.
    """

    code: str
    severity: Status
    measured: float
    limit: float
    text: str


@dataclass(frozen=True)
class Verdict:
    """The judgement.

    Attributes:
        status: The worst of all reasons.
        reasons: Every figure that was looked at, the worst first.
    """

    status: Status
    reasons: tuple[Reason, ...]


_WORST_FIRST: Mapping[Status, int] = {"rejected": 0, "caution": 1, "valid": 2}


def judge(data: Observations, fit: Fit, tested: OutOfTime, limits: Limits) -> Verdict:
    """Judges a fitted baseline.

    Args:
        data: What it was fitted to.
        fit: The fit.
        tested: How its form does out of time.
        limits: What it has to keep to.
    """
    found = [
        _samples(len(data), data.interval, limits),
        _r_squared(fit, limits),
        _cv_rmse(fit, data.interval, limits),
        *_significance(fit, limits),
        _bias(tested, limits),
        _generalisation(fit, tested, limits),
        *_coverage(data, fit, limits),
        _curvature(fit, limits),
        _memory(fit, limits),
        _change(data, fit, limits),
    ]
    found.sort(key=lambda reason: _WORST_FIRST[reason.severity])
    return Verdict(found[0].severity, tuple(found))


def _samples(count: int, interval: Interval, limits: Limits) -> Reason:
    least, caution = limits.samples(interval)
    if count >= least:
        return Reason(
            "samples", "valid", count, least, f"{count} {interval}s were used; {least:g} are asked for."
        )
    severity: Status = "caution" if count >= caution else "rejected"
    return Reason(
        "samples", severity, count, least if severity == "caution" else caution,
        f"Only {count} {interval}s could be used and {least:g} are asked for: "
        f"{collect_more(least - count, interval)}.",
    )  # fmt: skip


def _r_squared(fit: Fit, limits: Limits) -> Reason:
    measured = fit.goodness.r_squared
    if measured > limits.least_r_squared:
        return Reason("r_squared", "valid", measured, limits.least_r_squared,
                      f"The drivers explain {measured:.1%} of the variation in energy.")  # fmt: skip
    return Reason(
        "r_squared", "rejected", measured, limits.least_r_squared,
        f"The drivers explain only {measured:.1%} of the variation in energy; more than "
        f"{limits.least_r_squared:.0%} is asked for: add a driver that the energy follows.",
    )  # fmt: skip


def _cv_rmse(fit: Fit, interval: Interval, limits: Limits) -> Reason:
    measured, limit = fit.goodness.cv_rmse_percent, limits.cv_rmse_percent(interval)
    source = "ASHRAE Guideline 14" if interval == "hour" else "our choice for daily models"
    keeps = measured <= limit
    text = f"The typical error is {measured:.1f} % of the mean {interval}; at most {limit:g} % ({source})."
    return Reason("cv_rmse_percent", "valid" if keeps else "rejected", measured, limit, text)


def _significance(fit: Fit, limits: Limits) -> Iterator[Reason]:
    for term, test in zip(fit.terms, fit.term_tests, strict=True):
        keeps = test.p_value < limits.most_p_value
        what = "its levels together" if isinstance(term, Indicators | Segments) else "it"
        text = (
            f"{test.term}: the energy follows {what} ({_p(test.p_value)})."
            if keeps
            else f"{test.term}: that the energy follows {what} isn't shown ({_p(test.p_value)}; below "
            f"{limits.most_p_value:g} is asked for): leave it out."
        )
        yield Reason(
            f"p_value:{test.term}", "valid" if keeps else "rejected", test.p_value, limits.most_p_value, text
        )


def _bias(tested: OutOfTime, limits: Limits) -> Reason:
    measured = tested.goodness.nmbe_percent
    severity, limit = _graded(abs(measured), limits.caution_nmbe_percent, limits.most_nmbe_percent)
    side = "too little" if measured > 0 else "too much"
    text = f"In time that it hasn't seen it predicts {abs(measured):.1f} % {side}; at most {limit:g} %."
    return Reason("nmbe_percent", severity, measured, limit, text)


def _generalisation(fit: Fit, tested: OutOfTime, limits: Limits) -> Reason:
    in_sample = fit.goodness.cv_rmse_percent
    measured = tested.goodness.cv_rmse_percent / in_sample if in_sample > 1e-9 else 1.0
    severity, limit = _graded(measured, limits.caution_error_ratio, limits.most_error_ratio)
    text = f"In time that it hasn't seen its error is {measured:.2f} times the usual; at most {limit:g}."
    return Reason("out_of_time_error_ratio", severity, measured, limit, text)


def _coverage(data: Observations, fit: Fit, limits: Limits) -> Iterator[Reason]:
    for name in fit.ranges:
        measured, limit = range_coverage(data.drivers[name]), limits.caution_range_coverage
        keeps = measured >= limit
        text = f"{name}: samples lie in {measured:.0%} of its range" + (
            "." if keeps else f"; at least {limit:.0%} is asked for. Between them the baseline only guesses."
        )
        yield Reason(f"range_coverage:{name}", "valid" if keeps else "caution", measured, limit, text)


def _curvature(fit: Fit, limits: Limits) -> Reason:
    measured, limit = fit.curvature_share, limits.caution_curvature_share
    keeps = measured <= limit
    text = (
        "The residuals show no bend that the form of the model misses."
        if keeps
        else f"A bend explains {measured:.0%} of what the model leaves (at most {limit:.0%}): try model=auto."
    )
    return Reason("residual_curvature", "valid" if keeps else "caution", measured, limit, text)


def _memory(fit: Fit, limits: Limits) -> Reason:
    measured, limit = fit.lag_one, limits.caution_lag_one
    keeps = measured <= limit
    text = f"Neighbouring residuals correlate by {measured:.2f}; " + (
        "the stated uncertainties allow for it."
        if keeps
        else f"above {limit:g} something slow is missing among the drivers."
    )
    return Reason("residual_autocorrelation", "valid" if keeps else "caution", measured, limit, text)


def _change(data: Observations, fit: Fit, limits: Limits) -> Reason:
    """Whether the machine became another one during the training."""
    limit = limits.caution_change_p_value
    per_day = INTERVALS_PER_DAY[data.interval]
    numbers = data.positions // per_day - data.positions[0] // per_day
    days = daily_sums(numbers, fit.solution.residuals, np.full(numbers[-1] + 1, float(per_day)))
    found = lasting_changes(days, significance=limit)
    if not found:
        text = "No lasting change inside the training period that its drivers don't explain."
        return Reason("residual_change", "valid", 1.0, limit, text)
    largest = max(found, key=lambda change: abs(change.size_kwh_per_day))
    side = "more" if largest.size_kwh_per_day > 0 else "less"
    text = (
        f"From day {largest.index + 1} of {len(days)} of the training on the machine uses "
        f"{abs(largest.size_kwh_per_day):.3g} kWh a day {side} than its drivers explain: find out why, and "
        "train on one side of it."
    )
    return Reason("residual_change", "caution", largest.p_value, limit, text)


def _p(value: float) -> str:
    return f"p = {value:.2g}" if value >= _LEAST_SHOWN_P else f"p < {_LEAST_SHOWN_P:g}"


def _graded(measured: float, caution: float, most: float) -> tuple[Status, float]:
    if measured <= caution:
        return "valid", caution
    return ("caution", caution) if measured <= most else ("rejected", most)


def range_coverage(values: Values) -> float:
    """Share of ten equal parts of a driver's range that hold at least one sample in a thousand."""
    low, high = float(values.min()), float(values.max())
    if low == high or len(np.unique(values)) <= 2:
        return 1.0  # a switch has no between
    counts = np.histogram(values, bins=_BINS, range=(low, high))[0]
    return float((counts >= max(1, len(values) / 1000)).mean())
