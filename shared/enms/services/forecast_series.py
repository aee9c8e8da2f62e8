"""The load of a machine or a factory as forecasts take it: closed steps, and the steps to come."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from enms.database import forecast_flags, forecast_loads, forecast_subjects
from enms.database.connection import Connection
from enms.database.forecast_loads import Load, LoadQuestion
from enms.science.arrays import Flags, Positions, Values
from enms.science.forecasting.horizons import DAY_SECONDS, HOUR_SECONDS, Horizon
from enms.science.forecasting.series import LoadSeries
from enms.services import forecast_regressors
from enms.services.forecast_origins import origin_of
from enms.services.forecast_subjects import Subject

# A factory's step is not learned from when machines of more than this share of its load were odd.
_ODD_SHARE = 0.1


def read_series(
    connection: Connection,
    subject: Subject,
    energy_type: str,
    horizon: Horizon,
    end: datetime | None = None,
    *,
    days: int | None = None,
    with_peaks: bool = True,
) -> LoadSeries:
    """Reads a load up to an origin, by one query of stored aggregates.

    Args:
        connection: The database.
        subject: Whose load.
        energy_type: The carrier.
        horizon: In which steps, and how many are to come.
        end: Where steps may end at most; None: the present.
        days: How many days of the past; None: what training and its backtest take.
        with_peaks: Whether `quarter_peak_kw` is read too.

    Returns:
        The series; without any step of the past where there is no reading.
    """
    forecast_loads.catch_up(connection, subject.machine_ids)
    history = forecast_subjects.history(connection, subject.machine_ids, energy_type)
    until = end or datetime.now(UTC)
    origin_at = origin_of(history and history[1], until, horizon.step_seconds, subject.timezone)
    days = days or horizon.training_days + horizon.proof_days
    edges = past_edges(origin_at, horizon.step_seconds, days, subject.timezone)
    asked = LoadQuestion(
        subject.machine_ids, energy_type, edges, horizon.step_seconds, subject.data_interval_seconds
    )
    load = forecast_loads.read_load(connection, asked)
    first = _first_known(load.power_kw)
    starts_at = edges[first:-1]
    to_come = future_edges(origin_at, horizon.step_seconds, horizon.points, subject.timezone)
    peaks_kw = None
    if with_peaks and horizon.step_seconds >= HOUR_SECONDS:
        peaks_kw = forecast_loads.read_quarter_peaks(connection, asked)[first:]
    every = np.concatenate([starts_at, to_come[:-1]])
    return LoadSeries(
        step_seconds=horizon.step_seconds,
        starts_at=starts_at,
        future_starts_at=to_come[:-1],
        power_kw=load.power_kw[first:],
        is_flagged=_flagged(connection, subject, energy_type, edges[first:], load),
        zone=subject.timezone,
        country=subject.country,
        regressors=forecast_regressors.known(connection, subject, every, horizon.step_seconds),
        rated_power_kw=subject.rated_power_kw,
        quarter_peak_kw=peaks_kw,
        stopped_share=forecast_regressors.stopped_share(
            connection, subject, every, horizon.step_seconds, energy_type
        ),
    )


def read_actual(
    connection: Connection, subject: Subject, energy_type: str, edges: Positions, step_seconds: int
) -> Values:
    """Mean power of closed steps, NaN where it isn't known, shape (n,) for n + 1 edges."""
    asked = LoadQuestion(subject.machine_ids, energy_type, edges, step_seconds, subject.data_interval_seconds)
    return forecast_loads.read_load(connection, asked).power_kw


def past_edges(origin_at: datetime, step_seconds: int, days: int, zone: str) -> Positions:
    """Where the steps of the days before an origin begin, and the origin: seconds since 1970, ascending."""
    if step_seconds == DAY_SECONDS:
        return _midnights(origin_at.astimezone(ZoneInfo(zone)).date(), -days, zone)
    origin = int(origin_at.timestamp())
    return np.arange(origin - days * DAY_SECONDS, origin + 1, step_seconds, dtype=np.int64)


def future_edges(origin_at: datetime, step_seconds: int, points: int, zone: str) -> Positions:
    """The origin, and where each of the steps after it ends: seconds since 1970, shape (points + 1,)."""
    if step_seconds == DAY_SECONDS:
        # A day that a zone skips takes no step.
        return _midnights(origin_at.astimezone(ZoneInfo(zone)).date(), points + 1, zone)[: points + 1]
    return int(origin_at.timestamp()) + np.arange(points + 1, dtype=np.int64) * step_seconds


def _midnights(day: date, days: int, zone: str) -> Positions:
    """Where a local day and so many days before (negative) or after it begin, ascending, each once."""
    info = ZoneInfo(zone)
    several = range(min(days, 0), max(days, 0) + 1)
    found = {
        int(datetime.combine(day + timedelta(each), datetime.min.time(), info).timestamp())
        for each in several
    }
    return np.array(sorted(found), dtype=np.int64)


def _first_known(power_kw: Values) -> int:
    """The place of the first step that is known; the end where none is."""
    known = np.flatnonzero(~np.isnan(power_kw))
    return int(known[0]) if len(known) else len(power_kw)


def _flagged(
    connection: Connection, subject: Subject, energy_type: str, edges: Positions, load: Load
) -> Flags:
    """Which steps weren't as usual: in machines of more than a tenth of the load."""
    odd_share = np.zeros(len(edges) - 1)
    if not len(odd_share):
        return odd_share > 0
    start, end = (datetime.fromtimestamp(int(edge), UTC) for edge in (edges[0], edges[-1]))
    periods = forecast_flags.excluded_periods(connection, subject.machine_ids, energy_type, start, end)
    for machine_id in {each[0] for each in periods}:
        is_odd = np.zeros(len(odd_share), dtype=np.bool_)
        for _, first_at, end_at in (each for each in periods if each[0] == machine_id):
            is_odd |= (edges[:-1] < end_at) & (edges[1:] > first_at)
        odd_share[is_odd] += load.share_of_machine.get(machine_id, 0.0)
    return odd_share > _ODD_SHARE
