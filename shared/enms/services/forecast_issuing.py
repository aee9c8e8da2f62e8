"""A forecast made of a model and of what came since it was trained, ready to be kept."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np

from enms.artifacts import DamagedArtifactError
from enms.database import forecast_issues
from enms.database.connection import Connection
from enms.database.forecast_issues import NewIssue
from enms.errors import InvalidInputError
from enms.science.arrays import Values
from enms.science.forecasting.clock import Clocked, on_local_clock
from enms.science.forecasting.forecast import Forecast, LiveErrors
from enms.science.forecasting.forecaster import Forecaster
from enms.science.forecasting.guards import seasonal_naive
from enms.science.forecasting.horizons import Horizon
from enms.science.forecasting.metrics import naive_scale
from enms.science.forecasting.series import LoadSeries
from enms.science.problems import UnfitError
from enms.services.forecast_origins import LONGEST_SILENCE
from enms.services.forecast_series import future_edges, read_series
from enms.services.forecast_subjects import Subject
from enms.services.forecast_training import history_of

# Steps of recent issues whose errors adapt the bands: two weeks of hourly forecasts of a day.
_LIVE_STEPS, _MOST_LIVE_ISSUES = 14 * 24 * 24, 1_000


def read_past(connection: Connection, subject: Subject, energy_type: str, horizon: Horizon) -> LoadSeries:
    """The load that a model's state is brought up to date with, and holidays are told by."""
    return read_series(connection, subject, energy_type, horizon, with_peaks=False)


def make(
    connection: Connection,
    subject: Subject,
    energy_type: str,
    series: LoadSeries,
    forecaster: Forecaster,
    model_id: UUID | None,
    choice: str,
    actor: str,
) -> NewIssue:
    """Forecasts from where a series ends; nothing is fitted.

    Args:
        connection: The database.
        subject: Whose.
        energy_type: Of which carrier.
        series: From `read_past`.
        forecaster: The model.
        model_id: Its row; None where none is kept.
        choice: Of the model's choices.
        actor: Who or what asks for it.

    Raises:
        DamagedArtifactError: The model is none that can be asked.
        InvalidInputError: There is no reading to forecast from.
    """
    horizon = forecaster.horizon
    live = _live(connection, subject, energy_type, horizon, choice)
    try:
        forecast = forecaster.forecast(series, choice, live)
        clocked = on_local_clock(series)
    except UnfitError as error:
        raise InvalidInputError(f"{subject.name}: {error.message}", code=error.code) from error
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        # What a former version of a candidate wrote may be read, and yet not be what it asks for now.
        raise DamagedArtifactError(
            f"The model of {subject.name} for {horizon.name} can't be asked ({error}): train it again."
        ) from error
    told: dict[str, Any] = history_of(connection, subject, energy_type, series)
    origin_at = _instant(series.future_starts_at[0])
    edges = future_edges(origin_at, horizon.step_seconds, horizon.points, subject.timezone)
    return NewIssue(
        model_id=model_id,
        machine_id=subject.id if subject.kind == "machine" else None,
        factory_id=subject.id if subject.kind == "factory" else None,
        energy_type=energy_type,
        horizon=horizon.name,
        choice=choice,
        made_by=actor,
        origin_at=origin_at,
        ends_at=_instant(edges[-1]),
        step_seconds=horizon.step_seconds,
        starts_at=[_instant(at) for at in forecast.starts_at],
        naive_kw=_naive(forecaster, clocked).tolist(),
        scale_kw=_scale(clocked, horizon),
        members=forecaster.servings[choice].choice.members,
        regressors=[name for name in forecaster.regressors_used if name in clocked.window.regressors],
        regressors_left_out={**forecaster.regressors_left_out, **clocked.left_out},
        notes=[*forecast.notes, *_notes(subject, origin_at)],
        **_figures(forecast),
        **told,
    )


def _figures(forecast: Forecast) -> dict[str, Any]:
    """What a forecast says, as it is kept."""
    bands = ("power_kw", "lower_80_kw", "upper_80_kw", "lower_95_kw", "upper_95_kw")
    return {
        **{name: getattr(forecast, name).tolist() for name in bands},
        "peak_at": _instant(forecast.peak.at),
        "peak_power_kw": forecast.peak.power_kw,
        "peak_quantiles_kw": forecast.peak.quantiles_kw.tolist(),
    }


def _live(
    connection: Connection, subject: Subject, energy_type: str, horizon: Horizon, choice: str
) -> LiveErrors | None:
    """How the newest issues fared whose truth has come; None where there are none."""
    most = min(_LIVE_STEPS // horizon.points, _MOST_LIVE_ISSUES)
    scored = forecast_issues.recent_scored(connection, subject.id, energy_type, horizon.name, choice, most)
    # Where clocks jumped, an issue of days may have had fewer steps.
    whole = [issue for issue in scored if len(issue["power_kw"]) == horizon.points]
    if not whole:
        return None
    actual_kw, power_kw = (np.array([issue[name] for issue in whole]) for name in ("actual_kw", "power_kw"))
    origins = np.array([int(issue["origin_at"].timestamp()) for issue in whole], dtype=np.int64)
    return LiveErrors(origins, power_kw, actual_kw - power_kw)


def _naive(forecaster: Forecaster, clocked: Clocked) -> Values:
    """What the better seasonal naive of the backtest says, NaN where it has nothing to repeat, shape (h,)."""
    window = clocked.window
    mase = {row.name: row.mase for row in forecaster.table}
    day, week = (mase.get(f"seasonal naive ({each})") for each in ("day", "week"))
    season = window.steps_per_day if day is not None and (week is None or day < week) else window.week
    if len(window) < season:
        return np.full(len(clocked.places), np.nan)
    naive_kw: Values = seasonal_naive(window, season)[clocked.places]
    return naive_kw


def _scale(clocked: Clocked, horizon: Horizon) -> float | None:
    """The scale of MASE at the origin; None where nothing tells it."""
    past = clocked.window.last(horizon.training_days * clocked.window.steps_per_day)
    scale_kw = naive_scale(past.power_kw, past.season, past.weights > 0)
    return scale_kw if np.isfinite(scale_kw) and scale_kw > 0 else None


def _notes(subject: Subject, origin_at: datetime) -> list[str]:
    """What the instant at which it begins has to say."""
    age = datetime.now(UTC) - origin_at
    if age <= LONGEST_SILENCE:
        return []
    return [f"The readings of {subject.name} ended {age.days} days ago: the forecast begins there, not now."]


def _instant(seconds: Any) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
