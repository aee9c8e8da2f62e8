"""The API's documentation, with Swagger UI from a package: no other server is asked."""

from importlib.resources import files
from pathlib import Path
from typing import Final

from starlette.responses import Response

from enms.errors import NotFoundError

# The answer of the development application, which alone knows all groups; a test compares it.
OPENAPI: Final = Path(__file__).with_name("openapi.json")

_ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "start.js": "text/javascript",
}
# Relative addresses: the page works under any prefix.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>EnMS Analytics: API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
"""
_ONE_DAY = {"cache-control": "public, max-age=86400"}


def page() -> Response:
    """The page."""
    return Response(_PAGE, media_type="text/html")


def asset(name: str) -> Response:
    """One of its files.

    Raises:
        NotFoundError: It has no such file.
    """
    if name not in _ASSETS:
        raise NotFoundError(
            f"There is no {name!r} here.", parameter="asset", given=name, allowed=list(_ASSETS)
        )
    if name == "start.js":
        return Response(_START, media_type=_ASSETS[name], headers=_ONE_DAY)
    content = (files("fastapi_swagger") / "resources" / name).read_bytes()
    return Response(content, media_type=_ASSETS[name], headers=_ONE_DAY)


def openapi() -> Response:
    """The OpenAPI document."""
    return Response(OPENAPI.read_bytes(), media_type="application/json")
