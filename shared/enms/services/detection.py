"""Detection of anomalies in a period of a machine: read, find, price, keep."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from enms.artifacts import ModelStore
from enms.database.connection import Database
from enms.database.drivers import MachineContext
from enms.errors import InvalidInputError
from enms.science.anomalies.detection import detect as episodes_in
from enms.services import anomaly_store, detectors
from enms.services.anomaly_costs import costs_of
from enms.services.anomaly_found import Detection, FoundEpisode
from enms.services.anomaly_requests import DetectionRequest
from enms.services.anomaly_series import (
    closed_end,
    deviations_of,
    history_start,
    over,
    read_series,
)
from enms.services.anomaly_words import contribution_shown, sentence, unit_of
from enms.services.detectors import Ready
from enms.services.models import Answer
from enms.services.observations import machine_over
from enms.services.periods import moment_text
from enms.settings import TrainingSettings

_LEAST_CONTAMINATION, _MOST_CONTAMINATION = 0.0, 0.5


@dataclass(frozen=True)
class Look:
    """What was seen in a period.

    Attributes:
        machine: The machine over the period, as far as its intervals are over.
        ready: Its detector.
        has_reading: Whether the period holds any.
        found: The episodes.
    """

    machine: MachineContext
    ready: Ready
    has_reading: bool
    found: list[FoundEpisode]


def detect(
    database: Database,
    store: ModelStore,
    settings: TrainingSettings,
    asked: DetectionRequest,
    actor: str,
) -> Answer:
    """Looks for anomalies in a period, and keeps each once, however often it is found.

    Without a budget nothing is kept: so many candidates are for looking around, not for people to work off.

    Raises:
        InvalidInputError: The period means nothing or holds no reading, the machine has too little history,
            or the contamination is out of bounds. Nothing is kept.
        NotFoundError: There is no such machine.
    """
    _check_contamination(asked.contamination)
    machine, period = machine_over(database, asked.machine_id, asked.start, asked.end)
    seen = look(database, store, settings, machine, asked, actor)
    if not seen.has_reading:
        raise _nothing_read(seen.machine, asked.energy_type)
    end = seen.machine.end
    detection = Detection(
        machine=seen.machine,
        energy_type=asked.energy_type,
        start=seen.machine.start,
        end=end,
        detector_id=seen.ready.row["id"],
        actor=actor,
    )
    with database.transaction() as connection:
        keep = anomaly_store.keep if asked.is_stored and asked.with_budget else anomaly_store.preview
        kept = keep(connection, detection, seen.found)
    return {
        "machine_id": machine.id,
        "machine_name": machine.name,
        "energy_type": asked.energy_type,
        "time_period": {
            "start": period.start,
            "end": end,
            "hours": round((end - period.start).total_seconds() / 3600, 2),
            "timezone": machine.timezone,
        },
        "detector": seen.ready.shown(),
        "note": " ".join(each for each in (seen.ready.note(), _unkept(asked)) if each) or None,
        "anomalies_detected": len(kept.anomalies),
        "anomalies": kept.anomalies,
        "held_back": kept.held_back,
    }


def look(
    database: Database,
    store: ModelStore,
    settings: TrainingSettings,
    machine: MachineContext,
    asked: DetectionRequest,
    actor: str,
    run_id: UUID | None = None,
) -> Look:
    """What the machine's detector sees in `machine.start` to `machine.end`; nothing is kept.

    Raises:
        InvalidInputError: The period holds no closed interval, there is too little history, or no reading
            either in the period or in what detection wants to see before it.
    """
    end = closed_end(machine, machine.end, datetime.now(UTC))
    if end <= machine.start:
        raise _nothing_closed(machine)
    machine = over(machine, machine.start, end)
    ready = detectors.ready(database, store, settings, machine, asked.energy_type, actor, run_id)
    wide = over(machine, history_start(machine.start, ready.detector.lookback_seconds), end)
    with database.connection() as connection:
        series = read_series(connection, wide, asked.energy_type)
    is_covered = series.covered_share > 0
    if not is_covered.any():
        raise _nothing_read(machine, asked.energy_type)
    deviations = deviations_of(database, wide, ready.baseline) if ready.detector.has_baseline else None
    episodes = episodes_in(
        ready.detector,
        series,
        deviations,
        int(machine.start.timestamp()),
        int(end.timestamp()),
        contamination=asked.contamination,
        with_budget=asked.with_budget,
    )
    with database.connection() as connection:
        costs = costs_of(connection, machine, asked.energy_type, episodes, deviations)
    found = [
        FoundEpisode(
            episode=episode,
            summary=sentence(machine.name, replace(episode, is_ongoing=True), machine.timezone, *cost),
            summary_when_over=sentence(
                machine.name, replace(episode, is_ongoing=False), machine.timezone, *cost
            ),
            metric_unit=unit_of(episode.metric_name),
            contributions=[contribution_shown(each) for each in episode.contributions],
            cost=cost.amount,
            currency=cost.currency,
        )
        for episode, cost in zip(episodes, costs, strict=True)
    ]
    has_reading = bool(is_covered[series.starts_at >= machine.start.timestamp()].any())
    return Look(machine, ready, has_reading, found)


def _unkept(asked: DetectionRequest) -> str | None:
    if asked.with_budget:
        return None
    return "Without a budget every candidate of 2 σ and 3 σ is told, and none is kept."


def _check_contamination(contamination: float) -> None:
    if not _LEAST_CONTAMINATION < contamination <= _MOST_CONTAMINATION:
        raise InvalidInputError(
            f"contamination: {contamination} is no share of odd intervals: give more than 0, at most 0.5.",
            parameter="contamination",
            given=contamination,
            allowed="more than 0, at most 0.5",
        )


def _nothing_closed(machine: MachineContext) -> InvalidInputError:
    return InvalidInputError(
        f"end: no interval of {machine.name} after {moment_text(machine.start)} is over yet.",
        parameter="end",
        given=moment_text(machine.end),
        allowed="an end a quarter of an hour after the start, and over",
    )


def _nothing_read(machine: MachineContext, energy_type: str) -> InvalidInputError:
    start, end = moment_text(machine.start), moment_text(machine.end)
    return InvalidInputError(
        f"{machine.name} has no reading of {energy_type} energy from {start} to {end}.",
        parameter="start",
        given=start,
        allowed="a period with readings",
        code="no-readings",
    )
