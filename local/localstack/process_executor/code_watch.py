"""Notices changed code, so that the next call runs it without a deployment."""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from functools import cache

CHECK_SECONDS = 0.5
"""How often calls look for changes. A look takes a millisecond of one call; without calls there are none."""


class CodeVersion:
    """Counts the changes under some folders."""

    def __init__(self, folders: tuple[str, ...]) -> None:
        self.folders = folders
        self.number = 0
        self.lock = threading.Lock()
        self.files = self._look()

    def current(self) -> int:
        """The number of changes so far; another number than before means other code."""
        if time.monotonic() >= self.next_look and self.lock.acquire(blocking=False):
            try:
                files = self._look()
                if files != self.files:
                    self.number, self.files = self.number + 1, files
            finally:
                self.lock.release()
        return self.number

    def _look(self) -> int:
        self.next_look = time.monotonic() + CHECK_SECONDS
        return hash(frozenset(stamp for folder in self.folders for stamp in _stamps(folder)))


def _stamps(folder: str) -> Iterator[tuple[str, int, int]]:
    """Path, size and time of change of each file below a folder, caches left out."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:  # it may go while we look
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name != "__pycache__" and not entry.name.startswith("."):
                    yield from _stamps(entry.path)
            elif entry.is_file():
                with contextlib.suppress(FileNotFoundError):
                    status = entry.stat()
                    yield entry.path, status.st_size, status.st_mtime_ns


version_of = cache(CodeVersion)
"""The one count of changes for some folders."""
