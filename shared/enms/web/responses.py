"""Answers as JSON, written once: what a service returns is not validated again."""

import json
from typing import Any
from uuid import UUID

from pydantic_core import PydanticSerializationError, to_json
from starlette.background import BackgroundTask
from starlette.responses import Response


class JsonResponse(Response):
    """JSON of dicts, UUIDs, dates and numbers; instants end in `Z`, what isn't finite is null."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The bytes of the body."""
        return to_json(content, inf_nan_mode="null")


class ProblemResponse(JsonResponse):
    """An error as RFC 9457 describes it."""

    media_type = "application/problem+json"

    def render(self, content: Any) -> bytes:
        """The bytes of the body; what is no Unicode in a caller's text is told back as `?`."""
        try:
            return super().render(content)
        except PydanticSerializationError:
            return json.dumps(content, default=str, ensure_ascii=False).encode(errors="replace")


def accepted(public_prefix: str, job: str, run_id: UUID, background: BackgroundTask) -> JsonResponse:
    """The answer to what goes on as a run: where to see how it goes."""
    location = f"{public_prefix}/api/v1/jobs/runs/{run_id}"
    return JsonResponse(
        {"run_id": run_id, "job": job, "state": "queued", "location": location},
        status_code=202,
        headers={"location": location},
        background=background,
    )


def answers(
    model: str, status: int = 200, description: str = "Successful Response"
) -> dict[int | str, dict[str, Any]]:
    """Documents a route's answer as one of `enms.web.models`, by name.

    The models are loaded where the OpenAPI document is made, not where requests are answered: building them
    costs a tenth of a cold start.
    """
    schema = {"$ref": f"#/components/schemas/{model}"}
    return {status: {"description": description, "content": {"application/json": {"schema": schema}}}}
