"""A period of a machine held against its baseline: what deviation, savings and health share."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np

from enms.artifacts import ModelStore
from enms.database.connection import Database, Row
from enms.database.drivers import MachineContext
from enms.science.arrays import Flags, Positions
from enms.science.baseline.calendar import local_time
from enms.science.baseline.deviation import Comparison, compare
from enms.science.baseline.model import Baseline
from enms.science.baseline.refusals import Refusal, judge
from enms.services import models
from enms.services.baseline_requests import Question
from enms.services.baseline_settings import RULES
from enms.services.models import Answer
from enms.services.observations import Measured, machine_over, measure
from enms.services.periods import Period

_UNKNOWN_LEVEL = "a level that the training hadn't seen"


@dataclass(frozen=True)
class Held:
    """A period beside its baseline.

    Attributes:
        machine: The machine, with the period as far as it is over.
        period: The period that was asked for.
        model: The baseline's row.
        document: Its document.
        measured: All intervals of the period.
        usable: Those that could be judged.
        refusals: Why the others couldn't, with how many.
        reason: Index into `refusals` of each interval; -1 where it could be judged.
        comparison: The intervals that could.
    """

    machine: MachineContext
    period: Period
    model: Row
    document: Mapping[str, Any]
    measured: Measured
    usable: Flags
    refusals: tuple[Refusal, ...]
    reason: Positions
    comparison: Comparison

    @property
    def starts_at(self) -> Positions:
        """Start of each interval that could be judged, seconds since 1970."""
        return self.measured.starts_at[self.usable]

    @cached_property
    def all_days(self) -> Positions:
        """Local day of every interval of the period, days since 1970."""
        return local_time(self.measured.starts_at, self.machine.timezone).days

    @property
    def days(self) -> Positions:
        """The same of those that could be judged."""
        days: Positions = self.all_days[self.usable]
        return days

    def head(self) -> Answer:
        """What every answer about it begins with."""
        return {
            "machine_id": self.machine.id,
            "machine_name": self.machine.name,
            "time_period": {
                "start": self.period.start,
                "end": self.period.end,
                "hours": self.period.hours,
                "timezone": self.machine.timezone,
            },
            "energy_type": self.document["energy_type"],
            "baseline_model_id": self.model["id"],
            "baseline_model_version": self.model["model_version"],
            "baseline_verdict": self.model["verdict"],
            "model_interval": self.comparison.data.interval,
        }

    def unjudged(self) -> Answer:
        """Which intervals could not be judged, and why."""
        rows = np.flatnonzero(self.reason >= 0)
        return {
            "judged_intervals": int(self.usable.sum()),
            "unjudged": [vars(each) for each in self.refusals],
            "unjudged_intervals": [
                {"start": instant(at), "code": self.refusals[why].code}
                for at, why in zip(
                    self.measured.starts_at[rows].tolist(), self.reason[rows].tolist(), strict=True
                )
            ],
        }

    def extrapolated(self) -> Answer:
        """Where drivers lie outside their range in training, and how far."""
        ranges = self.document["ranges"]
        return {
            "intervals": int(self.comparison.is_beyond.sum()),
            "drivers": [
                {
                    "driver": name,
                    "trained": ranges[name],
                    "intervals": int((distance != 0).sum()),
                    "furthest": float(distance[np.argmax(np.abs(distance))]),
                }
                for name, distance in self.comparison.beyond.items()
            ],
        }


def hold(database: Database, store: ModelStore, question: Question) -> Held:
    """Reads a period and holds it against the machine's active baseline.

    Raises:
        ConflictError: The machine has no active baseline.
        InvalidInputError: The period means nothing, or has no reading.
        NotFoundError: There is no such machine.
    """
    machine, period = machine_over(database, question.machine_id, question.start, question.end)
    row, document = models.model_asked_for(
        database, store, question.machine_id, question.energy_type, question.model_id
    )
    baseline = Baseline.from_document(document)
    machine = replace(machine, end=min(machine.end, datetime.now(UTC)))
    return held_against(database, machine, period, row, document, baseline)


def held_against(
    database: Database,
    machine: MachineContext,
    period: Period,
    row: Row,
    document: Mapping[str, Any],
    baseline: Baseline,
) -> Held:
    """Holds a machine's period against a baseline.

    Raises:
        InvalidInputError: The period has no reading.
    """
    with database.connection() as connection:
        measured = measure(
            connection, machine, document["energy_type"], baseline.interval, baseline.needed,
            standby_power_kw=document["settings"]["standby_power_kw"], may_guess=False,
        )  # fmt: skip
    judged = judge(measured.observations, measured.quality, baseline.needed, **vars(RULES))
    usable, reason, refusals = judged.usable, judged.reason, judged.refusals
    unknown = usable.copy()
    unknown[usable] = ~np.isfinite(baseline.predict_kwh(measured.observations.take(usable)))
    if unknown.any():
        reason = np.where(unknown, len(refusals), reason)
        refusals = (*refusals, Refusal("unknown_level", None, int(unknown.sum()), _UNKNOWN_LEVEL))
        usable = usable & ~unknown
    comparison = compare(baseline, measured.observations.take(usable))
    return Held(machine, period, row, document, measured, usable, refusals, reason, comparison)


def instant(seconds: int) -> datetime:
    """An instant from seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
