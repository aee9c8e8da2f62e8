"""What was measured before a forecast, in the forecast's own steps: what its curve runs out of."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from enms.database import forecast_loads, forecast_subjects
from enms.database.connection import Database
from enms.science.forecasting.horizons import DAY_SECONDS, HORIZONS
from enms.services.forecast_origins import origin_of
from enms.services.forecast_series import past_edges, read_actual
from enms.services.forecast_shapes import Answer
from enms.services.forecast_subjects import Subject

# Enough to see what is usual, with the forecast still a good part of the picture.
_STEPS = {"1h": 48, "24h": 72, "7d": 28}
_DIGITS = 3


def history(database: Database, subject: Subject, horizon: str, energy_type: str) -> Answer:
    """The mean power of the closed steps before the present.

    Args:
        database: The database.
        subject: Whose load.
        horizon: `1h`, `24h` or `7d`: its steps.
        energy_type: The carrier.
    """
    step_seconds, steps = HORIZONS[horizon].step_seconds, _STEPS[horizon]
    with database.connection() as connection:
        forecast_loads.catch_up(connection, subject.machine_ids)
        first_and_last = forecast_subjects.history(connection, subject.machine_ids, energy_type)
        last_at = first_and_last and first_and_last[1]
        origin_at = origin_of(last_at, datetime.now(UTC), step_seconds, subject.timezone)
        days = -(-steps * step_seconds // DAY_SECONDS)
        edges = past_edges(origin_at, step_seconds, days, subject.timezone)[-steps - 1 :]
        power_kw = read_actual(connection, subject, energy_type, edges, step_seconds)
    zone = ZoneInfo(subject.timezone)
    return {
        **subject.shown(),
        "energy_type": energy_type,
        "timezone": subject.timezone,
        "horizon": horizon,
        "step_minutes": step_seconds // 60,
        "history": [
            {
                "timestamp": datetime.fromtimestamp(at, zone),
                "power_kw": None if np.isnan(power) else round(power, _DIGITS),
            }
            for at, power in zip(edges[:-1].tolist(), power_kw.tolist(), strict=True)
        ],
    }
