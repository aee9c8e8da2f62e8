"""A file as forecasts take it: the load in closed steps, by instants."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from enms.errors import InvalidInputError
from enms.science.arrays import Flags, Positions, Values
from enms.science.forecasting.horizons import DAY_SECONDS, Horizon
from enms.science.forecasting.series import LoadSeries
from enms.services.import_stamps import NO_INSTANT, SECOND, Clock, usual_step
from enms_local.evaluate.anomaly_question import duration
from enms_local.evaluate.countries import holidays_of
from enms_local.evaluate.forecast_question import ForecastQuestion, kilowatts
from enms_local.evaluate.forecast_steps import Steps, steps_of
from enms_local.evaluate.stamps import Stamps, read_stamps
from enms_local.evaluate.table import Table, read_table


@dataclass(frozen=True)
class ForecastFile:
    """The load of a file.

    Attributes:
        series: In steps, from the first row to the last; one step more stands for those to come.
        zone: By whose clock days are counted; UTC where the file's own clock stands.
        warnings: What the reader should know.
    """

    series: LoadSeries
    zone: ZoneInfo
    warnings: tuple[str, ...]


def read_load(question: ForecastQuestion, horizon: Horizon) -> ForecastFile:
    """Reads a file.

    Raises:
        InvalidInputError: It can't be read; says why.
    """
    interval = question.interval_seconds(horizon.step_seconds)
    zone = _zone(question.zone)
    table = read_table(question.path, question.delimiter, question.encoding)
    columns = {name: table.numbers(name) for name in (question.value_column, *question.regressors)}
    stamps = read_stamps(table.cells(question.time_column), table.lines, question.time_format)
    _require_distance(stamps, interval)
    starts_at, rows, missing = _starts(question, stamps, interval, zone)
    steps = steps_of(starts_at, interval, horizon.step_seconds, zone)
    power_kw = steps.means(columns[question.value_column][rows]) * kilowatts(question.unit, interval)
    if question.unit == "kWh" and interval == DAY_SECONDS:
        # A day's energy came in its 23 to 25 hours.
        power_kw *= DAY_SECONDS / np.diff(steps.starts_at)
    _require_load(question, power_kw)
    warnings = _warnings(power_kw, missing, len(rows) - len(np.unique(starts_at)))
    return ForecastFile(_series(question, table, columns, rows, steps, power_kw, zone), zone, warnings)


def _series(
    question: ForecastQuestion,
    table: Table,
    columns: dict[str, Values],
    rows: Positions,
    steps: Steps,
    power_kw: Values,
    zone: ZoneInfo,
) -> LoadSeries:
    regressors = {}
    for name in question.regressors:
        values = steps.means(columns[name][rows])
        if np.isnan(values).all():
            raise InvalidInputError(f"{name} has no number in any row of '{table.path}'.")
        # The step after the file is never forecast: it only closes the past.
        regressors[name] = np.append(values, values[~np.isnan(values)][-1])
    return LoadSeries(
        step_seconds=steps.step_seconds,
        starts_at=steps.starts_at[:-1],
        future_starts_at=steps.starts_at[-1:],
        power_kw=power_kw,
        is_flagged=np.zeros(len(power_kw), dtype=np.bool_),
        zone=zone.key,
        country=holidays_of(question.country, question.zone),
        regressors=regressors,
    )


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInputError(
            f"--timezone is '{name}', which is no IANA time zone such as Europe/Berlin."
        ) from error


def _require_distance(stamps: Stamps, interval: int) -> None:
    """Refuses rows that aren't as far apart as was said: their energy would be another power."""
    distance = usual_step(np.sort(stamps.instants))
    if distance is None:
        raise InvalidInputError("The file has rows of one instant only: at least two are needed.")
    if distance != interval:
        raise InvalidInputError(
            f"--interval is {duration(interval)} and the file's rows are {duration(distance)} apart: give "
            "their distance."
        )


def _starts(
    question: ForecastQuestion, stamps: Stamps, interval: int, zone: ZoneInfo
) -> tuple[Positions, Positions, int]:
    """Instants at which rows begin, their rows, and how many have a time that the clock never showed."""
    clock = stamps.instants + stamps.offsets
    is_end = question.stamp == "end" or (question.stamp is None and _looks_like_ends(clock, interval))
    if question.zone is None:
        return clock - is_end * interval, stamps.rows, 0
    if stamps.has_offset:
        return stamps.instants - is_end * interval, stamps.rows, 0
    forward = np.median(np.sign(np.diff(clock))) >= 0
    reader = Clock(zone, interval * SECOND, is_end, 1 if forward else -1)
    found = reader.starts_of_wall_clock(clock * SECOND)
    told: Flags = found != NO_INSTANT
    return found[told] // SECOND, stamps.rows[told], int((~told).sum())


def _looks_like_ends(clock: Positions, interval: int) -> bool:
    """Whether the first stamp lies one interval after midnight, and the last at midnight: 00:15 … 00:00."""
    first, last = int(clock.min()), int(clock.max())
    return interval < DAY_SECONDS and first % DAY_SECONDS == interval and last % DAY_SECONDS == 0


def _require_load(question: ForecastQuestion, power_kw: Values) -> None:
    known = power_kw[~np.isnan(power_kw)]
    if not len(known):
        raise InvalidInputError(f"{question.value_column} has no number in any step.")
    if np.ptp(known) == 0:
        raise InvalidInputError(
            f"{question.value_column} is {known[0]:g} kW in every step: there is nothing to forecast."
        )


def _warnings(power_kw: Values, missing: int, repeated: int) -> tuple[str, ...]:
    found = []
    unknown = np.isnan(power_kw).mean()
    if unknown > 0:
        found.append(
            f"{unknown:.2%} of the steps are unknown: they are filled by what is usual, and not judged."
        )
    if missing:
        found.append(f"{missing} rows have a time that the clock skipped; they are left out.")
    if repeated:
        found.append(f"{repeated} rows have the time of another: their mean counts.")
    return tuple(found)


def clock_of(at: int, zone: ZoneInfo) -> str:
    """What the clock on the wall shows at an instant, ISO 8601; with its offset from UTC unless that is 0."""
    moment = datetime.fromtimestamp(at, UTC).astimezone(zone)
    return moment.replace(tzinfo=None).isoformat() if zone.key == "UTC" else moment.isoformat()
