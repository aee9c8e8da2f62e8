"""From the first reading on there is a forecast; what is missing is said."""

from dataclasses import replace

import numpy as np
import pytest
from unit.science.forecasting.loads import load, usual

from enms.science.forecasting.forecaster import Forecaster, train
from enms.science.forecasting.horizons import HORIZONS, NEXT_DAY, NEXT_HOUR, NEXT_WEEK, Horizon
from enms.science.problems import UnfitError


@pytest.mark.parametrize("horizon", HORIZONS.values(), ids=lambda each: each.name)
@pytest.mark.parametrize("days", [0.05, 0.4, 1.0, 1.9, 2.1, 6.0, 13.0])
def test_there_is_a_forecast_at_once(horizon: Horizon, days: float) -> None:
    series = load(horizon, "2026-02-10", days=max(days, 1 / horizon.steps_per_day))
    forecaster = Forecaster.from_document(train(series, horizon).to_document())
    made = forecaster.forecast(series)
    assert len(made.power_kw) == horizon.points
    assert (made.lower_95_kw <= made.power_kw).all()
    assert (made.power_kw <= made.upper_95_kw).all()
    assert (made.upper_95_kw > made.lower_95_kw).all()
    assert (forecaster.table, forecaster.choices) == ((), ("selected",))
    assert forecaster.notes[0].startswith("There are ")


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (
            0.5,
            "There are 12 hours of readings. The last readings' mean is carried on; a daily profile needs 2 ",
        ),
        (
            5,
            "There are 5 days of readings. The days' mean profile stands; a model is proven from 18 days on.",
        ),
        (16, "There are 16 days of readings. The weeks' mean profile stands; "),
    ],
)
def test_it_says_what_is_missing(days: float, text: str) -> None:
    assert train(load(NEXT_DAY, "2026-02-10", days=days), NEXT_DAY).notes[0].startswith(text)


def test_two_days_make_a_profile_and_two_weeks_a_weekly_one() -> None:
    # From a Tuesday to a Thursday; then a Saturday is ahead.
    series = load(NEXT_DAY, "2026-02-12", days=2, noise_kw=0.0)
    made = train(series, NEXT_DAY).forecast(series)
    assert made.power_kw.tolist() == pytest.approx(usual(made.starts_at, NEXT_DAY, series.zone).tolist())
    series = load(NEXT_DAY, "2026-02-14", days=16, noise_kw=0.0)
    made = train(series, NEXT_DAY).forecast(series)
    assert made.power_kw.tolist() == pytest.approx([20.0] * 24)


def test_hours_are_carried_on_with_wide_intervals() -> None:
    series = load(NEXT_HOUR, "2026-02-10 12:00", days=4 / 96, noise_kw=0.0)
    made = train(series, NEXT_HOUR).forecast(series)
    assert made.power_kw.tolist() == pytest.approx([120.0] * 4)
    assert (made.upper_95_kw - made.lower_95_kw).min() > 100


def test_days_are_the_mean_until_weekdays_tell() -> None:
    series = load(NEXT_WEEK, "2026-02-10", days=8, noise_kw=0.0)
    made = train(series, NEXT_WEEK).forecast(series)
    assert made.power_kw.tolist() == pytest.approx([series.power_kw[-7:].mean()] * 7)


def test_no_reading_at_all_is_an_error() -> None:
    series = load(NEXT_DAY, "2026-02-10", days=3)
    with pytest.raises(UnfitError) as refused:
        train(replace(series, power_kw=np.full(72, np.nan)), NEXT_DAY)
    assert refused.value.code == "no-readings"
