"""A fit with all its inference, beside bare least squares and beside statsmodels, in one process."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import median

import numpy as np
from statsmodels.regression.linear_model import OLS

from benchmarks.load import medians
from benchmarks.table import Figure
from enms.science.arrays import Values
from enms.science.baseline.fit import fit_terms
from enms.science.baseline.observations import Observations
from enms.science.baseline.terms import Numeric, design_matrix

ROWS = 2_160
DRIVERS = 5
RUNS = 5
ROUNDS = 40


def rows() -> Iterator[Figure]:
    """The two ratios; each round times the three one after another."""
    ours, bare, theirs = medians(partial(_medians_of_one_run, _observations()), RUNS)
    yield Figure(
        "baseline-fit",
        f"fit with all inference, {ROWS} × {DRIVERS} ÷ numpy.linalg.lstsq",
        "≤ 15, and ≤ 15 ms",
        f"{ours / bare:.1f} ({ours * 1e3:.2f} ÷ {bare * 1e3:.2f} ms)",
        ours / bare <= 15 and ours <= 0.015,
    )
    yield Figure(
        "baseline-fit",
        "the same ÷ statsmodels OLS fit, summary and influence",
        "≤ 0.5",
        f"{ours / theirs:.3f} ({ours * 1e3:.2f} ÷ {theirs * 1e3:.1f} ms)",
        ours / theirs <= 0.5,
    )


def _observations() -> Observations:
    random = np.random.default_rng(1)
    drivers = {f"production.driver_{i}": random.normal(10.0, 2.0, ROWS) for i in range(DRIVERS)}
    noise = random.normal(size=ROWS)
    for i in range(1, ROWS):
        noise[i] += 0.5 * noise[i - 1]
    return Observations("hour", np.arange(ROWS), 50 + sum(drivers.values()) + noise, drivers)


def _medians_of_one_run(data: Observations) -> Sequence[float]:
    terms = [Numeric(name) for name in data.drivers]
    design = design_matrix(terms, data)
    contenders: list[Callable[[], object]] = [
        lambda: fit_terms(data, terms),
        lambda: np.linalg.lstsq(design, data.energy_kwh, rcond=None),
        lambda: _statsmodels(design, data.energy_kwh),
    ]
    for contender in contenders:
        contender()
    seconds: list[list[float]] = [[] for _ in contenders]
    for _ in range(ROUNDS):
        for contender, taken in zip(contenders, seconds, strict=True):
            started = time.perf_counter()
            contender()
            taken.append(time.perf_counter() - started)
    return [median(taken) for taken in seconds]


def _statsmodels(design: Values, target: Values) -> object:
    fit = OLS(target, design).fit()
    influence = fit.get_influence()
    return fit.summary(), influence.cooks_distance, influence.hat_matrix_diag
