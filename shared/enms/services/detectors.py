"""Detectors of anomalies: trained, kept as objects, loaded once."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from enms.artifacts import DamagedArtifactError, ModelStore, detector_key, sha256_of
from enms.database import detectors
from enms.database.connection import Database, Row
from enms.database.detectors import NewDetector
from enms.database.drivers import MachineContext, machine_context, newest_energy_at
from enms.errors import InvalidInputError, NotFoundError
from enms.observability import logger
from enms.science.anomalies.detector import Detector
from enms.science.anomalies.learning import MIN_DAYS, train
from enms.science.anomalies.series import MachineSeries
from enms.science.arrays import Flags
from enms.science.problems import UnfitError
from enms.services.anomaly_series import (
    ActiveBaseline,
    baseline_in_use,
    deviations_of,
    over,
    read_series,
    step_of,
)
from enms.services.models import Answer
from enms.settings import TrainingSettings

ENERGY_TYPE = "electrical"
_LOADED = 16


@dataclass(frozen=True)
class Ready:
    """A detector in use.

    Attributes:
        row: Its row.
        detector: The detector.
        baseline: The machine's active baseline with its document; None without one.
    """

    row: Row
    detector: Detector
    baseline: ActiveBaseline | None

    def shown(self) -> Answer:
        """As the API shows it."""
        return {
            "id": self.row["id"],
            "version": self.row["version"],
            "trained_at": self.row["created_at"],
            "has_baseline": self.detector.has_baseline,
            "features": list(self.detector.features),
        }

    def note(self) -> str | None:
        """Why nothing that it finds is quite certain; None where nothing is to be said."""
        if not self.detector.has_baseline:
            why = "The machine has no active baseline"
            if self.row["baseline_id"] is not None:
                why = "Nothing of the last days could be held against the machine's baseline"
            return (
                f"{why}: power is held against the same hours of earlier weeks, "
                f"and no finding is more certain than {self.detector.confidence_cap:.0%}."
            )
        if self.detector.confidence_cap < 1:
            days = (self.detector.trained_to - self.detector.trained_from) / 86_400
            return (
                f"The detector knows {days:.0f} days of the machine: no finding is more certain than "
                f"{self.detector.confidence_cap:.0%}."
            )
        return None


def ready(
    database: Database,
    store: ModelStore,
    settings: TrainingSettings,
    machine: MachineContext,
    energy_type: str,
    actor: str,
    run_id: UUID | None = None,
) -> Ready:
    """The machine's detector, trained first where it has none, or one of another baseline.

    Raises:
        InvalidInputError: There is too little to train one.
    """
    row = detectors.active(database, machine.id, energy_type)
    baseline = baseline_in_use(database, store, machine, energy_type)
    baseline_id = baseline[0]["id"] if baseline else None
    if row is not None and row["baseline_id"] == baseline_id:
        try:
            return Ready(row, loaded(store, row), baseline)
        except DamagedArtifactError:
            logger.exception("detector can't be read", extra={"machine_id": str(machine.id)})
    return _trained(database, store, settings, machine, energy_type, baseline, actor, run_id)


def train_detector(
    database: Database,
    store: ModelStore,
    settings: TrainingSettings,
    machine_id: UUID,
    *,
    energy_type: str = ENERGY_TYPE,
    actor: str,
    run_id: UUID | None = None,
) -> Answer:
    """Trains a machine's detector on its last days: the next version, which is used from then on.

    Returns:
        `detector_id`, `version`, `sha256`, `features` and `has_baseline`.

    Raises:
        InvalidInputError: There is too little to train one; `code` is `no-readings` or `little-history`.
        NotFoundError: There is no such machine.
    """
    now = datetime.now(UTC)
    machine = machine_context(database, machine_id, now, now)
    baseline = baseline_in_use(database, store, machine, energy_type)
    found = _trained(database, store, settings, machine, energy_type, baseline, actor, run_id)
    return {
        "detector_id": found.row["id"],
        "version": found.row["version"],
        "sha256": found.row["artifact_sha256"],
        "features": list(found.detector.features),
        "has_baseline": found.detector.has_baseline,
    }


def loaded(store: ModelStore, row: Row) -> Detector:
    """A version, its bytes verified.

    Raises:
        DamagedArtifactError: They are not those that were written, are gone, or no detector of this version.
    """
    try:
        return _parsed(store.get(row["artifact_key"], row["artifact_sha256"]))
    except NotFoundError as error:
        # The row promises it: whoever asked did nothing wrong.
        raise DamagedArtifactError(error.message, **error.details) from error
    except ValueError as error:
        key = row["artifact_key"]
        raise DamagedArtifactError(f"{key} is no detector that can be used: {error}", key=key) from error


@lru_cache(maxsize=_LOADED)
def _parsed(content: bytes) -> Detector:
    return Detector.from_bytes(content)


def _trained(
    database: Database,
    store: ModelStore,
    settings: TrainingSettings,
    machine: MachineContext,
    energy_type: str,
    baseline: ActiveBaseline | None,
    actor: str,
    run_id: UUID | None,
) -> Ready:
    former = detectors.active(database, machine.id, energy_type)
    window = _window(database, machine, energy_type, settings.baseline_training_days)
    with database.connection() as connection:
        series = read_series(connection, window, energy_type)
        periods = detectors.excluded_periods(connection, machine.id, energy_type, window.start, window.end)
    deviations = deviations_of(database, window, baseline)
    try:
        detector = train(series, deviations, _inside(series, periods))
    except UnfitError as error:
        raise InvalidInputError(
            f"{machine.name} can't be looked at for anomalies yet: {error.message}",
            code=error.code,
            **error.details,
        ) from error
    return _kept(database, store, detector, window, energy_type, former, baseline, actor, run_id)


def _kept(
    database: Database,
    store: ModelStore,
    detector: Detector,
    window: MachineContext,
    energy_type: str,
    former: Row | None,
    baseline: ActiveBaseline | None,
    actor: str,
    run_id: UUID | None,
) -> Ready:
    """Keeps a detector as the next version, or takes the one that somebody else trained meanwhile.

    (The same forest's bytes differ: skops writes where objects lay in memory.)
    """
    baseline_id = baseline[0]["id"] if baseline else None
    content = detector.to_bytes()
    sha256 = sha256_of(content)
    with detectors.life(database, window.id, energy_type) as connection:
        present = detectors.active(connection, window.id, energy_type)
        is_new = present is not None and (former is None or present["id"] != former["id"])
        if present is not None and is_new and present["baseline_id"] == baseline_id:
            return Ready(present, loaded(store, present), baseline)
        version = detectors.next_version(connection, window.id, energy_type)
        key = detector_key(window.id, energy_type, version, sha256)
        # Put before it is noted: what a row names is there.
        store.put(key, content)
        row = detectors.insert(connection, NewDetector(
            machine_id=window.id,
            energy_type=energy_type,
            version=version,
            artifact_key=key,
            artifact_sha256=sha256,
            baseline_id=baseline_id,
            trained_from=window.start,
            trained_to=window.end,
            features=detector.features,
            confidence_cap=detector.confidence_cap,
            trained_by=actor,
            run_id=run_id,
        ))  # fmt: skip
    return Ready(row, _parsed(content), baseline)


def _window(database: Database, machine: MachineContext, energy_type: str, days: int) -> MachineContext:
    """The machine over the last so many local days that have readings, up to its last closed interval."""
    with database.connection() as connection:
        newest = newest_energy_at(connection, machine.id, energy_type)
    if newest is None:
        raise InvalidInputError(
            f"{machine.name} has no reading of {energy_type} energy at all; {MIN_DAYS} days are needed.",
            code="no-readings",
            needed=MIN_DAYS,
        )
    step = step_of(machine)
    end = datetime.fromtimestamp(
        min(int(newest.timestamp()) // step + 1, int(datetime.now(UTC).timestamp()) // step) * step, UTC
    )
    zone = ZoneInfo(machine.timezone)
    midnight = end.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return over(machine, (midnight - timedelta(days=days)).astimezone(UTC), end)


def _inside(series: MachineSeries, periods: list[tuple[datetime, datetime]]) -> Flags:
    """Which intervals touch one of the periods."""
    inside = np.zeros(len(series), dtype=bool)
    for start, end in periods:
        ends_at = series.starts_at + series.step_seconds
        inside |= (series.starts_at < end.timestamp()) & (ends_at > start.timestamp())
    return inside
