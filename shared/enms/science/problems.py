"""What makes a computation impossible, in the language of the science."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class UnfitError(ValueError):
    """No model can be fitted to this.

    Attributes:
        code: For programs.
        message: What is wrong, with the figure, and what to do.
        details: Further fields for programs.
    """

    def __init__(self, code: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details: Mapping[str, object] = details
