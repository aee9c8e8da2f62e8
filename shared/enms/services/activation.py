"""Which of a machine's baselines is the active one: champion against challenger, and by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np

from enms.artifacts import DamagedArtifactError, ModelStore
from enms.database import baselines
from enms.database.connection import Connection, Database
from enms.errors import ConflictError, InvalidInputError
from enms.science.baseline.build import Built
from enms.science.baseline.calendar import local_time
from enms.science.baseline.challenge import challenge, champion_kwh, recent_rows
from enms.science.baseline.model import Baseline
from enms.science.baseline.observations import Interval, Observations
from enms.services import models
from enms.services.models import Answer
from enms.services.observations import Measured, measure


@dataclass(frozen=True)
class Decision:
    """Whether a new model takes over.

    Attributes:
        is_activated: Whether it does.
        text: Why, or why not.
    """

    is_activated: bool
    text: str


def decide(
    connection: Connection,
    store: ModelStore,
    built: Built,
    measured: Measured,
    energy_type: str,
    forced: str | None,
) -> Decision:
    """Whether a model takes over; asked while nobody else can change which one is active.

    Args:
        connection: The transaction that holds the lock of this machine and carrier.
        store: Where models lie.
        built: The new model.
        measured: What it comes from.
        energy_type: The carrier.
        forced: Why it shall be active whatever speaks against it; None lets the rules decide.
    """
    status = built.verdict.status
    if forced:
        return Decision(True, f"Forced: {forced}")
    if status == "rejected":
        return Decision(False, "A rejected model is kept for the record and never becomes active by itself.")
    active = baselines.active(connection, measured.machine.id, energy_type)
    if active is None:
        return Decision(True, "There was no active model.")
    try:
        content = models.document(store, active)
    except DamagedArtifactError as error:
        return Decision(True, f"The active version {active['model_version']} can't be read: {error.message}")
    if status == "caution":
        return Decision(
            False,
            f"A model to be used with care doesn't displace the active version {active['model_version']}.",
        )
    return _against(connection, built, measured, active["model_version"], content)


def _against(
    connection: Connection, built: Built, measured: Measured, version: int, content: Mapping[str, Any]
) -> Decision:
    """Champion against challenger on the same recent time."""
    champion = Baseline.from_document(content)
    data = built.data
    if champion.interval != data.interval:
        return Decision(
            False,
            f"The active version {version} predicts by {champion.interval} and this one by "
            f"{data.interval}: they can't be compared. Activate it by hand if it shall take over.",
        )
    seen_until = _position_of(content["training"]["end"], data.interval, measured.machine.timezone)
    rows = recent_rows(data, seen_until)
    shown = _champion_data(connection, champion, content, built, measured)
    expected = champion_kwh(champion, shown, seen_until)
    result = challenge(data, rows, expected, built.tested.predicted_kwh)
    if result.champion_rmse is None:
        return Decision(True, f"The active version {version} can predict nothing of the recent time.")
    figures = (
        f"on {result.intervals} recent {data.interval}s its error out of time is "
        f"{result.challenger_rmse:.4g} kWh, that of the active version {version} "
        f"{result.champion_rmse:.4g} kWh"
    )
    if result.is_won:
        return Decision(True, f"It is no worse: {figures}.")
    return Decision(False, f"The active version stays: {figures}.")


def _champion_data(
    connection: Connection, champion: Baseline, content: Mapping[str, Any], built: Built, measured: Measured
) -> Observations:
    """The intervals that the new model was fitted to, with the active one's drivers."""
    data = built.data
    standby = content["settings"].get("standby_power_kw")
    has_all = all(name in data.drivers or name in data.categories for name in champion.needed)
    if has_all and standby == measured.standby_power_kw:
        return data
    again = measure(
        connection, measured.machine, content["energy_type"], data.interval, champion.needed,
        standby_power_kw=standby, may_guess=False,
    )  # fmt: skip
    return again.observations.take(built.judged.usable)


def _position_of(end: str, interval: Interval, zone: str) -> int:
    """Position of the first interval after a training that ended at this instant."""
    at = int(datetime.fromisoformat(end).timestamp())
    if interval == "hour":
        return -(-at // 3600)
    return int(local_time(np.array([at]), zone).days[0])


def activate(database: Database, baseline_id: UUID, actor: str, reason: str | None) -> Answer:
    """Makes a version the active one, forward or back.

    Raises:
        ConflictError: It is no model of ours: there is nothing to predict with.
        InvalidInputError: A rejected model is activated without a reason.
        NotFoundError: There is no such model.
    """
    row = models.row_of(database, baseline_id)
    if row["artifact_sha256"] is None:
        raise ConflictError(
            f"Version {row['model_version']} was made by another program and can't be computed with here: "
            "train a baseline instead."
        )
    if row["verdict"] == "rejected" and not (reason or "").strip():
        raise InvalidInputError(
            "reason: the verdict on this model is 'rejected'; to use it all the same needs a reason, "
            "which is kept.",
            parameter="reason",
            given=reason,
            allowed="a sentence",
        )
    with baselines.life(database, row["machine_id"], row["energy_type"]) as connection:
        former = baselines.active(connection, row["machine_id"], row["energy_type"])
        if former is None or former["id"] != baseline_id:
            baselines.activate(connection, baseline_id, actor, reason or "By hand.", None)
    return {
        "model_id": baseline_id,
        "machine_id": row["machine_id"],
        "model_version": row["model_version"],
        "former_version": former["model_version"] if former else None,
        "is_active": True,
    }
