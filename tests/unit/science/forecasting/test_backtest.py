"""Every origin sees what lay before it, once."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from enms.science.arrays import Values
from enms.science.forecasting.backtest import Rolling
from enms.science.forecasting.candidates.seasonal import LAST_WEEK, YESTERDAY
from enms.science.forecasting.horizons import NEXT_DAY
from enms.science.forecasting.window import Window
from enms.science.problems import UnfitError

DAYS = 80
HOURS = 24 * DAYS


def _window() -> Window:
    power_kw = 100 + 10 * np.sin(np.arange(HOURS) / 24 * 2 * np.pi) + np.arange(HOURS) // 24
    return Window(3_600, 0, power_kw, np.ones(HOURS), 24, np.zeros(HOURS + 24, dtype=bool))


@dataclass
class Witness:
    """Notes what it was shown."""

    name: str = "witness"
    cost: int = 1
    least_days: float = 1.0
    uses_regressors: bool = False
    fitted_until: list[int] = field(default_factory=list)
    asked_until: list[int] = field(default_factory=list)
    value: float = 1.0
    refuses: bool = False

    def fit(self, window: Window) -> "Witness":
        if self.refuses:
            raise UnfitError("nothing", "there is nothing to learn")
        self.fitted_until.append(window.first_step + len(window))
        return self

    def load(self, document: dict[str, Any]) -> "Witness":
        return self

    def forecast(self, window: Window) -> Values:
        self.asked_until.append(window.first_step + len(window))
        return np.full(window.points, self.value)

    def document(self) -> dict[str, Any]:
        return {}


def test_an_origin_is_fitted_and_asked_once_with_what_lay_before() -> None:
    witness = Witness()
    rolling = Rolling(_window(), NEXT_DAY)
    rolling.trials([witness], [24 * 60, 24 * 61])
    rolling.trials([witness], [24 * 61])
    assert witness.fitted_until == [24 * 60, 24 * 61]
    assert witness.asked_until == [24 * 60, 24 * 61]


def test_between_two_fits_the_state_goes_on() -> None:
    witness = Witness()
    Rolling(_window(), NEXT_DAY, fit_every_steps=24 * 7).trials(
        [witness], [24 * 63, 24 * 64, 24 * 69, 24 * 70]
    )
    assert witness.fitted_until == [24 * 63, 24 * 70]
    assert len(witness.asked_until) == 4


def test_errors_are_scaled_by_the_training_window_of_their_origin() -> None:
    # Each day lies 1 kW above the one before.
    trials = Rolling(_window(), NEXT_DAY).trials([YESTERDAY, LAST_WEEK], [24 * 70])
    np.testing.assert_allclose(trials.scale_kw, 1.0)
    np.testing.assert_allclose(trials.scaled_errors(YESTERDAY.name), 1.0)
    np.testing.assert_allclose(trials.scaled_errors(LAST_WEEK.name), 7.0)


def test_what_was_not_measured_is_not_judged_by() -> None:
    weights = np.ones(HOURS)
    weights[24 * 70 + 3] = 0
    trials = Rolling(replace(_window(), weights=weights), NEXT_DAY).trials([YESTERDAY], [24 * 70])
    assert np.flatnonzero(np.isnan(trials.actual_kw)).tolist() == [3]


def test_a_choice_sees_only_what_had_come() -> None:
    trials = Rolling(_window(), NEXT_DAY).trials([YESTERDAY], [24 * 60, 24 * 61, 24 * 62])
    assert trials.before(24 * 62).origins.tolist() == [24 * 60, 24 * 61]
    assert trials.before(24 * 62 - 1).origins.tolist() == [24 * 60]


def test_a_model_that_can_not_be_fitted_says_why_and_has_no_figures() -> None:
    rolling = Rolling(_window(), NEXT_DAY)
    trials = rolling.trials([Witness(refuses=True), Witness(name="late", least_days=70)], [24 * 60])
    assert np.isnan(trials.forecast_kw["witness"]).all()
    assert rolling.refusals == {"witness": "there is nothing to learn", "late": "it needs 70 days"}


def test_a_model_that_runs_away_is_replaced_and_named() -> None:
    rolling = Rolling(_window(), NEXT_DAY)
    trials = rolling.trials([Witness(value=1e12), LAST_WEEK], [24 * 60])
    np.testing.assert_array_equal(trials.forecast_kw["witness"], trials.forecast_kw[LAST_WEEK.name])
    assert "ran away to 1e+12 kW" in rolling.refusals["witness"]
