"""Who may change something from a browser: our own pages, and those of origins that an operator has listed.

A browser sends what a page tells it to, with the person's own access, wherever that page came from. What
gives such a request away are headers that no page can set or leave out.
"""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from enms.errors import EnmsError, ForbiddenError, UnsupportedMediaTypeError
from enms.web.problems import error_response

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
# What browsers say of requests by a page of ours, and by a person who typed the address.
_OWN_SITES = (None, "same-origin", "none")
_JSON = "application/json"


class WriteGuard:
    """Refuses what foreign pages want to change; plain ASGI, because it is on the way of every request."""

    def __init__(self, app: ASGIApp, allowed_origins: Collection[str]) -> None:
        self.app = app
        self.allowed_origins = frozenset(origin.rstrip("/").lower() for origin in allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] == "http" and scope["method"] not in _READING:
            headers = Headers(scope=scope)
            try:
                self._refuse_foreign_pages(scope, headers)
                _refuse_other_media(scope, headers)
            except EnmsError as refused:
                await error_response(refused, scope["state"]["request_id"])(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _refuse_foreign_pages(self, scope: Scope, headers: Headers) -> None:
        origin = headers.get("origin")
        if origin is not None and self._is_listed(origin):
            return
        is_own_site = headers.get("sec-fetch-site") in _OWN_SITES
        if is_own_site and (origin is None or origin.lower() in _own_origins(scope, headers)):
            return
        raise ForbiddenError(
            f"Origin: a page of {origin or 'another origin'} may not change anything here; use the console, "
            "or have the origin listed in CORS_ALLOWED_ORIGINS.",
            parameter="Origin",
            given=origin,
            allowed="the service's own, and those in CORS_ALLOWED_ORIGINS",
        )

    def _is_listed(self, origin: str) -> bool:
        return "*" in self.allowed_origins or origin.lower() in self.allowed_origins


def _own_origins(scope: Scope, headers: Headers) -> frozenset[str]:
    """The origins that the request was sent to.

    Proxies tell in `X-Forwarded-…` what they were asked for. A foreign page can't set these: its browser asks
    first whether it may, and the answer is no.
    """
    scheme = _first(headers.get("x-forwarded-proto")) or scope["scheme"]
    hosts = (headers.get("host"), _first(headers.get("x-forwarded-host")))
    return frozenset(f"{scheme}://{host}".lower() for host in hosts if host)


def _first(listed: str | None) -> str:
    """The first of several values: each proxy appends its own."""
    return (listed or "").partition(",")[0].strip()


def _refuse_other_media(scope: Scope, headers: Headers) -> None:
    """Refuses bodies that are no JSON: forms and plain texts are what a foreign page can send unasked."""
    given = headers.get("content-type")
    if _has_body(scope, headers) and (given or "").partition(";")[0].strip().lower() != _JSON:
        raise UnsupportedMediaTypeError(
            f"Content-Type: {given or 'none'} given; send JSON, with the header Content-Type: {_JSON}.",
            parameter="Content-Type",
            given=given,
            allowed=_JSON,
        )


def _has_body(scope: Scope, headers: Headers) -> bool:
    # API Gateway hands over the body without telling its length.
    return (
        headers.get("content-length", "0") != "0"
        or "transfer-encoding" in headers
        or bool(scope.get("aws.event", {}).get("body"))
    )
