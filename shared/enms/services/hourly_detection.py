"""Job `detect-anomalies`: each active machine's closed hours that were not looked at yet."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from enms.artifacts import ModelStore
from enms.database import jobs, watermarks
from enms.database.connection import Connection, Database, Row
from enms.errors import EnmsError, UnavailableError
from enms.observability import logger
from enms.services import anomaly_events
from enms.services.anomaly_requests import DetectionRequest
from enms.services.job_runs import do_once, write_account
from enms.settings import DetectionSettings

JOB = "detect-anomalies"
SERVICE = f"service:{JOB}"
ENERGY_TYPE = "electrical"
# What was missed longer ago is not caught up with: nobody acts on it any more.
LONGEST_CATCH_UP = timedelta(days=14)
# Where a machine that was never looked at begins.
_FIRST_LOOK = timedelta(days=1)
# Readings that come so late are still looked at; what was found before is the same episode again.
_LATE = timedelta(hours=6)
_HOUR = timedelta(hours=1)
# Too little to learn from, which time will mend: no failure.
_TOO_LITTLE = ("no-readings", "little-history")


def run_scheduled(
    database: Database, store: ModelStore, settings: DetectionSettings, fired_at: datetime
) -> UUID:
    """Does what one firing of the rule asks for; nothing when it was done before.

    Returns:
        The run's id.
    """
    with database.connection() as connection:
        run_id = jobs.add_scheduled_run(connection, JOB, SERVICE, fired_at)
    run(database, store, settings, run_id)
    return run_id


def run(database: Database, store: ModelStore, settings: DetectionSettings, run_id: UUID) -> None:
    """Does a run that was noted before; nothing when it is over already.

    Raises:
        NotFoundError: There is no such run.
        UnavailableError: The database was lost, or another run goes on; the run can be done again.
    """
    do_once(
        database,
        JOB,
        run_id,
        lambda connection, begun: _do(database, connection, store, settings, begun),
    )
    anomaly_events.publish_waiting(database, settings.anomaly_bus)


def _do(
    database: Database,
    connection: Connection,
    store: ModelStore,
    settings: DetectionSettings,
    begun: Row,
) -> None:
    # A run that is done again, or late, does the hours up to now: what it did before is behind the watermark.
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    counts: Counter[str] = Counter(machines=0, succeeded=0, skipped=0, failed=0, anomalies=0)
    for machine in watermarks.of_active_machines(database, ENERGY_TYPE):
        counts["machines"] += 1
        state, detail = _outcome(database, store, settings, begun, machine, until)
        counts["anomalies"] += detail.get("anomalies", 0)
        counts[state] += 1
        named = {"machine_name": machine["machine_name"], "factory_name": machine["factory_name"]}
        jobs.note_item(connection, begun["id"], str(machine["machine_id"]), state, named | detail)
    write_account(connection, begun, counts, "machines")


def _outcome(
    database: Database,
    store: ModelStore,
    settings: DetectionSettings,
    begun: Row,
    machine: Row,
    until: datetime,
) -> tuple[jobs.ItemState, dict[str, Any]]:
    """What became of a machine; its failure doesn't hold up the others."""
    run_id = begun["id"]
    # Whoever asks by hand wants the last day looked at anew: readings may have changed.
    start = _start(machine["detected_until"], until, again=begun["trigger"] != "schedule")
    if start >= until:
        return "skipped", {"reason": f"Its hours up to {until:%Y-%m-%dT%H:%MZ} were looked at before."}
    try:
        return "succeeded", _look(database, store, settings, run_id, machine["machine_id"], start, until)
    except UnavailableError:
        raise
    except EnmsError as error:
        if error.details.get("code") in _TOO_LITTLE:
            return "skipped", {"reason": error.message}
        logger.exception("machine failed", extra={"machine_id": str(machine["machine_id"])})
        return "failed", {"reason": error.message}
    except Exception as error:
        logger.exception("machine failed", extra={"machine_id": str(machine["machine_id"])})
        reason = f"Unexpected ({type(error).__name__}); the log has more under run_id {run_id}."
        return "failed", {"reason": reason}


def _start(detected_until: datetime | None, until: datetime, *, again: bool) -> datetime:
    if detected_until is None:
        return until - _FIRST_LOOK
    start = max(detected_until, until - LONGEST_CATCH_UP)
    return min(start, until - _FIRST_LOOK) if again else start


def _look(
    database: Database,
    store: ModelStore,
    settings: DetectionSettings,
    run_id: UUID,
    machine_id: UUID,
    start: datetime,
    until: datetime,
) -> dict[str, Any]:
    # Imported here: a run that finds nothing to do needs no numpy.
    from enms.database.drivers import machine_context
    from enms.services import anomaly_store
    from enms.services.anomaly_found import Detection
    from enms.services.detection import look

    seen_from = start - _LATE
    asked = DetectionRequest(machine_id=machine_id, start=seen_from, end=until, energy_type=ENERGY_TYPE)
    machine = machine_context(database, machine_id, seen_from, until)
    seen = look(database, store, settings, machine, asked, SERVICE, run_id)
    detection = Detection(
        machine=seen.machine,
        energy_type=ENERGY_TYPE,
        start=seen_from,
        end=seen.machine.end,
        detector_id=seen.ready.row["id"],
        actor=SERVICE,
        run_id=run_id,
    )
    with database.transaction() as transaction:
        kept = anomaly_store.keep(transaction, detection, seen.found, watermark=until)
    return {
        "from": start.isoformat(),
        "until": until.isoformat(),
        "anomalies": len(kept.anomalies),
        "held_back": len(kept.held_back),
    }
