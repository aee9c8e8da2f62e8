"""The logs of all parts: one file a part, one a function."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from enms.errors import NotFoundError

FUNCTIONS = "functions"
# Functions are deployed under the stack's name; people call them by their own.
_DEPLOYED_PREFIX = "enms-analytics-"
_POLL_SECONDS = 0.2
_BLOCK_BYTES = 65536


@dataclass
class _Reader:
    """Reads what is added to one log, and goes on with the new file when it is rotated."""

    path: Path
    prefix: str
    position: int = 0
    inode: int = field(default=0)

    def last_lines(self, count: int) -> list[str]:
        """The last lines, and stands at the end afterwards."""
        with self.path.open("rb") as file:
            self.inode = self.path.stat().st_ino
            size = file.seek(0, 2)
            start, lines = size, b""
            while start > 0 and lines.count(b"\n") <= count:
                start = max(0, start - _BLOCK_BYTES)
                file.seek(start)
                lines = file.read(size - start)
            self.position = size
        return self._texts(lines.splitlines()[-count:] if count else [])

    def new_lines(self) -> list[str]:
        """The complete lines that were added since."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return []
        if found.st_ino != self.inode or found.st_size < self.position:
            self.inode, self.position = found.st_ino, 0
        with self.path.open("rb") as file:
            file.seek(self.position)
            added = file.read()
        complete = added[: added.rfind(b"\n") + 1]
        self.position += len(complete)
        return self._texts(complete.splitlines())

    def _texts(self, lines: list[bytes]) -> list[str]:
        return [self.prefix + line.decode(errors="replace") for line in lines]


def names(logs_dir: Path) -> list[str]:
    """What there are logs of: the parts, all functions together, and each function."""
    parts = sorted(path.stem for path in logs_dir.glob("*.log"))
    functions = [_short(path) for path in _of_functions(logs_dir)]
    return [*parts, FUNCTIONS, *functions]


def show(logs_dir: Path, name: str, count: int) -> Iterator[str]:
    """The last lines of a log.

    Raises:
        NotFoundError: There is no such log; says which there are.
    """
    for reader in _readers(logs_dir, name):
        yield from reader.last_lines(count)


def follow(logs_dir: Path, name: str, count: int, until: Callable[[], bool] = lambda: False) -> Iterator[str]:
    """The last lines of a log and then each new one, of functions that start to log later too.

    Args:
        logs_dir: Where the logs lie.
        name: Which log.
        count: How many of the lines that are there already.
        until: Ends the following when it says so.

    Raises:
        NotFoundError: There is no such log; says which there are.
    """
    readers = {reader.path: reader for reader in _readers(logs_dir, name)}
    for reader in readers.values():
        yield from reader.last_lines(count)
    while not until():
        for reader in _readers(logs_dir, name):
            yield from readers.setdefault(reader.path, reader).new_lines()
        time.sleep(_POLL_SECONDS)


def _readers(logs_dir: Path, name: str) -> list[_Reader]:
    if name == FUNCTIONS:
        return [_Reader(path, f"{_short(path)}: ") for path in _of_functions(logs_dir)]
    part = [path for path in logs_dir.glob("*.log") if path.stem == name]
    function = [path for path in _of_functions(logs_dir) if name in (path.stem, _short(path))]
    found = [*part, *function]
    if not found:
        there_are = ", ".join(names(logs_dir))
        raise NotFoundError(f"There is no log called {name!r}; there are: {there_are}.", given=name)
    return [_Reader(found[0], "")]


def _of_functions(logs_dir: Path) -> list[Path]:
    return sorted((logs_dir / FUNCTIONS).glob("*.log"))


def _short(path: Path) -> str:
    return path.stem.removeprefix(_DEPLOYED_PREFIX)
