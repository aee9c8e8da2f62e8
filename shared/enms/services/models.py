"""Baselines as callers see them: rows of the database and documents of the store, described."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from enms.artifacts import DamagedArtifactError, ModelStore
from enms.database import baselines
from enms.database.connection import Database, Row
from enms.errors import ConflictError, InvalidInputError, NotFoundError
from enms.science.baseline import model as documents

type Answer = dict[str, Any]


def row_of(database: Database, baseline_id: UUID) -> Row:
    """A model's row.

    Raises:
        NotFoundError: There is none with this id.
    """
    row = baselines.get(database, baseline_id)
    if row is None:
        raise NotFoundError(
            f"There is no model {baseline_id}.",
            parameter="model_id",
            given=str(baseline_id),
            allowed="a model's id",
        )
    return row


def document(store: ModelStore, row: Row) -> dict[str, Any]:
    """A model's document, its bytes verified.

    Raises:
        ConflictError: The model was made by another program, which keeps no document.
        DamagedArtifactError: The bytes are not those that were written, or are gone.
    """
    if row["artifact_sha256"] is None:
        raise ConflictError(
            f"Version {row['model_version']} was made by another program, which keeps no document of it: "
            "train a baseline instead."
        )
    try:
        content = store.get(row["artifact_key"], row["artifact_sha256"])
    except NotFoundError as error:
        # The row promises it: whoever asked did nothing wrong.
        raise DamagedArtifactError(error.message, **error.details) from error
    return _parsed(content)


@lru_cache(maxsize=16)
def _parsed(content: bytes) -> dict[str, Any]:
    """Reading a document takes longer than all that a week's deviation computes; nobody writes to it."""
    return documents.from_bytes(content)


def active_row(database: Database, machine_id: UUID, energy_type: str) -> Row | None:
    """The row of a machine's active model; None where it has none of ours."""
    return baselines.active(database, machine_id, energy_type)


def active_model(
    database: Database, store: ModelStore, machine_id: UUID, energy_type: str
) -> tuple[Row, dict[str, Any]]:
    """The active model of a machine and carrier, with its document.

    Raises:
        ConflictError: There is none; says what is missing.
    """
    row = active_row(database, machine_id, energy_type)
    if row is None:
        raise _nothing_active(database, machine_id, energy_type)
    return row, document(store, row)


def model_asked_for(
    database: Database, store: ModelStore, machine_id: UUID, energy_type: str, model_id: UUID | None
) -> tuple[Row, dict[str, Any]]:
    """A certain version of a machine's baseline, or the active one.

    Raises:
        ConflictError: No version is asked for and none is active.
        InvalidInputError: The version is another machine's or carrier's.
        NotFoundError: There is no such model.
    """
    if model_id is None:
        return active_model(database, store, machine_id, energy_type)
    row = row_of(database, model_id)
    if (row["machine_id"], row["energy_type"]) != (machine_id, energy_type):
        raise InvalidInputError(
            f"model_id: {model_id} is a model of {row['machine_name']} and {row['energy_type']} energy.",
            parameter="model_id",
            given=str(model_id),
            allowed="a model of the same machine and carrier",
        )
    return row, document(store, row)


def answer(row: Row, content: Mapping[str, Any]) -> Answer:
    """A model in full."""
    return {
        "model_id": row["id"],
        "machine_id": row["machine_id"],
        "model_name": row["model_name"],
        "model_version": row["model_version"],
        "is_active": row["is_active"],
        "trained_at": row["created_at"],
        "trained_by": row["trained_by"],
        "sha256": row["artifact_sha256"],
        **described(content),
    }


def summary(row: Row) -> Answer:
    """A model in a line of a list."""
    return {
        "model_id": row["id"],
        "machine_id": row["machine_id"],
        "machine_name": row["machine_name"],
        "energy_type": row["energy_type"],
        "model_name": row["model_name"],
        "model_version": row["model_version"],
        "model": row["model_type"],
        "interval": row["interval"],
        "drivers": row["feature_names"],
        "r_squared": row["r_squared"],
        "rmse": row["rmse"],
        "mae": row["mae"],
        "training_samples": row["training_samples"],
        "training_period": {"start": row["training_start_date"], "end": row["training_end_date"]},
        "verdict": row["verdict"],
        "is_active": row["is_active"],
        "is_usable": row["artifact_sha256"] is not None,
        "trained_at": row["created_at"],
        "trained_by": row["trained_by"],
    }


def described(content: Mapping[str, Any]) -> Answer:
    """What a document says, in the names of the API."""
    statistics = content["statistics"]
    training = content["training"]
    return {
        "model": content["kind"],
        "interval": content["interval"],
        "energy_type": content["energy_type"],
        "drivers": content["settings"]["drivers_used"],
        "training_period": {"start": training["start"], "end": training["end"]},
        "training_samples": training["samples"],
        "r_squared": statistics["r_squared"],
        "adjusted_r_squared": statistics["adjusted_r_squared"],
        "rmse": statistics["rmse"],
        "mae": statistics["mae"],
        "cv_rmse_percent": statistics["cv_rmse_percent"],
        "intercept": content["intercept"],
        "intercept_std_error": content["intercept_std_error"],
        "coefficients": {each["name"]: each["value"] for each in content["coefficients"]},
        "coefficient_details": content["coefficients"],
        "terms": content["terms"],
        "ranges": content["ranges"],
        "verdict": content["verdict"],
        "diagnostics": statistics,
        "out_of_time": content["out_of_time"],
        "refused": training["refused"],
        "contenders": content["contenders"],
        "selection": content["selection"],
    }


def _nothing_active(database: Database, machine_id: UUID, energy_type: str) -> ConflictError:
    total, found = baselines.models(database, machine_id, energy_type, None, 1, 0)
    if not total:
        what = "none was trained yet: POST baseline/train does it"
    elif baselines.active_elsewhere(database, machine_id, energy_type):
        what = "the one in use was made by another program, which keeps no document: train one"
    else:
        newest = found[0]
        what = (
            f"the newest of {total}, version {newest['model_version']}, is {newest['verdict']}: "
            "train with other drivers or a longer period, or activate a version with a reason"
        )
    return ConflictError(
        f"The machine has no active baseline of {energy_type} energy; {what}.",
        code="no-active-baseline",
        machine_id=str(machine_id),
    )


def listed(
    database: Database,
    machine_id: UUID | None,
    energy_type: str | None,
    active: bool | None,
    limit: int,
    offset: int,
) -> Answer:
    """A page of models, the newest of each machine first."""
    total, page = baselines.models(database, machine_id, energy_type, active, limit, offset)
    return {
        "total_count": total,
        "limit": limit,
        "offset": offset,
        "models": [summary(row) for row in page],
    }


def details(database: Database, store: ModelStore, baseline_id: UUID) -> Answer:
    """One model in full, with what was done with it.

    Raises:
        NotFoundError: There is none with this id.
    """
    row = row_of(database, baseline_id)
    head = summary(row) | {"events": baselines.events(database, baseline_id)}
    if row["artifact_sha256"] is None:
        return head
    return head | answer(row, document(store, row))
