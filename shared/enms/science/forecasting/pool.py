"""Which candidates compete at a horizon."""

from enms.science.forecasting.candidate import Candidate
from enms.science.forecasting.candidates.arima import Arima
from enms.science.forecasting.candidates.autoregression import Autoregression
from enms.science.forecasting.candidates.boosting import Boosting
from enms.science.forecasting.candidates.dynamic_regression import DynamicRegression
from enms.science.forecasting.candidates.exponential import ExponentialSmoothing
from enms.science.forecasting.candidates.mstl import Mstl
from enms.science.forecasting.candidates.persistence import Persistence
from enms.science.forecasting.candidates.profile_regression import ProfileRegression
from enms.science.forecasting.candidates.prophet_model import ProphetModel
from enms.science.forecasting.candidates.seasonal import LAST_WEEK, YESTERDAY
from enms.science.forecasting.candidates.short_boosting import ShortBoosting
from enms.science.forecasting.candidates.weekly_median import WeeklyMedian
from enms.science.forecasting.candidates.weekly_profile import MEAN_OF_FOUR_WEEKS
from enms.science.forecasting.horizons import HOUR_SECONDS, Horizon

_HOURLY: tuple[Candidate, ...] = (
    YESTERDAY,
    LAST_WEEK,
    WeeklyMedian(),
    DynamicRegression(),
    Mstl(),
    Boosting(),
    ProphetModel(),
)
# Quarter hours and days.
_QUARTER_HOURLY: tuple[Candidate, ...] = (
    YESTERDAY,
    LAST_WEEK,
    Persistence(),
    Autoregression(),
    Arima(),
    ShortBoosting(),
)
_DAILY: tuple[Candidate, ...] = (
    LAST_WEEK,
    MEAN_OF_FOUR_WEEKS,
    ExponentialSmoothing(),
    ProfileRegression(),
    Mstl(),
    ProphetModel(),
)


def candidates_of(horizon: Horizon) -> tuple[Candidate, ...]:
    """The candidates of a horizon, the naive ones first."""
    if horizon.step_seconds == HOUR_SECONDS:
        return _HOURLY
    return _QUARTER_HOURLY if horizon.steps_per_day > 1 else _DAILY
