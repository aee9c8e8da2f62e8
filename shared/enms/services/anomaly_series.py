"""A machine's series as detection takes it, and its deviations from the active baseline."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from enms.artifacts import DamagedArtifactError, ModelStore
from enms.database import baselines
from enms.database.connection import Connection, Database, Row
from enms.database.drivers import MachineContext
from enms.database.quarters import read_quarters
from enms.errors import ConflictError, InvalidInputError
from enms.observability import logger
from enms.science.anomalies.deviations import Deviations
from enms.science.anomalies.series import MachineSeries
from enms.science.baseline.calendar import utc_offsets
from enms.science.baseline.model import Baseline
from enms.services import models
from enms.services.judged import held_against
from enms.services.periods import Period

# A machine that reports more slowly is looked at by its own rhythm.
STEPS_SECONDS = (900, 1_800, 3_600)
_DAY_SECONDS, _EPOCH_WEEKDAY = 86_400, 3


type ActiveBaseline = tuple[Row, dict[str, Any]]
"""A baseline's row and document."""


def step_of(machine: MachineContext) -> int:
    """How long an interval of the machine is."""
    return next((step for step in STEPS_SECONDS if machine.data_interval_seconds <= step), STEPS_SECONDS[-1])


def over(machine: MachineContext, start: datetime, end: datetime) -> MachineContext:
    """The machine over another period."""
    return replace(machine, start=start, end=end)


def read_series(connection: Connection, machine: MachineContext, energy_type: str) -> MachineSeries:
    """The machine's series over its period, by whole intervals."""
    read = read_quarters(connection, machine.id, energy_type, machine.start, machine.end, step_of(machine))
    local = read.starts_at + utc_offsets(read.starts_at, machine.timezone)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread_share = np.where(read.energy_kwh > 0, read.spread_kwh / read.energy_kwh, 0.0)
    taken: dict[str, Any] = {name: value for name, value in vars(read).items() if name != "spread_kwh"}
    return MachineSeries(
        minute_of_day=local % _DAY_SECONDS // 60,
        weekday=(local // _DAY_SECONDS + _EPOCH_WEEKDAY) % 7,
        spread_share=spread_share,
        rated_power_kw=machine.rated_power_kw,
        **taken,
    )


def baseline_in_use(
    database: Database, store: ModelStore, machine: MachineContext, energy_type: str
) -> ActiveBaseline | None:
    """The machine's active baseline with its document; None where it has none of ours."""
    row = baselines.active(database, machine.id, energy_type)
    if row is None:
        return None
    try:
        return row, models.document(store, row)
    except ConflictError:
        return None
    except DamagedArtifactError:
        # Without it less is seen, which is more than nothing.
        logger.exception("active baseline can't be read", extra={"machine_id": str(machine.id)})
        return None


def deviations_of(
    database: Database, machine: MachineContext, baseline: ActiveBaseline | None
) -> Deviations | None:
    """The machine's period held against a baseline; None without one, or where nothing could be judged."""
    if baseline is None:
        return None
    row, document = baseline
    period = Period(machine.start.astimezone(UTC), machine.end.astimezone(UTC))
    try:
        held = held_against(database, machine, period, row, document, Baseline.from_document(document))
    except InvalidInputError:
        # No whole interval of the baseline, or no reading.
        return None
    return Deviations(held.comparison, held.starts_at) if held.usable.any() else None


def closed_end(machine: MachineContext, end: datetime, now: datetime) -> datetime:
    """The end of the machine's last interval that is over at `now` and lies before `end`."""
    step = step_of(machine)
    seconds = int(min(end, now).timestamp()) // step * step
    return datetime.fromtimestamp(seconds, UTC)


def history_start(start: datetime, lookback_seconds: int) -> datetime:
    """Where reading begins, on a full hour so that the baseline's hours are whole."""
    return start.replace(minute=0, second=0, microsecond=0) - timedelta(seconds=lookback_seconds)
