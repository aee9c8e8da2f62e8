"""Which database the commands work on."""

from enms.errors import UnavailableError


def database_url() -> str:
    """The libpq URL: of the database that was named in the settings, or of our own.

    Raises:
        UnavailableError: Our own server doesn't run.
    """
    from enms_local.stack.database import DATABASE, own_server
    from enms_local.stack.settings import StackSettings

    settings = StackSettings.load()
    if settings.existing_database_url:
        return settings.existing_database_url
    server = own_server(settings)
    if not server.is_running():
        raise UnavailableError("PostgreSQL isn't running: `make up` starts it.")
    return server.url(DATABASE)


def is_own_database() -> bool:
    """Whether the commands work on our own server, which the demo factory may be written to."""
    from enms_local.stack.settings import StackSettings

    return StackSettings.load().existing_database_url is None
