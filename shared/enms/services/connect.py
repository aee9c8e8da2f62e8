"""Where a process gets its database: settings and secrets come together here."""

from enms.database.connection import Database
from enms.secrets import read_secret
from enms.settings import DatabaseSettings, libpq_url


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
