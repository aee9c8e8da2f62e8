"""From a function's image to what runs in its place: an interpreter, a code folder, a module search path.

The file that ``PROCESS_EXECUTOR_CONFIG`` names maps image addresses, glob patterns allowed::

    {"images": {"enms/*": {"python": "…/bin/python",
                           "task_root": "…/functions/{name}",
                           "python_path": ["…/shared"]}},
     "kept_paths": ["…"]}

``{name}`` is the last part of the image's address before its tag. So one template deploys everywhere.
``kept_paths`` stay visible to functions even if they lie under /tmp, of which each environment has its own.
"""

import fnmatch
import json
import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any


class ImageError(Exception):
    """The image, or its command, can't be run here."""


@dataclass(frozen=True)
class Image:
    """What stands in for a container image.

    Attributes:
        python: Interpreter that has ``awslambdaric`` and the function's dependencies.
        task_root: Folder of the function's code, its working directory.
        python_path: Further folders of modules, after the task root.
        command: The handler, ``module.function``.
    """

    python: str
    task_root: str
    python_path: tuple[str, ...]
    command: str

    @property
    def code_paths(self) -> tuple[str, ...]:
        """Folders whose change makes running environments stale."""
        return (self.task_root, *self.python_path)


@dataclass(frozen=True)
class Configuration:
    """The executor's configuration file."""

    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    kept_paths: tuple[str, ...] = ()

    def image(self, uri: str, command: list[str] | None) -> Image:
        """Resolves an image's address.

        Args:
            uri: Address as in the template's ``ImageUri``.
            command: ``ImageConfig.Command``: one entry, the handler.

        Raises:
            ImageError: No pattern matches, the command is missing, or the code folder does not exist.
        """
        entry = self.images.get(uri) or next(
            (entry for pattern, entry in self.images.items() if fnmatch.fnmatchcase(uri, pattern)), None
        )
        if entry is None:
            raise ImageError(f"image {uri} is not mapped in PROCESS_EXECUTOR_CONFIG")
        if not command:
            raise ImageError(f"image {uri} has no command: ImageConfig.Command names the handler")
        task_root = entry["task_root"].replace("{name}", image_name(uri))
        if not os.path.isdir(task_root):
            raise ImageError(f"image {uri} has no code: {task_root} is not a folder")
        return Image(entry["python"], task_root, tuple(entry.get("python_path", ())), command[0])


def image_name(uri: str) -> str:
    """Last part of an image's address, without tag and digest."""
    return uri.rsplit("/", 1)[-1].split("@", 1)[0].split(":", 1)[0]


@cache
def configuration() -> Configuration:
    """The configuration of this process, read once."""
    path = os.environ.get("PROCESS_EXECUTOR_CONFIG")
    if not path:
        return Configuration()
    settings = json.loads(Path(path).read_text())
    return Configuration(
        images=settings.get("images", {}),
        kept_paths=(str(Path(path).parent), *settings.get("kept_paths", ())),
    )
