"""The console's pages and what they are made of: templates, assets under a content hash, and their safety."""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from pydantic_core import to_json
from starlette.responses import Response

from enms.database.catalog import MachineFilter
from enms.database.connection import Database
from enms.errors import EnmsError, NotFoundError, UnavailableError
from enms.services import catalog, health
from enms.settings import UiSettings

# What every page's selection holds; larger fleets are narrowed by factory.
MOST_MACHINES = 500
# Name, path under `ui/` and text of what the navigation leads to; further groups add theirs here.
PAGES = (
    ("overview", "", "Overview"),
    ("anomaly", "anomaly", "Anomalies"),
    ("forecast", "forecast", "Forecast"),
    ("baseline", "baseline", "Baselines"),
    ("kpi", "kpi", "Key figures"),
)
THEMES = ("light", "dark")
_THEME_COOKIE = "enms_theme"
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# The theme's variables stand first: a portal that brings its own look replaces that file alone.
# A page that draws needs Chart.js and the module around it: one request for both.
_BUNDLES = {"styles.css": ("theme.css", "console.css"), "charts.js": ("chart.umd.js", "charts.js")}
_ONE_YEAR = "public, max-age=31536000, immutable"
_OF_A_MACHINE = (
    "id", "name", "type", "factory_id", "timezone", "is_active", "data_interval_seconds", "status",
    "status_at",
)  # fmt: skip
_OF_A_FACTORY = ("id", "name", "timezone", "machines")


class Console:
    """The pages of one folder.

    Args:
        folder: Holds `templates` and `static`.
        settings: What an operator set.
    """

    def __init__(self, folder: Path, settings: UiSettings) -> None:
        self._folder = folder
        self._settings = settings

    def page(
        self, request: Request, database: Database, name: str, machine_id: str | None = None
    ) -> Response:
        """A page with the catalogue that it selects from; the figures are asked for by the page itself.

        Args:
            request: Theme, factory and whether another page frames this one.
            database: Where factories and machines are read.
            name: Of the template.
            machine_id: The machine that the page is about.
        """
        chosen: dict[str, Any] = {"factories": [], "machines": [], "total_count": 0}
        problem: EnmsError | None = None
        try:
            chosen = self._catalogue(database, request.query_params.get("factory"), machine_id)
        except (NotFoundError, UnavailableError) as error:
            problem = error
        content = self._templates.get_template(f"{name}.html").render(
            page=name,
            pages=PAGES,
            prefix=self._settings.public_prefix,
            assets=f"{self._settings.public_prefix}/ui/assets/{self.version}",
            theme=self._theme(request),
            is_embedded=request.query_params.get("embed") == "1",
            catalogue=chosen,
            health=None if problem else health.state(database, self._settings),
            machine_id=machine_id,
            problem=problem.message if problem else None,
            request_id=request.state.request_id,
        )
        status = 404 if isinstance(problem, NotFoundError) else 503 if problem else 200
        return Response(content, status, {**self._headers, "vary": "cookie"}, "text/html")

    def asset(self, version: str, name: str) -> Response:
        """A file of the pages, kept for a year by whoever asks for the present version.

        Raises:
            NotFoundError: There is no such file.
        """
        content = self._assets.get(name)
        if content is None:
            raise NotFoundError(
                f"There is no {name!r} here.", parameter="asset", given=name, allowed=sorted(self._assets)
            )
        # A page that was opened before a deployment asks for the version before: it gets what there is.
        caching = _ONE_YEAR if version == self.version else "no-cache"
        return Response(
            content, media_type=_MEDIA_TYPES[Path(name).suffix], headers={"cache-control": caching}
        )

    @cached_property
    def version(self) -> str:
        """Changes with the content of any asset, so that the modules' own imports need no hash each."""
        digest = hashlib.sha256()
        for name, content in sorted(self._assets.items()):
            digest.update(f"{name}:{len(content)}:".encode())
            digest.update(content)
        return digest.hexdigest()[:12]

    @cached_property
    def _assets(self) -> Mapping[str, bytes]:
        files = {
            path.name: path.read_bytes()
            for path in (self._folder / "static").iterdir()
            if path.suffix in _MEDIA_TYPES
        }
        bundles = {name: b"".join(files[part] for part in parts) for name, parts in _BUNDLES.items()}
        return files | bundles

    @cached_property
    def _templates(self) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(self._folder / "templates"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.policies["json.dumps_function"] = lambda value, **_: to_json(value).decode()
        return environment

    @cached_property
    def _headers(self) -> dict[str, str]:
        ancestors = " ".join(("'self'", *self._settings.console_frame_ancestors))
        policy = {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self' data:",
            "connect-src": "'self'",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": ancestors,
        }
        return {
            "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
            "referrer-policy": "same-origin",
            # The page names the assets of this version and the machines of this minute.
            "cache-control": "no-cache",
        }

    def _catalogue(
        self, database: Database, factory_id: str | None, machine_id: str | None
    ) -> dict[str, Any]:
        factories = catalog.factories(database)["factories"]
        wanted = MachineFilter(factory_id=_known(factory_id, factories))
        machine = catalog.machine(database, _machine_id(machine_id)) if machine_id else None
        if machine:
            wanted = MachineFilter(factory_id=machine["factory_id"])
        machines = catalog.machines(database, wanted, MOST_MACHINES, 0)
        listed = machines["machines"]
        if machine and all(each["id"] != machine["id"] for each in listed):
            listed = [*listed, machine]
        return {
            "factories": [
                _only(each, _OF_A_FACTORY)
                | {"contract_demand_kw": each["metadata"].get("contract_demand_kw")}
                for each in factories
            ],
            "machines": [_only(each, _OF_A_MACHINE) for each in listed],
            "total_count": machines["total_count"],
        }

    def _theme(self, request: Request) -> str | None:
        """The theme that was chosen; None leaves it to the browser's preference."""
        theme = request.cookies.get(_THEME_COOKIE)
        return theme if theme in THEMES else None


def _known(factory_id: str | None, factories: list[dict[str, Any]]) -> UUID | None:
    """The factory of a link; one that is no more is as none at all."""
    return next((each["id"] for each in factories if str(each["id"]) == factory_id), None)


def _machine_id(text: str) -> UUID:
    """The id in a page's address; what is none is told on a page too, to the person who followed a link."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFoundError(f"There is no machine {text!r}.") from None


def _only(row: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: row[name] for name in names}
