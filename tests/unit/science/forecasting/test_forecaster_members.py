"""Which models serve: kept ones, ones that fail, and ones whose regressors are unknown."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
from unit.science.forecasting.loads import load, usual
from unit.science.forecasting.rule import Rule, competing

from enms.science.forecasting.forecaster import Forecaster, train
from enms.science.forecasting.horizons import NEXT_DAY
from enms.science.forecasting.series import LoadSeries
from enms.science.forecasting.window import Window
from enms.science.problems import UnfitError

ORIGIN = "2026-02-10"
QUICK = replace(NEXT_DAY, proof_days=8)


@pytest.fixture(scope="module")
def series() -> LoadSeries:
    return load(NEXT_DAY, ORIGIN, days=38)


@pytest.fixture(scope="module")
def trained(series: LoadSeries) -> Forecaster:
    return train(series, QUICK, cheap=True)


def test_a_choice_is_kept_beside_what_was_chosen(monkeypatch: pytest.MonkeyPatch, series: LoadSeries) -> None:
    # It is worse than the other, and yet answers when it is asked for.
    competing(monkeypatch, Rule(), Rule(name="prophet", fails=60.0))
    trained = train(series, QUICK)
    assert trained.choices == ("selected", "prophet")
    assert "prophet" not in trained.chosen
    assert trained.forecast(series, "prophet").power_kw.tolist() == [60.0] * 24
    wide, narrow = (trained.forecast(series, each) for each in ("prophet", "selected"))
    assert (wide.upper_80_kw - wide.lower_80_kw).mean() > (narrow.upper_80_kw - narrow.lower_80_kw).mean()


def test_a_model_that_runs_away_is_left_out_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, series: LoadSeries
) -> None:
    competing(monkeypatch, Rule())
    trained = train(series, QUICK)
    assert trained.chosen[0] == "rule"
    failing = {**trained.members.fitted, "rule": Rule(fails=1e12)}
    broken = replace(trained, members=replace(trained.members, fitted=failing))
    made = broken.forecast(series)
    assert any(each.startswith("rule is left out of this forecast: it ran away") for each in made.notes)
    assert made.power_kw.max() < 200


def test_with_less_past_than_it_needs_the_naive_stands_in(trained: Forecaster) -> None:
    series = load(NEXT_DAY, ORIGIN, days=8)
    made = trained.forecast(series)
    assert made.power_kw.tolist() == pytest.approx(series.power_kw[-7 * 24 :][:24].tolist())
    assert trained.chosen == ("weekly median",)
    assert made.notes == (
        "weekly median is left out of this forecast: it needs 14 days of readings.",
        "The same time of the last week stands in for it.",
    )


class TestRegressors:
    """A regressor that adds its own kilowatts."""

    def _series(self, series: LoadSeries) -> LoadSeries:
        adds = np.random.default_rng(6).uniform(0, 60, len(series.starts_at) + 24)
        return replace(
            series, power_kw=series.power_kw + adds[: len(series.starts_at)], regressors={"shifts": adds}
        )

    def test_a_known_one_is_used(self, monkeypatch: pytest.MonkeyPatch, series: LoadSeries) -> None:
        competing(monkeypatch, Rule())
        told = self._series(series)
        trained = Forecaster.from_document(json.loads(json.dumps(train(told, QUICK).to_document())))
        assert (trained.regressors_used, trained.regressors_left_out) == (("shifts",), {})
        truth = usual(told.future_starts_at, NEXT_DAY, told.zone) + told.regressors["shifts"][-24:]
        made = trained.forecast(told)
        assert np.abs(made.power_kw - truth).max() < 1
        assert made.notes == ()

    def test_without_its_future_the_model_fitted_without_it_serves(
        self, monkeypatch: pytest.MonkeyPatch, series: LoadSeries
    ) -> None:
        competing(monkeypatch, Rule())
        told = self._series(series)
        trained = train(told, QUICK)
        made = trained.forecast(replace(told, regressors={}))
        assert made.power_kw.tolist() == usual(told.future_starts_at, NEXT_DAY, told.zone).tolist()
        assert made.notes == ("Made without shifts: its coming values are unknown.",)

    def test_one_that_was_unknown_in_training_is_told(self, series: LoadSeries) -> None:
        told = self._series(series)
        told.regressors["shifts"][-5:] = np.nan
        trained = train(told, QUICK, cheap=True)
        assert trained.regressors_used == ()
        assert trained.regressors_left_out == {"shifts": "5 of the 24 steps to come are unknown"}


@dataclass(frozen=True)
class Stubborn(Rule):
    """Can be fitted to all but the last past."""

    refuses_at: int = 0

    def fit(self, window: Window) -> "Stubborn":
        if window.first_step + len(window) == self.refuses_at:
            raise UnfitError("nothing", "there is nothing to learn")
        return self


def test_what_cannot_be_fitted_at_last_serves_as_it_was_proven(
    monkeypatch: pytest.MonkeyPatch, series: LoadSeries
) -> None:
    end = int(series.future_starts_at[0]) // 3600 + 1
    competing(monkeypatch, Stubborn(refuses_at=end))
    trained = train(series, QUICK)
    assert trained.forecast(series).power_kw.max() == pytest.approx(120, abs=4)
