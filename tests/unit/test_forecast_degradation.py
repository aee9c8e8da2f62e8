"""When a model in use is to be trained again."""

from dataclasses import replace

import pytest

from enms.services.forecast_accuracy import is_degraded
from enms.services.forecast_degradation import Live, Promised, why_degraded

SOUND = Live(steps=72, days=3.0, mase=0.6, ratio_to_naive=0.7, coverage_80=0.8)
PROMISED = Promised(0.5)


def test_what_holds_is_kept() -> None:
    assert why_degraded(SOUND, PROMISED) is None


@pytest.mark.parametrize(
    ("worse", "words"),
    [
        ({"ratio_to_naive": 1.06}, "its errors are 106% of those of the seasonal naive"),
        ({"mase": 0.76}, "its MASE is 0.76, in the backtest it was 0.50"),
        ({"coverage_80": 0.59}, "59% of the loads lay inside the 80 % band"),
    ],
)
def test_what_has_become_worse_is_said(worse: dict[str, float], words: str) -> None:
    live = replace(SOUND, **worse)
    assert is_degraded(live, PROMISED)
    assert words in (why_degraded(live, PROMISED) or "")


@pytest.mark.parametrize("bound", [{"ratio_to_naive": 1.05}, {"mase": 0.75}, {"coverage_80": 0.6}])
def test_bounds_themselves_hold(bound: dict[str, float]) -> None:
    assert not is_degraded(replace(SOUND, **bound), PROMISED)


@pytest.mark.parametrize("few", [{"steps": 13}, {"days": 2.9}])
def test_little_evidence_is_none(few: dict[str, int]) -> None:
    assert not is_degraded(replace(SOUND, ratio_to_naive=3.0, **few), PROMISED)


def test_what_nobody_knows_is_held_against_nobody() -> None:
    nothing = Live(steps=100, days=9.0, mase=None, ratio_to_naive=None, coverage_80=None)
    assert not is_degraded(nothing, PROMISED)
    assert not is_degraded(replace(SOUND, mase=9.0), Promised(None))
    # A load that repeats itself exactly promises nothing to divide by.
    assert not is_degraded(replace(SOUND, mase=9.0), Promised(0.0))


def test_a_promise_is_the_row_of_what_is_asked_for() -> None:
    backtest = {"models": [{"name": "mstl", "mase": 0.4}, {"name": "selected", "mase": 0.45}]}
    assert Promised.of(backtest, "selected") == Promised(0.45)
    assert Promised.of(backtest, "mstl") == Promised(0.4)
    assert Promised.of(backtest, "prophet") == Promised.of({}, "selected") == Promised(None)
