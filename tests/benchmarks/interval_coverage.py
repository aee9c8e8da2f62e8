"""How often the stated interval of savings holds the truth, by simulation.

`python -m benchmarks.interval_coverage` prints the whole study of docs/adr/0005, other methods beside ours.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter
from scipy.special import stdtrit

from benchmarks.table import Figure
from enms.science.arrays import Positions, Values
from enms.science.baseline.observations import Interval
from enms.science.baseline.uncertainty import (
    ashrae_fractional_uncertainty,
    coefficient_covariance,
    sun_baltazar_factor,
    total_error,
)
from enms.science.diagnostics.autocorrelation import lag_one_autocorrelation, newey_west_lags
from enms.science.diagnostics.error_model import estimate_errors

RUNS = 1000
CONFIDENCES = (0.68, 0.8, 0.9)
_BURN_IN = 2000
_MISSING = 0.03
_HOURS_PER_YEAR = 8766


@dataclass(frozen=True)
class Study:
    """One row: what is simulated.

    Attributes:
        interval: Hours or days.
        training: Intervals that the baseline is fitted to.
        reporting: Intervals that follow, whose savings are stated.
        errors: Which of `ERRORS`.
    """

    interval: Interval
    training: int
    reporting: int
    errors: str


@dataclass(frozen=True)
class Run:
    """One simulated baseline with its reporting period; the true savings are zero.

    Attributes:
        positions: Of the training intervals.
        design: Of the training.
        residuals: Of the fit.
        later_positions: Of the reporting intervals.
        later_design: Of the reporting.
        stated: Predicted less actual energy of the reporting period.
    """

    positions: Positions
    design: Values
    residuals: Values
    later_positions: Positions
    later_design: Values
    stated: float


def _seasonal(short: float, long: float, distance: int) -> list[float]:
    return list(-np.convolve([1, -short], [1, *[0] * (distance - 1), -long])[1:])


# φ of the autoregressions; cycles and slow parts are added in `_errors`.
ERRORS: Mapping[str, list[float]] = {
    "independent": [],
    "AR(1) 0.3": [0.3],
    "AR(1) 0.6": [0.6],
    "AR(1) 0.9": [0.9],
    "AR(2) 0.5 0.3": [0.5, 0.3],
    "AR(2) 1.2 -0.5": [1.2, -0.5],
    "AR(3) 0.4 0.2 0.2": [0.4, 0.2, 0.2],
    "AR(1) 0.6 + daily cycle": [0.6],
    "AR(1) 0.6 + morning peak": [0.6],
    "AR(1) 0.5 × AR 0.4 at 24 h": _seasonal(0.5, 0.4, 24),
    "AR(1) 0.5 + AR(1) 0.7 of days": [0.5],
    "AR(1) 0.3 × AR 0.4 at 7 d": _seasonal(0.3, 0.4, 7),
    "AR(1) 0.5 + weekly cycle": [0.5],
}
ALIKE = tuple(ERRORS)[:7]
HOURLY = (*ALIKE, *tuple(ERRORS)[7:11])
DAILY = (*ALIKE, *tuple(ERRORS)[11:])
BENCHED = (
    *(Study("hour", 2160, 720, each) for each in ("AR(1) 0.6", *HOURLY[3:5], *HOURLY[6:8])),
    *(Study("day", 365, 90, each) for each in (*DAILY[2:5], DAILY[6])),
)


def rows() -> Iterator[Figure]:
    """Coverage of the 90 % interval in the studies that the requirement names."""
    for study in BENCHED:
        share = 100 * coverage(study, {"ours": ours}, RUNS)["ours"][0][-1]
        yield Figure(
            "baseline-intervals",
            f"90 % interval holds the truth, {study.training} {study.interval}s, then {study.reporting}; "
            f"errors {study.errors}; {RUNS} runs",
            "87 to 93 %",
            f"{share:.1f} %",
            87 <= share <= 93,
        )


type Method = Callable[[Run, Interval], Values]


def coverage(study: Study, methods: Mapping[str, Method], runs: int) -> dict[str, tuple[Values, float]]:
    """By method: share of intervals that hold the truth, for each confidence, and the median half-width."""
    random = np.random.default_rng([study.training, study.reporting, tuple(ERRORS).index(study.errors)])
    held = {name: np.zeros(len(CONFIDENCES)) for name in methods}
    widths: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(runs):
        run = simulate(random, study)
        for name, method in methods.items():
            half_widths = method(run, study.interval)
            held[name] += abs(run.stated) <= half_widths
            widths[name].append(float(half_widths[-1]))
    return {name: (held[name] / runs, float(np.median(widths[name]))) for name in methods}


def simulate(random: np.random.Generator, study: Study) -> Run:
    """A baseline on weather and production; some intervals and one stretch of each period are missing."""
    count = study.training + study.reporting
    start = int(random.integers(_HOURS_PER_YEAR if study.interval == "hour" else 365))
    design = (_hours if study.interval == "hour" else _days)(random, start, count)
    errors = _errors(random, study.errors, count)
    positions = start + np.flatnonzero(_kept(random, study))
    training = positions[positions < start + study.training] - start
    later = positions[positions >= start + study.training] - start
    x = design[training]
    coefficients = np.linalg.lstsq(x, errors[training], rcond=None)[0]
    stated = float(design[later].sum(axis=0) @ coefficients - errors[later].sum())
    residuals = errors[training] - x @ coefficients
    return Run(training + start, x, residuals, later + start, design[later], stated)


def ours(run: Run, interval: Interval) -> Values:
    """What the service states."""
    errors = estimate_errors(run.positions, run.residuals, run.design, interval)
    covariance = coefficient_covariance(run.positions, run.design, errors)
    error = total_error(errors, covariance, run.later_positions, run.later_design)
    return np.array([error.half_width(each) for each in CONFIDENCES])


def independent(run: Run, _: Interval) -> Values:
    """The textbook's prediction interval, errors taken as independent."""
    n, p = run.design.shape
    sums = run.later_design.sum(axis=0)
    by_coefficients = sums @ np.linalg.solve(run.design.T @ run.design, sums)
    variance = run.residuals @ run.residuals / (n - p) * (by_coefficients + len(run.later_positions))
    return np.sqrt(variance) * stdtrit(n - p, _upper())


def ashrae(run: Run, _: Interval, factor: float = 1.26) -> Values:
    """ASHRAE Guideline 14 with its correction for autocorrelation; energy and savings are scaled to 1."""
    n, p = run.design.shape
    m = len(run.later_positions)
    fractions = ashrae_fractional_uncertainty(
        cv_rmse=float(np.sqrt(run.residuals @ run.residuals / (n - p))),
        observations=n,
        parameters=p,
        lag_one_autocorrelation=lag_one_autocorrelation(run.residuals, run.positions),
        reporting_intervals=m,
        savings_fraction=1.0,
        confidences=CONFIDENCES,
        factor=factor,
    )
    return m * np.array([fractions[each] for each in CONFIDENCES])


def sun_baltazar(run: Run, interval: Interval) -> Values:
    """The same with the polynomial of the reporting period's length."""
    days = len(run.later_positions) / (24 if interval == "hour" else 1)
    return ashrae(run, interval, sun_baltazar_factor(days / 30))


def newey_west(run: Run, interval: Interval) -> Values:
    """Bartlett weights on the residuals' autocovariances, of coefficients and of the reporting errors."""
    n, p = run.design.shape
    lags = newey_west_lags(n, 24 if interval == "hour" else 7)
    scores = np.zeros((run.positions[-1] - run.positions[0] + 1, p + 1))
    rows = run.positions - run.positions[0]
    scores[rows, :p] = run.design * run.residuals[:, None]
    scores[rows, p] = run.residuals
    middle, memory = scores.T @ scores, float(scores[:, p] @ scores[:, p])
    for lag in range(1, lags + 1):
        paired = scores[lag:].T @ scores[:-lag]
        weight = 1 - lag / (lags + 1)
        middle += weight * (paired + paired.T)
        memory += 2 * weight * float(paired[p, p])
    effect = np.linalg.solve(run.design.T @ run.design, run.later_design.sum(axis=0))
    variance = effect @ middle[:p, :p] @ effect + memory / (n - p) * len(run.later_positions)
    return np.sqrt(max(variance, 0)) * stdtrit(n - p, _upper())


METHODS: Mapping[str, Method] = {
    "ours": ours,
    "independent": independent,
    "ASHRAE 14": ashrae,
    "Sun & Baltazar": sun_baltazar,
    "Newey & West": newey_west,
}


def _upper() -> Values:
    return (1 + np.array(CONFIDENCES)) / 2


def _errors(random: np.random.Generator, name: str, count: int) -> Values:
    errors = _autoregression(random, ERRORS[name], count)
    at = np.arange(count)
    match name:
        case "AR(1) 0.6 + daily cycle":
            errors += 1.25 * np.cos(2 * np.pi * at / 24 + 1) + 0.75 * np.cos(4 * np.pi * at / 24 + 2)
        case "AR(1) 0.6 + morning peak":
            errors += 4.5 * ((at % 24 >= 6) & (at % 24 < 9)) - 4.5 * 3 / 24
        case "AR(1) 0.5 + AR(1) 0.7 of days":
            errors += 0.35 * _autoregression(random, [0.7], count // 24 + 1)[at // 24]
        case "AR(1) 0.5 + weekly cycle":
            errors += np.array([1.5, 0.5, 0.0, 0.0, -0.5, -1.0, -0.5])[at % 7]
    return errors


def _autoregression(random: np.random.Generator, phi: list[float], count: int) -> Values:
    noise = random.standard_normal(count + _BURN_IN)
    values: Values = lfilter([1.0], np.concatenate([[1.0], -np.array(phi)]), noise)[_BURN_IN:]
    return values


def _hours(random: np.random.Generator, start: int, count: int) -> Values:
    """Intercept, outdoor temperature, production, share of the hour in operation."""
    at = np.arange(start, start + count)
    season = -11 * np.cos(2 * np.pi * at / _HOURS_PER_YEAR)
    weather = 4 * np.sin(2 * np.pi * (at % 24 - 9) / 24) + 0.55 * _autoregression(random, [0.98], count)
    is_on = (at // 24 % 7 < 5) & (at % 24 >= 6) & (at % 24 < 22)
    running = is_on * (1 - 0.1 * random.random(count))
    order = 1 + 0.2 * _autoregression(random, [0.5], count // 24 + 1)[np.arange(count) // 24]
    speed = 0.55 + 0.45 * random.random(count // 2 + 1)[np.arange(count) // 2]
    return np.column_stack([np.ones(count), 10 + season + weather, 100 * running * speed * order, running])


def _days(random: np.random.Generator, start: int, count: int) -> Values:
    """Intercept, outdoor temperature, production, hours in operation."""
    at = np.arange(start, start + count)
    weather = -11 * np.cos(2 * np.pi * at / 365.25) + 2 * _autoregression(random, [0.75], count)
    is_on = at % 7 < 5
    production = is_on * (1000 + 170 * _autoregression(random, [0.5], count))
    return np.column_stack(
        [np.ones(count), 10 + weather, production, is_on * (14 + 2 * random.random(count))]
    )


def _kept(random: np.random.Generator, study: Study) -> Values:
    kept = random.random(study.training + study.reporting) > _MISSING
    outage = 48 if study.interval == "hour" else 3
    for first, length in ((0, study.training), (study.training, study.reporting)):
        begins = first + int(random.integers(outage, length - 2 * outage))
        kept[begins : begins + outage] = False
    return kept


def _print_study() -> None:
    sizes: list[tuple[Interval, int, int]] = [
        ("hour", 2160, 720), ("hour", 2160, 2160), ("hour", 8760, 2160),
        ("day", 365, 30), ("day", 365, 90), ("day", 365, 365), ("day", 90, 30), ("day", 90, 90),
    ]  # fmt: skip
    print("| training, reporting | errors | " + " | ".join(METHODS) + " |")
    print("| --- " * (len(METHODS) + 2) + "|")
    for interval, training, reporting in sizes:
        for errors in HOURLY if interval == "hour" else DAILY:
            found = coverage(Study(interval, training, reporting, errors), METHODS, RUNS)
            widest = found["ours"][1]
            cells = [
                f"{' '.join(f'{100 * share:.0f}' for share in shares[:-1])} {100 * shares[-1]:.1f}, "
                f"{width / widest:.2f}"
                for shares, width in found.values()
            ]
            print(
                f"| {interval}s {training}, {reporting} | {errors} | " + " | ".join(cells) + " |", flush=True
            )


if __name__ == "__main__":
    _print_study()
