"""Training a baseline: read, fit, judge, keep, and let it take over where it may."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from enms import __version__
from enms.artifacts import DamagedArtifactError, ModelStore, model_key, sha256_of
from enms.database import baselines
from enms.database.baselines import NewBaseline
from enms.database.connection import Database, Row
from enms.database.drivers import MachineContext
from enms.errors import InvalidInputError
from enms.observability import logger
from enms.science.baseline import model as documents
from enms.science.baseline.build import Built, Request, build
from enms.science.baseline.drivers import CALENDAR, DRIVERS, OUTDOOR_TEMPERATURE
from enms.science.baseline.forms import DEGREES
from enms.science.baseline.names import FORM_NAMES, Interval
from enms.science.baseline.observations import Observations
from enms.science.baseline.terms import needs
from enms.science.baseline.verdict import Limits
from enms.science.problems import UnfitError
from enms.services import baseline_charts, models, periods
from enms.services.activation import decide
from enms.services.baseline_requests import TrainingRequest
from enms.services.baseline_settings import RULES, limits_of
from enms.services.models import Answer
from enms.services.observations import Measured, machine_over, measure
from enms.services.periods import BODY, Ends, moment_text
from enms.settings import TrainingSettings

# What a baseline explains: never what it is explained by.
_TARGETS = {"energy_kwh", "power_kw", "energy", "power"}


@dataclass(frozen=True)
class Trained:
    """A baseline with the data that it comes from.

    Attributes:
        measured: All that was read.
        built: The model and its verdict.
        document: What is kept of it.
    """

    measured: Measured
    built: Built
    document: Mapping[str, Any]


def check(request: TrainingRequest) -> None:
    """Refuses what can't be trained, before anything is read.

    Raises:
        InvalidInputError: The period means nothing, or a model is forced without a reason.
    """
    periods.check_order(request.start, request.end, BODY)
    if request.force and not (request.reason or "").strip():
        raise InvalidInputError(
            "reason: forcing a model needs the reason, which is kept with it.",
            parameter="reason",
            given=request.reason,
            allowed="a sentence",
        )


def analyze(database: Database, settings: TrainingSettings, request: TrainingRequest) -> Answer:
    """The same as training, with nothing kept: what someone sees who tries drivers.

    Raises:
        InvalidInputError: No baseline can be fitted to this.
        NotFoundError: There is no such machine.
    """
    trained = fit(database, settings, request)
    return {
        **models.described(trained.document),
        "machine_id": request.machine_id,
        **baseline_charts.charts(trained.built, trained.document["residuals"]),
    }


def train(
    database: Database,
    store: ModelStore,
    settings: TrainingSettings,
    request: TrainingRequest,
    actor: str,
    run_id: UUID | None = None,
) -> Answer:
    """Trains and keeps a baseline; `created` tells whether it is new.

    Raises:
        InvalidInputError: No baseline can be fitted to this.
        NotFoundError: There is no such machine.
        ConflictError: Another training of this machine holds on for too long.
    """
    check(request)
    return keep(database, store, fit(database, settings, request), request, actor, run_id)


def fit(database: Database, settings: TrainingSettings, request: TrainingRequest) -> Trained:
    """Reads and fits, keeping nothing.

    Raises:
        InvalidInputError: No baseline can be fitted to this.
        NotFoundError: There is no such machine.
    """
    wanted = None if request.drivers is None else _wanted(request)
    machine = training_context(database, request, BODY)
    with database.connection() as connection:
        measured = measure(connection, machine, request.energy_type, request.interval, wanted, named=BODY)
    limits = limits_of(settings)
    asked = Request(request.drivers, candidates(measured), request.model)
    if request.drivers is not None:
        _require_drivers(request, database, measured)
    try:
        built = build(measured.observations, measured.quality, asked, limits, RULES)
    except UnfitError as error:
        raise InvalidInputError(error.message, code=error.code, **error.details) from error
    return Trained(measured, built, _document(measured, built, request, limits))


def keep(
    database: Database,
    store: ModelStore,
    trained: Trained,
    request: TrainingRequest,
    actor: str,
    run_id: UUID | None = None,
) -> Answer:
    """Keeps a fitted baseline as the next version, and lets it take over where it may.

    Raises:
        ConflictError: Another training of this machine holds on for too long.
        UnavailableError: The models' bucket doesn't answer; nothing was kept.
    """
    content = documents.to_bytes(trained.document)
    sha256 = sha256_of(content)
    with baselines.life(database, request.machine_id, request.energy_type) as connection:
        existing = baselines.find_by_hash(connection, request.machine_id, request.energy_type, sha256)
        if existing and not request.force and _is_readable(store, existing):
            return models.answer(existing, trained.document) | {
                "created": False,
                "activated": existing["is_active"],
                "activation": "The same data and settings gave this model before.",
            }
        version = baselines.next_version(connection, request.machine_id, request.energy_type)
        key = model_key(request.machine_id, request.energy_type, version, sha256)
        store.put(key, content)
        forced = request.reason if request.force else None
        decision = decide(connection, store, trained.built, trained.measured, request.energy_type, forced)
        new = _row(trained, request, version, key, sha256, actor, run_id)
        baseline_id = baselines.insert(connection, new)
        if decision.is_activated:
            baselines.activate(connection, baseline_id, actor, decision.text, run_id)
        row = baselines.find_by_hash(connection, request.machine_id, request.energy_type, sha256)
    assert row is not None
    logger.info(
        "baseline trained",
        extra={
            "machine_id": str(request.machine_id), "model_version": version,
            "verdict": trained.built.verdict.status, "activated": decision.is_activated,
        },
    )  # fmt: skip
    return models.answer(row, trained.document) | {
        "created": True,
        "activated": decision.is_activated,
        "activation": decision.text,
    }


def _is_readable(store: ModelStore, row: Row) -> bool:
    """Whether a version can be used; one whose bytes are damaged or gone is made anew."""
    try:
        models.document(store, row)
    except DamagedArtifactError:
        return False
    return True


def training_context(database: Database, request: TrainingRequest, named: Ends) -> MachineContext:
    """The machine, and the period as far as it is over.

    Raises:
        InvalidInputError: The period means nothing.
        NotFoundError: There is no such machine.
    """
    machine, _ = machine_over(database, request.machine_id, request.start, request.end, named)
    return replace(machine, end=min(machine.end, _over_until(request.interval, machine.timezone)))


def _over_until(interval: Interval, zone: str) -> datetime:
    """The end of the latest interval that is over: the same until the next one is, and so is the model."""
    if interval == "hour":
        return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    midnight = datetime.now(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.astimezone(UTC)


def drivers_of(measured: Measured) -> tuple[str, ...]:
    """Every driver there is, and what is made of it; those known by name first."""
    observations = measured.observations
    found = [*observations.drivers, *(name for name in CALENDAR if name in observations.categories)]
    if OUTDOOR_TEMPERATURE in observations.drivers:
        found += DEGREES
    order = {name: place for place, name in enumerate(DRIVERS)}
    return tuple(sorted(found, key=lambda name: (order.get(name, len(order)), name)))


def candidates(measured: Measured) -> tuple[str, ...]:
    """What automatic selection looks at: what was recorded, not what was made up for."""
    return tuple(name for name in drivers_of(measured) if name not in measured.guessed)


def _wanted(request: TrainingRequest) -> list[str]:
    """What is read for drivers that are named: the form may need more."""
    assert request.drivers is not None
    wanted = list(request.drivers)
    if request.model != "linear":
        wanted += [OUTDOOR_TEMPERATURE, "hour_of_week", "weekday"]
    return wanted


def _require_drivers(request: TrainingRequest, database: Database, measured: Measured) -> None:
    """Refuses names that nothing is recorded under, with those that there are."""
    assert request.drivers is not None
    observations = measured.observations
    unknown = [name for name in request.drivers if not _is_there(name, observations)]
    if not unknown:
        return
    for name in unknown:
        if name in _TARGETS:
            raise InvalidInputError(
                f"{name} is what the baseline explains, so it can't be a driver of it.",
                parameter="drivers", given=name, allowed="anything but energy and power",
            )  # fmt: skip
    with database.connection() as connection:
        everything = measure(connection, measured.machine, request.energy_type, request.interval, None)
    there = drivers_of(everything)
    raise InvalidInputError(
        f"There is no {', '.join(unknown)} for {measured.machine.name} in this period; there are "
        f"{', '.join(there)}.",
        parameter="drivers",
        given=unknown,
        allowed=list(there),
    )


def _is_there(name: str, observations: Observations) -> bool:
    source = OUTDOOR_TEMPERATURE if name in DEGREES else name
    values = observations.drivers.get(source)
    return name in observations.categories or (values is not None and bool(np.isfinite(values).any()))


def _document(measured: Measured, built: Built, request: TrainingRequest, limits: Limits) -> dict[str, Any]:
    machine = measured.machine
    return documents.document(
        built,
        energy_type=request.energy_type,
        machine={
            "id": str(machine.id),
            "name": machine.name,
            "type": machine.type,
            "rated_power_kw": machine.rated_power_kw,
            "factory_name": machine.factory_name,
            "timezone": machine.timezone,
            "country": machine.country,
        },
        period={"start": moment_text(machine.start), "end": moment_text(machine.end)},
        starts_at=measured.starts_at[built.judged.usable],
        settings={
            "drivers": list(request.drivers) if request.drivers is not None else "auto",
            "drivers_used": _drivers_used(built, request),
            "model": request.model,
            "standby_power_kw": measured.standby_power_kw,
            "limits": asdict(limits),
            "rules": asdict(RULES),
        },
        code_version=__version__,
    )


def _drivers_used(built: Built, request: TrainingRequest) -> list[str]:
    if built.selection:
        return list(built.selection.drivers)
    return list(request.drivers or ())


def _row(
    trained: Trained,
    request: TrainingRequest,
    version: int,
    key: str,
    sha256: str,
    actor: str,
    run_id: UUID | None,
) -> NewBaseline:
    built, machine = trained.built, trained.measured.machine
    return NewBaseline(
        machine_id=request.machine_id,
        energy_type=request.energy_type,
        model_name=f"{machine.name} {FORM_NAMES[built.form]}",
        model_type=built.form,
        model_version=version,
        training_start=machine.start,
        training_end=machine.end,
        training_samples=len(built.data),
        coefficients={each["name"]: each["value"] for each in trained.document["coefficients"]},
        intercept=trained.document["intercept"],
        feature_names=list(dict.fromkeys(needs(term) for term in built.fit.terms)),
        r_squared=built.fit.goodness.r_squared,
        rmse=built.fit.goodness.rmse,
        mae=built.fit.goodness.mae,
        trained_by=actor,
        reason=request.reason,
        run_id=run_id,
        interval=request.interval,
        verdict=built.verdict.status,
        artifact_key=key,
        artifact_sha256=sha256,
        metadata={"cv_rmse_percent": trained.document["statistics"]["cv_rmse_percent"]},
    )
