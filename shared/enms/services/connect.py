"""Where a process gets its database and its models: settings and secrets come together here."""

from enms.artifacts import ModelStore
from enms.database.connection import Database
from enms.errors import UnavailableError
from enms.secrets import read_secret
from enms.settings import DatabaseSettings, TrainingSettings, libpq_url


def database_url(settings: DatabaseSettings) -> str:
    """The libpq URL: as set, else from the secret that is named, else from its parts."""
    if settings.enms_database_url or not settings.database_secret_name:
        return settings.database_url
    secret = read_secret(settings.database_secret_name)
    return libpq_url(
        secret["host"], secret.get("port", 5432), secret["dbname"], secret["username"], secret["password"]
    )


def connect(settings: DatabaseSettings) -> Database:
    """The database of this process; nothing is opened before it is used."""
    return Database(
        lambda: database_url(settings),
        pool_size=settings.database_pool_size,
        statement_timeout_seconds=settings.database_statement_timeout_seconds,
        application_name=settings.service_name,
    )


def model_store(settings: TrainingSettings) -> ModelStore:
    """The models of this process's stack; nothing is opened before it is used.

    Raises:
        UnavailableError: It was not told where they are.
    """
    if not settings.models_bucket:
        raise UnavailableError(
            "Models can't be kept or read: MODELS_BUCKET is not set. "
            "Bring the local cloud up with `enms up`, or name the bucket."
        )
    return ModelStore(settings.models_bucket)
