"""A factory's machines beside their active baselines, in one answer: what a morning begins with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import numpy as np

from enms.artifacts import DamagedArtifactError, ModelStore
from enms.database import baselines, catalog
from enms.database.catalog import MachineFilter
from enms.database.connection import Database, Row
from enms.database.drivers import MachineContext, machine_contexts, newest_energy
from enms.database.subjects import Subject
from enms.errors import InvalidInputError, UnavailableError
from enms.observability import logger
from enms.science.arrays import Values
from enms.science.baseline.deviation import Total, sum_of, total_of
from enms.science.baseline.model import Baseline
from enms.science.baseline.names import Interval
from enms.services import models, periods
from enms.services.baseline_requests import FactoryQuestion
from enms.services.deviations import require_some
from enms.services.judged import Held, held_against
from enms.services.models import Answer
from enms.services.periods import Period

_MOST_POINTS = 100
# How many intervals may be summed to a point of a sparkline: parts of a day, days, a week. The last ones hold
# the longest period there is.
_WIDTHS: Mapping[Interval, Sequence[int]] = {
    "hour": (1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 120),
    "day": (1, 2, 7),
}
_KWH_DECIMALS = 6


@dataclass(frozen=True)
class _Unjudged:
    """Why a machine can't be judged.

    Attributes:
        code: For programs.
        text: For people.
    """

    code: str
    text: str


@dataclass(frozen=True)
class _Judged:
    """A machine's period beside its baseline.

    Attributes:
        held: The period.
        total: Its sum.
    """

    held: Held
    total: Total


type _Outcome = _Judged | _Unjudged


def overview(database: Database, store: ModelStore, question: FactoryQuestion) -> Answer:
    """What each active machine used beside what its baseline expects, and the factory's sum of them.

    What keeps one machine from being judged is told in its place.

    Raises:
        InvalidInputError: The period means nothing.
        NotFoundError: There is no such factory.
        UnavailableError: The database or the models' bucket doesn't answer.
    """
    factory, period = periods.in_calendar(
        database, "factory", question.factory_id, question.start, question.end
    )
    wanted = MachineFilter(factory_id=factory.id, active=True)
    count, page = catalog.machines(database, wanted, question.limit, question.offset)
    ids = [machine["id"] for machine in page]
    in_use = baselines.active_of(database, ids, question.energy_type)
    with database.connection() as connection:
        newest = newest_energy(connection, ids, question.energy_type)
    outcomes = {
        machine.id: _outcome(database, store, machine, period, in_use.get(machine.id))
        for machine in machine_contexts(database, ids, period.start, min(period.end, datetime.now(UTC)))
    }
    return {
        **_head(factory, period, question.energy_type),
        "total": _total(list(outcomes.values()), count),
        "total_count": count,
        "limit": question.limit,
        "offset": question.offset,
        "machines": [
            _machine(machine, in_use.get(machine["id"]), newest, outcomes[machine["id"]])
            for machine in page
            if machine["id"] in outcomes
        ],
    }


def _outcome(
    database: Database, store: ModelStore, machine: MachineContext, period: Period, model: Row | None
) -> _Outcome:
    if model is None:
        return _Unjudged("no_model", "It has no active baseline: train one.")
    try:
        document = models.document(store, model)
        held = held_against(database, machine, period, model, document, Baseline.from_document(document))
        require_some(held)
        return _Judged(held, total_of(held.comparison))
    except UnavailableError:
        # That the database or the store is gone is no machine's fault: the others would meet it too.
        raise
    except InvalidInputError as error:
        is_empty = error.details.get("code") == "no-readings"
        return _Unjudged("no_readings" if is_empty else "nothing_judged", error.message)
    except DamagedArtifactError as error:
        logger.error("baseline unreadable", extra={"machine_id": str(machine.id), "reason": error.message})
        return _Unjudged("unreadable_model", error.message)
    except Exception:
        logger.exception("machine failed", extra={"machine_id": str(machine.id)})
        return _Unjudged("failed", "Unexpected; see the log under this request's id.")


def _head(factory: Subject, period: Period, energy_type: str) -> Answer:
    return {
        "factory_id": factory.id,
        "factory_name": factory.name,
        "time_period": {
            "start": period.start,
            "end": period.end,
            "hours": period.hours,
            "timezone": factory.timezone,
        },
        "energy_type": energy_type,
    }


def _total(outcomes: Sequence[_Outcome], machines: int) -> Answer:
    judged = [each.total for each in outcomes if isinstance(each, _Judged)]
    return {
        **_figures(sum_of(judged) if judged else None),
        "judged_machines": len(judged),
        "machines": machines,
    }


def _machine(machine: Row, model: Row | None, newest: Mapping[UUID, datetime], outcome: _Outcome) -> Answer:
    judged = outcome if isinstance(outcome, _Judged) else None
    return {
        "machine_id": machine["id"],
        "machine_name": machine["name"],
        "type": machine["type"],
        "model_id": model["id"] if model else None,
        "model_version": model["model_version"] if model else None,
        "verdict": model["verdict"] if model else None,
        **_figures(judged.total if judged else None),
        "judged_intervals": judged.total.intervals if judged else 0,
        "last_reading_at": newest.get(machine["id"]),
        "reason": vars(outcome) if isinstance(outcome, _Unjudged) else None,
        "intervals": _sparkline(judged.held) if judged else None,
    }


def _figures(total: Total | None) -> Answer:
    return {
        "actual_kwh": total.actual_kwh if total else None,
        "predicted_kwh": total.predicted_kwh if total else None,
        "deviation_kwh": total.deviation_kwh if total else None,
        "deviation_percent": total.deviation_percent if total else None,
        "deviation_std_error_kwh": total.error.std_error if total else None,
        "deviation_sigma": total.z if total else None,
        "deviation_severity": total.severity if total else None,
    }


def _sparkline(held: Held) -> Answer:
    """Actual and expected energy over the period, neighbours summed; unknown where none could be judged."""
    interval = held.comparison.data.interval
    starts_at = held.measured.starts_at
    width = next(each for each in _WIDTHS[interval] if len(starts_at) <= each * _MOST_POINTS)
    place = np.flatnonzero(held.usable) // width
    shown = starts_at[::width]
    judged = np.bincount(place, minlength=len(shown))

    def summed(kwh: Values) -> list[float]:
        sums = np.where(judged > 0, np.bincount(place, kwh, len(shown)), np.nan)
        rounded: list[float] = np.round(sums, _KWH_DECIMALS).tolist()
        return rounded

    return {
        "interval": interval,
        "intervals_per_point": width,
        "starts_at": shown.tolist(),
        "actual_kwh": summed(held.comparison.data.energy_kwh),
        "predicted_kwh": summed(held.comparison.predicted_kwh),
        "judged_intervals": judged.tolist(),
    }
