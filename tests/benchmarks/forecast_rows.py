"""Forecasts of real loads beside what standard tools reach on the same origins.

The files lie beside the checkout; where they don't, the rows say so.
"""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import numpy as np

from benchmarks.forecast_files import NAMES, Errors, evaluation
from benchmarks.real_data import DATA
from benchmarks.table import Figure
from enms_local.evaluate.forecasts import Score

# Selection may cost so much against the candidate that turned out best.
_REGRET = 1.03
_LEAST_80, _MOST_80, _LEAST_95, _MOST_95 = 0.76, 0.84, 0.92, 0.97
_MOST_OF_NAIVE, _USUAL_OF_NAIVE = 1.02, 0.9
_PJM_HOURS = 24
# Long enough for four times the weekly origins.
_OF_YEARS = ("aep", "pjm")


def _with_data(rows: Callable[[], Iterator[Figure]]) -> Callable[[], Iterator[Figure]]:
    @wraps(rows)
    def guarded() -> Iterator[Figure]:
        if DATA.is_dir():
            yield from rows()
        else:
            missing = f"{DATA.parent.name}/{DATA.name} isn't beside the checkout"
            yield Figure("forecast", "real loads", "-", missing, None)

    return guarded


@_with_data
def day() -> Iterator[Figure]:
    """The next 24 hours."""
    row = "forecast-day"
    for name, last_origin, most in (("steel", "2018-12-09", 0.445), ("aep", None, 0.506)):
        found = evaluation(name, "24h", 28, last_origin=last_origin)
        yield from _last_and_all(row, f"{name}, 24 h", found, 7, most)
    yield _pjm(row)


@_with_data
def week() -> Iterator[Figure]:
    """The next seven days, in days."""
    row = "forecast-week"
    steel = evaluation("steel", "7d", 12, last_origin="2018-12-03")
    yield _mase(row, "steel, 7 d in daily steps, 12 weekly origins", steel, 12, 0.72)
    aep = evaluation("aep", "7d", 48)
    others = ("seasonal naive (week)", "mean of four weeks")
    better, ours = min(aep.mase(name, 12) for name in others), aep.mase("selected", 12)
    yield Figure(
        row,
        "aep, the same: selected ÷ the better of last week and the mean of four weeks",
        "≤ 0.95",
        f"{ours / better:.3f} ({ours:.3f} ÷ {better:.3f})",
        ours / better <= 0.95,
    )
    yield _regret(row, "aep, 48 weekly origins", aep)
    # A year has no 48 weekly origins with a year's past before them.
    more = evaluation("steel", "7d", 48, last_origin="2018-12-03", origin_every="2d")
    yield _regret(row, "steel, 48 origins every other day", more)


@_with_data
def week_hourly() -> Iterator[Figure]:
    """The next 168 hours, on which the schedule stands."""
    row = "forecast-week-hourly"
    for name, last_origin, most in (("steel", "2018-12-03", 0.73), ("aep", None, 1.26)):
        found = evaluation(name, "7d", 16, step="1h", last_origin=last_origin)
        yield from _last_and_all(row, f"{name}, 168 h", found, 4, most)


@_with_data
def hour() -> Iterator[Figure]:
    """The next four quarter hours."""
    found = evaluation("steel", "1h", 480, last_origin="2018-12-09T23:00")
    yield from _last_and_all("forecast-hour", "steel, one hour in quarter hours", found, 120, 0.45)


@_with_data
def six() -> Iterator[Figure]:
    """All six loads, against the seasonal naive."""
    row = "forecast-six"
    for horizon, origins, names in (("24h", 28, NAMES), ("7d", 12, NAMES), ("7d", 48, _OF_YEARS)):
        ratios = {}
        for name in names:
            last_origin = {"24h": "2018-12-09", "7d": "2018-12-03"}[horizon] if name == "steel" else None
            found = evaluation(name, horizon, origins, last_origin=last_origin)
            ratios[name] = found.mase("selected") / found.naive()
            yield _covered(row, f"{name}, {horizon}, {origins} origins", found.found.selected)
        told = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
        most = sum(ratio < _USUAL_OF_NAIVE for ratio in ratios.values()) > len(ratios) / 2
        yield Figure(
            row,
            f"selected ÷ better seasonal naive, {horizon}, {origins} origins",
            f"≤ {_MOST_OF_NAIVE}, < {_USUAL_OF_NAIVE} on most",
            told,
            max(ratios.values()) <= _MOST_OF_NAIVE and most,
        )


def _last_and_all(row: str, what: str, found: Errors, last: int, most: float) -> Iterator[Figure]:
    yield _mase(row, f"{what}, {last} origins", found, last, most)
    yield _regret(row, f"{what}, {len(found.found.origins)} origins", found)
    yield _covered(row, f"{what}, {len(found.found.origins)} origins", found.found.selected)


def _mase(row: str, what: str, found: Errors, last: int, most: float) -> Figure:
    ours, (name, best) = found.mase("selected", last), found.best(last)
    return Figure(
        row, f"{what}: MASE of selected", f"≤ {most}", f"{ours:.3f} (best single: {name} {best:.3f})",
        ours <= most,
    )  # fmt: skip


def _regret(row: str, what: str, found: Errors) -> Figure:
    ours, (name, best) = found.mase("selected"), found.best()
    return Figure(
        row,
        f"{what}: selected ÷ best single candidate",
        f"≤ {_REGRET}",
        f"{ours / best:.3f} ({ours:.3f} ÷ {best:.3f}, {name})",
        ours <= _REGRET * best,
    )


def _covered(row: str, what: str, score: Score) -> Figure:
    inside_80, inside_95 = score.coverage_80, score.coverage_95
    met = (
        inside_80 is not None
        and inside_95 is not None
        and _LEAST_80 <= inside_80 <= _MOST_80
        and _LEAST_95 <= inside_95 <= _MOST_95
    )
    told = ", ".join("-" if each is None else f"{each:.1%}" for each in (inside_80, inside_95))
    return Figure(row, f"{what}: truth inside the 80 % and 95 % band", "76 to 84 %, 92 to 97 %", told, met)


def _pjm(row: str) -> Figure:
    """By the published protocol: the scale is that of the whole file before its last day."""
    found = evaluation("pjm", "24h", 1)
    past_kw = _whole_past("pjm")
    scale_kw = float(np.nanmean(np.abs(past_kw[_PJM_HOURS:] - past_kw[:-_PJM_HOURS])))
    scores: dict[str, Any] = {**found.found.models, "selected": found.found.selected}
    ours, mstl = (scores[name].mae / scale_kw for name in ("selected", "MSTL + AR"))
    return Figure(
        row,
        "PJM, last 24 h of the file, scaled by the whole file (MSTL 0.587): MASE of selected",
        "≤ 0.60",
        f"{ours:.3f} (MSTL + AR {mstl:.3f})",
        ours <= 0.6,
    )


def _whole_past(name: str) -> np.ndarray:
    from benchmarks.forecast_files import question
    from enms.science.forecasting.clock import on_local_clock
    from enms_local.evaluate.forecast_file import read_load

    asked = question(name, "24h", 1)
    return on_local_clock(read_load(asked, asked.horizon()).series).window.power_kw[:-_PJM_HOURS]
