"""What surrounds every request: its id, caller and log line, and the last resort for unforeseen errors."""

from time import perf_counter
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enms.observability import identify, logger
from enms.web.access import identify_caller
from enms.web.problems import internal_problem

_SECURITY_HEADERS = [(b"x-content-type-options", b"nosniff")]


class RequestContext:
    """Outermost middleware; plain ASGI, because it is on the way of every request."""

    def __init__(self, app: ASGIApp, public_prefix: str) -> None:
        self.app = app
        self.public_prefix = public_prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"].startswith(f"{self.public_prefix}/"):
            # The front door strips the prefix; a server without one in front is asked with it.
            scope["root_path"] = self.public_prefix
        request_id = _request_id(scope)
        scope.setdefault("state", {}).update(request_id=request_id, caller=identify_caller(scope))
        identify(request_id=request_id)
        started_at = perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"], *_SECURITY_HEADERS, (b"x-request-id", request_id.encode())
                ]  # fmt: skip
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception:
            logger.exception("unexpected error", extra={"method": scope["method"], "path": scope["path"]})
            if status:
                raise
            await internal_problem(request_id)(scope, receive, send_with_id)
        milliseconds = round((perf_counter() - started_at) * 1000, 1)
        logger.info(
            "request",
            extra={
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "milliseconds": milliseconds,
            },
        )


def _request_id(scope: Scope) -> str:
    """Lambda's id, so that our lines and its REPORT line carry the same; else a new one."""
    context = scope.get("aws.context")
    return context.aws_request_id if context else str(uuid4())
