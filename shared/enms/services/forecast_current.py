"""The forecast that holds now: the stored one, or one made at once of the model and what came since."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Literal
from uuid import UUID

from enms.artifacts import ModelStore
from enms.database import forecast_reads
from enms.database.connection import Database, Row
from enms.database.subjects import SubjectKind, not_found
from enms.errors import ConflictError, InvalidInputError
from enms.services.forecast_origins import origin_of
from enms.services.forecast_shapes import SELECTED, Answer, coverage_shown, left_out_shown
from enms.services.forecast_subjects import one_of

ACTOR = "service:forecast"
NO_MODEL = (
    "No model was trained yet: this is what little can be told without one. POST forecast/train trains one; "
    "the hourly job asks for it too."
)


@dataclass(frozen=True)
class ForecastQuestion:
    """Which forecast.

    Attributes:
        machine_id: Of which machine; or else
        factory_id: of which factory.
        energy_type: The carrier.
        horizon: Its name.
        choice: `selected`, or the name of a model that is kept beside it.
    """

    machine_id: UUID | None
    factory_id: UUID | None
    energy_type: str
    horizon: str
    choice: str = SELECTED

    @cached_property
    def subject(self) -> tuple[SubjectKind, UUID]:
        """Which of the two it is, and its id."""
        return one_of(self.machine_id, self.factory_id)

    @property
    def kind(self) -> SubjectKind:
        """Whether it is a machine or a factory."""
        return self.subject[0]

    @property
    def subject_id(self) -> UUID:
        """Its id."""
        return self.subject[1]

    def of(self, horizon: str) -> "ForecastQuestion":
        """The same of another horizon."""
        return self if horizon == self.horizon else replace(self, horizon=horizon)


@dataclass(frozen=True)
class Current:
    """A forecast.

    Attributes:
        row: Of `forecast_reads.newest`.
        state: `stored`, or `updated`: made at this request.
    """

    row: Row
    state: Literal["stored", "updated"]


def current(database: Database, store: ModelStore, question: ForecastQuestion) -> Current:
    """The stored forecast where no step has closed since, else one that is made and stored now.

    Raises:
        InvalidInputError: Neither or both of machine and factory are asked for, or there is no reading.
        NotFoundError: There is no such machine or factory.
        ConflictError: There is no model of the name that is asked for.
    """
    row = _newest(database, question)
    if _holds(row):
        return Current(row, "stored")
    if row["newest_end"] is None:
        raise InvalidInputError(
            f"{row['name']} has no reading of {question.energy_type} energy at all: there is nothing to "
            "forecast from.",
            parameter=f"{question.kind}_id",
            given=str(question.subject_id),
            allowed=f"a {question.kind} with readings",
            code="no-readings",
        )
    # Imported here: who reads what is stored needs no numpy.
    from enms.services import forecast_updating

    forecast_updating.update(database, store, question)
    return Current(_newest(database, question), "updated")


def model_in_use(row: Row, choice: str) -> Answer:
    """What a forecast's row tells of how it was made: model, backtest, coverage and regressors."""
    return {
        "model": {
            "id": row["model_id"],
            "version": row["version"],
            "choice": choice,
            "members": row["members"],
            "trained_at": row["trained_at"],
            "reason": row["reason"] or NO_MODEL,
        },
        "backtest": row["backtest"] or {"origins": 0, "scale_kw": row["scale_kw"], "models": []},
        "coverage": coverage_shown(row),
        "regressors_used": row["regressors"],
        "regressors_left_out": left_out_shown(row["regressors_left_out"] or {}),
    }


def no_such_choice(name: str, question: ForecastQuestion, *, is_trained: bool) -> ConflictError:
    """The error for a model that is asked for by name and isn't kept."""
    why = "was not trained yet: POST forecast/train does it"
    if is_trained:
        why = "could not be fitted to its history"
    return ConflictError(
        f"{question.choice} of {name} for {question.horizon} {why}; ask for {SELECTED} meanwhile.",
        code="no-forecast-model",
        parameter="model",
        given=question.choice,
        allowed=SELECTED,
    )


def _newest(database: Database, question: ForecastQuestion) -> Row:
    row = forecast_reads.newest(
        database, question.kind, question.subject_id, question.energy_type, question.horizon, question.choice
    )
    if row is None:
        raise not_found(question.kind, question.subject_id)
    return row


def _holds(row: Row) -> bool:
    """Whether a forecast is of the model that serves, and begins after the last step that is over."""
    if row["origin_at"] is None or row["model_id"] != row["serving_model_id"]:
        return False
    origin_at = origin_of(row["newest_end"], datetime.now(UTC), row["step_seconds"], row["timezone"])
    held: bool = row["origin_at"] >= origin_at
    return held
