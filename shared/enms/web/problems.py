"""Every error as `application/problem+json` (RFC 9457); one table has each class's status, title and type."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from enms.artifacts import DamagedArtifactError
from enms.errors import (
    ConflictError,
    EnmsError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
    UnsupportedMediaTypeError,
)
from enms.observability import logger
from enms.web.responses import ProblemResponse


class _Kind(NamedTuple):
    status: HTTPStatus
    title: str
    type: str


_INVALID = _Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid input", "urn:enms:problem:invalid-input")
_INTERNAL = _Kind(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error", "urn:enms:problem:internal-error")
_KINDS: Mapping[type[EnmsError], _Kind] = {
    InvalidInputError: _INVALID,
    NotFoundError: _Kind(HTTPStatus.NOT_FOUND, "Not found", "urn:enms:problem:not-found"),
    ConflictError: _Kind(HTTPStatus.CONFLICT, "Conflict", "urn:enms:problem:conflict"),
    ForbiddenError: _Kind(HTTPStatus.FORBIDDEN, "Forbidden", "urn:enms:problem:forbidden"),
    UnsupportedMediaTypeError: _Kind(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unsupported media type", "urn:enms:problem:unsupported-media-type"
    ),
    DamagedArtifactError: _Kind(
        HTTPStatus.INTERNAL_SERVER_ERROR, "Damaged model", "urn:enms:problem:damaged-model"
    ),
    UnavailableError: _Kind(
        HTTPStatus.SERVICE_UNAVAILABLE, "Not available now", "urn:enms:problem:unavailable"
    ),
}

# What is allowed, for the checks that pydantic makes of our parameters.
_UUID = "a UUID such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301"
_DATE = "a date such as 2026-03-27"
_OBJECT = "a JSON object, sent as application/json"
_ALLOWED = {
    "bool_parsing": "true or false",
    "date_from_datetime_inexact": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_parsing": _DATE,
    "date_type": _DATE,
    "extra_forbidden": "only the parameters that docs lists",
    "int_parsing": "a whole number",
    "json_invalid": _OBJECT,
    "missing": "a value: it is required",
    "model_attributes_type": _OBJECT,
    "string_pattern_mismatch": "the characters that names are made of",
    "timezone_aware": "an instant with offset (2026-03-27T08:00:00Z, 2026-03-27T08:00:00+01:00)",
    "uuid_parsing": _UUID,
    "uuid_type": _UUID,
}
_LONGEST_ECHO = 200


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(examples=["urn:enms:problem:invalid-input"])
    title: str = Field(examples=["Invalid input"])
    status: int = Field(examples=[422])
    detail: str = Field(description="what was wrong, and what to do")
    request_id: str = Field(description="finds the log lines of this request")
    parameter: str | None = Field(None, description="the parameter that can't be used")
    given: Any = Field(None, description="what was given for it")
    allowed: Any = Field(None, description="what may be given")


# Documented on every route.
PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    status.value: {
        "description": description,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, description in (
        (HTTPStatus.NOT_FOUND, "Unknown machine, factory or run"),
        (HTTPStatus.UNPROCESSABLE_ENTITY, "A parameter can't be used; the answer names it"),
        (HTTPStatus.SERVICE_UNAVAILABLE, "The database doesn't answer now"),
    )
}


def problem_response(
    kind: HTTPStatus | _Kind,
    detail: str,
    request_id: str,
    headers: Mapping[str, str] | None = None,
    details: Mapping[str, Any] | None = None,
) -> ProblemResponse:
    """One error as a response."""
    if isinstance(kind, HTTPStatus):
        kind = _Kind(kind, kind.phrase, "about:blank")
    body = {"type": kind.type, "title": kind.title, "status": kind.status.value, "detail": detail}
    return ProblemResponse(
        body | {"request_id": request_id} | dict(details or {}),
        status_code=kind.status,
        headers=dict(headers or {}),
    )


def internal_problem(request_id: str) -> ProblemResponse:
    """The answer to what nobody foresaw: nothing of it shows but the id of its log lines."""
    detail = f"Something went wrong on our side. The log has it under request_id {request_id}."
    return problem_response(_INTERNAL, detail, request_id)


def install(app: FastAPI) -> None:
    """Makes an application answer all errors this way; unforeseen ones are the middleware's."""
    app.add_exception_handler(EnmsError, _domain_problem)
    app.add_exception_handler(RequestValidationError, _validation_problem)
    app.add_exception_handler(HTTPException, _http_problem)


def error_response(error: EnmsError, request_id: str) -> ProblemResponse:
    """An error of the domain as a response."""
    kind = next((_KINDS[ancestor] for ancestor in type(error).mro() if ancestor in _KINDS), None)
    if kind is None:
        logger.error("domain error without a status", exc_info=error)
        return internal_problem(request_id)
    return problem_response(kind, error.message, request_id, details=error.details)


def _domain_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, EnmsError)
    return error_response(error, request.state.request_id)


def _validation_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = [_describe(each) for each in error.errors()]
    first = found[0]
    detail = "; ".join(_sentence(each) for each in found)
    further = {"errors": found} if len(found) > 1 else {}
    return problem_response(_INVALID, f"{detail}.", request.state.request_id, details=first | further)


def _sentence(found: Mapping[str, Any]) -> str:
    given = "" if found["given"] is None else f"{found['given']!r} given, "
    return f"{found['parameter']}: {given}allowed: {found['allowed']}"


def _describe(error: Mapping[str, Any]) -> dict[str, Any]:
    kind: str = error["type"]
    source, *place = (str(part) for part in error["loc"])
    # Where JSON can't be read, the place is a position in the text.
    parameter = ".".join(place) if place and kind != "json_invalid" else source
    allowed = _ALLOWED.get(kind) or error.get("ctx", {}).get("expected") or error["msg"]
    return {"parameter": parameter, "given": _echo(kind, error["input"]), "allowed": allowed}


def _echo(kind: str, given: Any) -> Any:
    if kind in ("missing", "json_invalid") or isinstance(given, bytes):
        return None
    return given[:_LONGEST_ECHO] if isinstance(given, str) else given


def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    details = {
        HTTPStatus.NOT_FOUND: f"There is no {request.url.path} here; docs lists what there is.",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.method} is not possible here; Allow says what is.",
    }
    return problem_response(
        status, details.get(status, error.detail), request.state.request_id, error.headers
    )
