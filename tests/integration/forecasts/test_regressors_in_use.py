"""Weather that moves a load: learned from what was measured, used where it is foretold, else done without.

And stops that are planned.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pytest
from integration.baselines.works import FACTORY, MACHINE, Works
from integration.forecasts.loads import HOUR, add_machine, this_hour

from enms.database.connection import Database
from enms.science.arrays import Values
from enms.science.forecasting.forecaster import Forecaster, train
from enms.science.forecasting.horizons import HORIZONS
from enms.science.forecasting.series import LoadSeries
from enms.services import forecast_regressors
from enms.services.forecast_series import read_series
from enms.services.forecast_subjects import find_subject
from enms.services.regressor_checks import NewRegressor, NewValue

DAY_AHEAD = HORIZONS["24h"]
PAST_DAYS = 70


@dataclass
class Heated:
    """A machine that heats: 2 kW for each degree below 20, more by day; its weather has no season."""

    database: Database
    works: Works

    def __post_init__(self) -> None:
        draw = np.random.default_rng(5)
        self.origin = this_hour()
        hours = (PAST_DAYS + 3) * 24
        level = np.repeat(np.cumsum(draw.normal(0, 3, PAST_DAYS + 3)) % 18, 24)
        self.celsius = level + 2 * np.sin(np.arange(hours) / 24 * 2 * np.pi) + draw.normal(0, 0.3, hours)
        day = np.where(np.arange(hours) % 24 < 12, 8.0, 0.0)
        self.power_kw = 20 + 2 * np.maximum(20 - self.celsius, 0) + day + draw.normal(0, 0.5, hours)
        self.first = self.origin - timedelta(days=PAST_DAYS)

    @property
    def past(self) -> int:
        return PAST_DAYS * 24

    @property
    def truth(self) -> Values:
        """The day to come."""
        return self.power_kw[self.past : self.past + 24]

    def read(self) -> None:
        """Its past, and what it measured outdoors."""
        add_machine(self.works, MACHINE, "Press", interval_seconds=3600, rated_power_kw=100)
        self.works.draw(self.first, self.power_kw[: self.past].tolist(), step=HOUR)
        self.works.add(
            "environment",
            [
                {"time": self.first + n * HOUR, "outdoor_temp_c": round(value, 2)}
                for n, value in enumerate(self.celsius[: self.past].tolist())
            ],
        )

    def foretell(self, hours: int) -> None:
        """What the weather service says of the next hours."""
        coming = self.celsius[self.past : self.past + hours].tolist()
        values = [
            NewValue(self.origin + n * HOUR, self.origin + (n + 1) * HOUR, value)
            for n, value in enumerate(coming)
        ]
        forecast_regressors.receive(
            self.database,
            NewRegressor(factory_id=FACTORY, name="outdoor", kind="temperature", values=values),
        )

    def forget(self) -> None:
        """As if nobody had foretold anything."""
        self.works.rows("DELETE FROM analytics.forecast_regressors")

    def series(self) -> LoadSeries:
        with self.database.connection() as connection:
            subject = find_subject(self.database, MACHINE, None)
            return read_series(connection, subject, "electrical", DAY_AHEAD, self.origin)

    def error_kw(self, forecaster: Forecaster) -> float:
        """Mean absolute error of the next day's forecast."""
        power_kw = forecaster.forecast(self.series()).power_kw
        assert np.isfinite(power_kw).all()
        return float(np.abs(power_kw - self.truth).mean())


@pytest.fixture
def heated(database: Database, works: Works) -> Heated:
    """With its past in the database."""
    heated = Heated(database, works)
    heated.read()
    return heated


def test_a_weather_forecast_of_the_next_days_is_enough(heated: Heated) -> None:
    without = train(heated.series(), DAY_AHEAD, cheap=True)
    assert (without.regressors_used, dict(without.regressors_left_out)) == ((), {})
    heated.foretell(48)
    informed = train(heated.series(), DAY_AHEAD, cheap=True)
    assert informed.regressors_used == ("outdoor",)
    assert heated.error_kw(informed) < 0.5 * heated.error_kw(without)

    # A model that knew the weather, on a day of which nobody has foretold it, or only a part of it.
    for hours in (0, 12):
        heated.forget()
        if hours:
            heated.foretell(hours)
        assert heated.error_kw(informed) < 4 * heated.error_kw(without)
    again = train(heated.series(), DAY_AHEAD, cheap=True)
    assert again.regressors_used == ()
    assert "steps to come are unknown" in again.regressors_left_out["outdoor"]


def test_a_regressor_that_came_later_changes_nothing(heated: Heated) -> None:
    without = train(heated.series(), DAY_AHEAD, cheap=True)
    before = without.forecast(heated.series()).power_kw
    heated.foretell(48)
    np.testing.assert_array_equal(without.forecast(heated.series()).power_kw, before)


def test_a_planned_stop_is_taken_off_though_there_was_none_before(heated: Heated) -> None:
    usual = train(heated.series(), DAY_AHEAD, cheap=True).forecast(heated.series())
    hours = np.arange(24)
    stops = [
        NewValue(heated.origin - 40 * HOUR, heated.origin - 30 * HOUR, 1.0),
        NewValue(heated.origin + 6 * HOUR, heated.origin + 12 * HOUR, 1.0),
        NewValue(heated.origin + 12 * HOUR, heated.origin + 13 * HOUR, 0.5),
    ]
    forecast_regressors.receive(
        heated.database,
        NewRegressor(factory_id=FACTORY, name="revision", kind="planned_stop", values=stops),
    )
    forecaster = train(heated.series(), DAY_AHEAD, cheap=True)
    stopped = forecaster.forecast(heated.series())
    remaining = np.where((hours >= 6) & (hours < 12), 0, np.where(hours == 12, 0.5, 1))
    np.testing.assert_allclose(stopped.power_kw, usual.power_kw * remaining, rtol=0.05, atol=0.5)
    assert (stopped.lower_80_kw[6:12] == 0).all()
    assert "A stop is planned in 7 of the 24 steps to come: it is taken off." in stopped.notes
    assert forecaster.regressors_used == ()


def test_a_stop_that_was_planned_is_not_learned_from(heated: Heated) -> None:
    before = train(heated.series(), DAY_AHEAD, cheap=True).forecast(heated.series()).power_kw
    # The machine stood still yesterday.
    yesterday = heated.origin - 24 * HOUR
    heated.works.rows(
        "UPDATE energy_readings SET power_kw = 0, energy_kwh = 0 WHERE time >= %s", (yesterday,)
    )
    poisoned = train(heated.series(), DAY_AHEAD, cheap=True).forecast(heated.series()).power_kw
    forecast_regressors.receive(
        heated.database,
        NewRegressor(
            machine_id=MACHINE, name="stops", kind="planned_stop", is_history=True,
            values=[NewValue(yesterday, heated.origin, 1.0)],
        ),
    )  # fmt: skip
    explained = train(heated.series(), DAY_AHEAD, cheap=True).forecast(heated.series()).power_kw
    assert np.abs(explained - before).mean() < 0.5 * np.abs(poisoned - before).mean()
