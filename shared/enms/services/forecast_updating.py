"""A forecast made at a request, of the model and what came since; nothing that takes long is fitted."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from enms.artifacts import DamagedArtifactError, ModelStore
from enms.database import forecast_issues, forecast_models
from enms.database.connection import Database, Row
from enms.database.forecast_issues import NewIssue
from enms.errors import InvalidInputError
from enms.observability import logger
from enms.science.forecasting.forecaster import Forecaster, train
from enms.science.forecasting.horizons import HORIZONS
from enms.science.forecasting.series import LoadSeries
from enms.science.problems import UnfitError
from enms.services import forecast_issuing
from enms.services.forecast_current import ACTOR, ForecastQuestion, no_such_choice
from enms.services.forecast_shapes import SELECTED
from enms.services.forecast_subjects import Subject, find_subject
from enms.services.forecasters import loaded


def update(database: Database, store: ModelStore, question: ForecastQuestion) -> None:
    """Makes the forecast of the last step that is over, and stores it.

    Raises:
        ConflictError: There is no model of the name that is asked for.
        InvalidInputError: There is no reading to forecast from.
    """
    subject = find_subject(database, question.machine_id, question.factory_id)
    horizon = HORIZONS[question.horizon]
    with database.connection() as connection:
        model = forecast_models.active(connection, subject.id, question.energy_type, [horizon.name]).get(
            horizon.name
        )
        series = forecast_issuing.read_past(connection, subject, question.energy_type, horizon)
        asked = partial(forecast_issuing.make, connection, subject, question.energy_type, series)
        forecast_issues.keep(connection, _made(store, subject, question, model, series, asked))


def _made(
    store: ModelStore,
    subject: Subject,
    question: ForecastQuestion,
    model: Row | None,
    series: LoadSeries,
    asked: Callable[[Forecaster, UUID | None, str, str], NewIssue],
) -> NewIssue:
    """By the model that serves; without one, what can be told at once."""
    if model is not None and question.choice in model["choices"]:
        try:
            return asked(loaded(store, model), model["id"], question.choice, ACTOR)
        except DamagedArtifactError:
            # The job has it trained again; until then something is better than nothing.
            logger.exception("forecaster can't be used", extra={"subject": subject.name})
    if question.choice != SELECTED:
        raise no_such_choice(subject.name, question, is_trained=model is not None)
    try:
        return asked(train(series, HORIZONS[question.horizon], cheap=True), None, SELECTED, ACTOR)
    except UnfitError as error:
        raise InvalidInputError(f"{subject.name}: {error.message}", code=error.code) from error
