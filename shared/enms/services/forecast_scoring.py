"""Forecasts that are over get their truth, by which accuracy is told and bands are adapted."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import isnan

import numpy as np

from enms.database import forecast_scores
from enms.database.connection import Connection, Row
from enms.science.arrays import Positions
from enms.science.forecasting.horizons import DAY_SECONDS, Horizon
from enms.services.forecast_series import read_actual
from enms.services.forecast_subjects import Subject

# So long readings may come late; what isn't known then never will be.
_SETTLED_AFTER = timedelta(days=3)
_AT_ONCE = 500


def score(connection: Connection, subject: Subject, energy_type: str, horizon: Horizon, now: datetime) -> int:
    """Notes the truth of a subject's forecasts that are over.

    Returns:
        How many were noted.
    """
    waiting = forecast_scores.waiting(connection, subject.id, energy_type, horizon.name, now, _AT_ONCE)
    if not waiting:
        return 0
    edges = _edges(waiting, horizon.step_seconds)
    actual_kw = read_actual(connection, subject, energy_type, edges, horizon.step_seconds)
    came: list[tuple[int, Sequence[float], bool]] = []
    for issue in waiting:
        starts_at = np.array([int(at.timestamp()) for at in issue["starts_at"]], dtype=np.int64)
        values = actual_kw[np.searchsorted(edges, starts_at)].tolist()
        is_old = issue["ends_at"] <= now - _SETTLED_AFTER
        came.append((issue["id"], values, is_old or not any(map(isnan, values))))
    forecast_scores.note(connection, came, now)
    return len(came)


def _edges(issues: Sequence[Row], step_seconds: int) -> Positions:
    """Edges of steps that all steps of the issues are among."""
    instants = {at.timestamp() for issue in issues for at in (*issue["starts_at"], issue["ends_at"])}
    if step_seconds == DAY_SECONDS:
        return np.array(sorted(instants), dtype=np.int64)
    return np.arange(min(instants), max(instants) + 1, step_seconds, dtype=np.int64)
