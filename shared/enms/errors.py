"""What can go wrong, in the language of the domain; `web` alone knows which HTTP status that is."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class EnmsError(Exception):
    """The root of our errors.

    Attributes:
        message: What was wrong, with the figure, and what to do.
        details: Further fields for programs (parameter, given, allowed, …); JSON-serialisable.
    """

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details: Mapping[str, object] = details


class NotFoundError(EnmsError):
    """Something asked for by name or id isn't there."""


class InvalidInputError(EnmsError):
    """What was asked can't be done with these values; `details` has parameter, given and allowed."""


class UnsupportedMediaTypeError(EnmsError):
    """A body is of a kind that isn't read here."""


class ConflictError(EnmsError):
    """The state of things forbids it now."""


class UnavailableError(EnmsError):
    """A part that we depend on (the database) doesn't answer now; asking again later is right."""


class ForbiddenError(EnmsError):
    """Who asks lacks the right for it."""


class NotMigratedError(UnavailableError):
    """The database lacks what this version needs: someone has to migrate it."""
