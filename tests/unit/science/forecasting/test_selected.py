"""Rolled-out choices see the past of each origin only."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from unit.science.forecasting.plant import plant

from enms.science.arrays import Values
from enms.science.forecasting.candidates.seasonal import LAST_WEEK, YESTERDAY
from enms.science.forecasting.candidates.weekly_median import WeeklyMedian
from enms.science.forecasting.horizons import NEXT_DAY, NEXT_WEEK_HOURLY
from enms.science.forecasting.selected import SELECTED, proof_origins, roll_selected
from enms.science.forecasting.window import Window

CANDIDATES = (YESTERDAY, LAST_WEEK, WeeklyMedian())
END = 24 * 98
ORIGINS = [END - 24 * back for back in (3, 2, 1)]


@dataclass(frozen=True)
class Oracle:
    """Knows the truth until a step, from which on it is far off."""

    power_kw: Values
    until: int
    name: str = "oracle"
    cost: int = 2
    least_days: float = 1.0
    uses_regressors: bool = False

    def fit(self, window: Window) -> "Oracle":
        return self

    def load(self, document: dict[str, Any]) -> "Oracle":
        return self

    def document(self) -> dict[str, Any]:
        return {}

    def forecast(self, window: Window) -> Values:
        places = np.arange(window.points) + window.first_step + len(window) - plant().first_step
        return self.power_kw[places] + np.where(places >= self.until, 90.0, 0.0)


def test_origins_of_the_proof_are_those_whose_truth_has_come() -> None:
    origins = proof_origins(NEXT_DAY, END)
    assert len(origins) == NEXT_DAY.proof_days
    assert origins[-1] + NEXT_DAY.points == END
    assert origins == sorted(origins)
    assert proof_origins(NEXT_WEEK_HOURLY, END)[-1] + NEXT_WEEK_HOURLY.points <= END
    assert proof_origins(NEXT_DAY, 24 * 3) == [24, 48]


def test_selected_is_what_the_choices_say() -> None:
    rolled = roll_selected(plant(days=98), NEXT_DAY, ORIGINS, CANDIDATES)
    assert rolled.trials.origins.tolist() == ORIGINS
    assert set(rolled.trials.forecast_kw) == {each.name for each in CANDIDATES} | {SELECTED}
    for row, choice in enumerate(rolled.choices):
        said = {name: values[row] for name, values in rolled.trials.forecast_kw.items()}
        np.testing.assert_allclose(said[SELECTED], choice.combined(said))
    # Of noise around fixed shifts the median errs less than any one week.
    assert all("weekly median" in choice.members for choice in rolled.choices)
    naive, selected = (rolled.trials.scaled_errors(name).mean() for name in (LAST_WEEK.name, SELECTED))
    assert selected < 0.9 * naive


def test_what_comes_after_an_origin_changes_nothing_there() -> None:
    window = plant(days=98)
    changed = window.power_kw.copy()
    changed[ORIGINS[1] :] = 0.0
    before = roll_selected(window, NEXT_DAY, ORIGINS[:2], CANDIDATES)
    after = roll_selected(replace(window, power_kw=changed), NEXT_DAY, ORIGINS[:2], CANDIDATES)
    assert before.choices == after.choices
    np.testing.assert_array_equal(before.trials.forecast_kw[SELECTED], after.trials.forecast_kw[SELECTED])


def test_a_candidate_that_fails_from_an_origin_on_is_found_out_one_origin_later() -> None:
    window = plant(days=98)
    oracle = Oracle(window.power_kw, until=ORIGINS[1])
    rolled = roll_selected(window, NEXT_DAY, ORIGINS, (*CANDIDATES, oracle))
    assert rolled.choices[0].members == rolled.choices[1].members == ("oracle",)
    assert rolled.choices[2].members != ("oracle",)


def test_without_a_past_to_prove_by_the_naive_serves() -> None:
    rolled = roll_selected(plant(days=98), NEXT_DAY, [24 * 8], CANDIDATES)
    assert rolled.choices[0].members[0].startswith("seasonal naive")
    assert np.isfinite(rolled.trials.forecast_kw[SELECTED]).all()


def test_no_origin_gives_nothing() -> None:
    rolled = roll_selected(plant(), NEXT_DAY, [], CANDIDATES)
    assert rolled.choices == ()
    assert rolled.trials.forecast_kw[SELECTED].shape == (0, 24)
