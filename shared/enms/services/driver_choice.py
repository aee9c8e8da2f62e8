"""Which drivers a machine has over a period, and what speaks against each."""

from collections.abc import Mapping
from dataclasses import asdict, replace

from enms.database.connection import Database
from enms.science.baseline.driver_report import DriverReport, report
from enms.science.baseline.drivers import OUTDOOR_TEMPERATURE
from enms.services.baseline_requests import TrainingRequest
from enms.services.models import Answer
from enms.services.observations import measure
from enms.services.periods import QUESTION
from enms.services.training import drivers_of, training_context


def drivers(database: Database, request: TrainingRequest) -> Answer:
    """Every driver there is, its coverage, range and correlation with energy, and why it can't be used.

    Raises:
        InvalidInputError: The period means nothing, or has no reading.
        NotFoundError: There is no such machine.
    """
    machine = training_context(database, request, QUESTION)
    with database.connection() as connection:
        measured = measure(connection, machine, request.energy_type, request.interval, None)
    found = report(measured.observations, drivers_of(measured), OUTDOOR_TEMPERATURE)
    return {
        "machine_id": machine.id,
        "machine_name": machine.name,
        "time_period": {"start": machine.start, "end": machine.end, "timezone": machine.timezone},
        "energy_type": request.energy_type,
        "interval": request.interval,
        "intervals": len(measured.observations),
        "drivers": [asdict(_as_candidate(each, measured.guessed)) for each in found],
    }


def _as_candidate(found: DriverReport, guessed: Mapping[str, str]) -> DriverReport:
    if found.name not in guessed or not found.is_usable:
        return found
    return replace(found, is_automatic=False, reason=guessed[found.name])
