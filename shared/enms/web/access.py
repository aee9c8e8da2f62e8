"""Who calls, and what a route needs: each route declares one right; one function here says who calls.

Until there is sign-in, every request is made by the actor `local`, who has all rights.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from fastapi import Depends, Request
from starlette.types import Scope

from enms.errors import ForbiddenError


class Right(StrEnum):
    """What a caller may do."""

    VIEWER = "viewer"
    ENGINEER = "engineer"
    ADMIN = "admin"
    SERVICE = "service"


@dataclass(frozen=True)
class Caller:
    """Who makes a request.

    Attributes:
        actor: Name that is written where something is changed.
        rights: What they may do.
    """

    actor: str
    rights: Collection[Right]


_LOCAL = Caller("local", frozenset(Right))


def identify_caller(scope: Scope) -> Caller:
    """The caller of a request: the one place that sign-in will change."""
    return _LOCAL


class Requires:
    """A dependency that lets only callers with a right through: the declaration that each route carries."""

    def __init__(self, right: Right) -> None:
        self.right = right

    async def __call__(self, request: Request) -> Caller:
        """Gives the caller to routes that write who did it."""
        caller: Caller = request.state.caller
        if self.right not in caller.rights:
            raise ForbiddenError(
                f"This needs the right {self.right!r}.", needed=self.right, actor=caller.actor
            )
        return caller


viewer = Depends(Requires(Right.VIEWER))
engineer = Depends(Requires(Right.ENGINEER))
admin = Depends(Requires(Right.ADMIN))
service = Depends(Requires(Right.SERVICE))
