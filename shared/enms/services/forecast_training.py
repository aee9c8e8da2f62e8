"""Training of forecasts: the candidates' proof, and the choice, kept as the next version.

Nothing is kept before a fit is over: one that is cut off leaves the former version serving.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np

from enms.artifacts import ModelStore, forecaster_key, sha256_of
from enms.database import forecast_models, forecast_subjects
from enms.database.connection import Connection, Database, Row
from enms.database.forecast_models import NewForecaster
from enms.errors import InvalidInputError
from enms.observability import logger
from enms.science.forecasting.forecaster import Forecaster
from enms.science.forecasting.forecaster import train as train_forecaster
from enms.science.forecasting.horizons import DAY_SECONDS, Horizon
from enms.science.forecasting.series import LoadSeries
from enms.science.problems import UnfitError
from enms.services.forecast_series import read_series
from enms.services.forecast_shapes import Answer, model_shown
from enms.services.forecast_subjects import Subject
from enms.services.forecasters import to_bytes
from enms.settings import TrainingSettings


def train(
    database: Database,
    store: ModelStore,
    settings: TrainingSettings,
    subject: Subject,
    horizons: Sequence[Horizon],
    energy_type: str,
    actor: str,
    run_id: UUID | None = None,
) -> Answer:
    """Trains a subject's forecasts, each the next version of its horizon, which serves from then on.

    Args:
        database: The database.
        store: Where forecasters are kept.
        settings: Of whoever trains.
        subject: Whose.
        horizons: Which; the first is what was asked for.
        energy_type: The carrier.
        actor: Who or what asks for it.
        run_id: The job's run.

    Returns:
        Of the first horizon: the subject, `horizon`, `model`, `backtest`, `reason`, and whether it was
            `created`.

    Raises:
        InvalidInputError: The first horizon could not be trained; `code` is `no-readings` or
            `little-history`.
    """
    answer, *_ = [
        _outcome(database, store, subject, horizon, energy_type, actor, run_id) for horizon in horizons
    ]
    if isinstance(answer, InvalidInputError):
        raise answer
    return answer


def _outcome(
    database: Database,
    store: ModelStore,
    subject: Subject,
    horizon: Horizon,
    energy_type: str,
    actor: str,
    run_id: UUID | None,
) -> Answer | InvalidInputError:
    """What became of one horizon; a refusal doesn't hold up the others."""
    try:
        return _train(database, store, subject, horizon, energy_type, actor, run_id)
    except InvalidInputError as error:
        logger.info("forecast refused", extra={"horizon": horizon.name, "reason": error.message})
        return error


def _train(
    database: Database,
    store: ModelStore,
    subject: Subject,
    horizon: Horizon,
    energy_type: str,
    actor: str,
    run_id: UUID | None,
) -> Answer:
    with database.connection() as connection:
        series = read_series(connection, subject, energy_type, horizon)
    try:
        forecaster = train_forecaster(series, horizon)
    except UnfitError as error:
        raise InvalidInputError(
            f"{subject.name} can't be forecast yet over {horizon.name}: {error.message}",
            code=error.code,
            horizon=horizon.name,
            **error.details,
        ) from error
    row, is_new = _kept(database, store, subject, horizon, energy_type, series, forecaster, actor, run_id)
    return {
        **subject.shown(),
        "energy_type": energy_type,
        "horizon": horizon.name,
        "model": model_shown(row, subject.name),
        "backtest": row["backtest"],
        "reason": row["reason"],
        "created": is_new,
    }


def _kept(
    database: Database,
    store: ModelStore,
    subject: Subject,
    horizon: Horizon,
    energy_type: str,
    series: LoadSeries,
    forecaster: Forecaster,
    actor: str,
    run_id: UUID | None,
) -> tuple[Row, bool]:
    """The version's row, and whether it is new: the same bytes as those that serve are no version."""
    content = to_bytes(forecaster)
    sha256 = sha256_of(content)
    with forecast_models.life(database, subject.id, energy_type, horizon.name) as connection:
        former = forecast_models.active(connection, subject.id, energy_type, [horizon.name]).get(horizon.name)
        if former is not None and former["artifact_sha256"] == sha256:
            return former, False
        version = forecast_models.next_version(connection, subject.id, energy_type, horizon.name)
        key = forecaster_key(subject.kind, subject.id, energy_type, horizon.name, version, sha256)
        # Put before it is noted: what a row names is there.
        store.put(key, content)
        return forecast_models.insert(connection, NewForecaster(
            machine_id=subject.id if subject.kind == "machine" else None,
            factory_id=subject.id if subject.kind == "factory" else None,
            energy_type=energy_type,
            horizon=horizon.name,
            version=version,
            artifact_key=key,
            artifact_sha256=sha256,
            chosen=forecaster.chosen,
            reason=forecaster.reason,
            choices=forecaster.choices,
            backtest=_backtest(forecaster),
            regressors=forecaster.regressors_used,
            regressors_left_out=forecaster.regressors_left_out,
            **history_of(connection, subject, energy_type, series),
            trained_from=_instant(series.starts_at[0]),
            trained_to=_instant(series.future_starts_at[0]),
            trained_by=actor,
            run_id=run_id,
        )), True  # fmt: skip


def history_of(
    connection: Connection, subject: Subject, energy_type: str, series: LoadSeries
) -> dict[str, float]:
    """How much there is to learn from.

    Returns:
        `days_of_history`, from the first reading there is, and `share_of_readings` of the series' steps.
    """
    whole = forecast_subjects.history(connection, subject.machine_ids, energy_type)
    known = ~np.isnan(series.power_kw)
    span = float(series.future_starts_at[0]) - whole[0].timestamp() if whole else 0.0
    return {
        "days_of_history": max(span / DAY_SECONDS, 0.0),
        "share_of_readings": float(known.mean()) if len(known) else 0.0,
    }


def _backtest(forecaster: Forecaster) -> dict[str, Any]:
    return {
        "origins": forecaster.origins,
        "scale_kw": forecaster.scale_kw,
        "models": [row.as_dict() for row in forecaster.table],
    }


def _instant(seconds: Any) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
