"""Reading delimited text files, gzip'd or not, in chunks of rows whose line numbers are known."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import accumulate, islice
from pathlib import Path
from typing import IO, cast

from enms.errors import InvalidInputError

ROWS_PER_CHUNK = 20_000
_DELIMITERS = ",;\t|"
_GZIP_START = b"\x1f\x8b"


@dataclass
class Chunk:
    """Some rows of a file.

    Attributes:
        lines: The number of each row's last line; the header is line 1.
        rows: Their fields.
    """

    lines: list[int]
    rows: list[list[str]]


class DelimitedFile:
    """An open file with a header.

    Attributes:
        path: Where it lies.
        delimiter: What separates its fields.
        header: Its column names.
        size: Its bytes on disk.
    """

    def __init__(self, path: Path, raw: IO[bytes], text: IO[str], delimiter: str | None) -> None:
        self.path = path
        self.size = path.stat().st_size
        self._raw = raw
        first_line = text.readline()
        if not first_line.strip():
            raise InvalidInputError(f"The file '{path}' is empty.")
        self.delimiter = delimiter or max(_DELIMITERS, key=first_line.count)
        # strict: an unclosed quote is an error, not the rest of the file in one field.
        self._reader = csv.reader(text, delimiter=self.delimiter, strict=True)
        self.header = [name.strip() for name in next(csv.reader([first_line], delimiter=self.delimiter))]

    @property
    def position(self) -> int:
        """Bytes of the file that were read so far; 0 of a pipe."""
        return self._raw.tell() if self._raw.seekable() else 0

    def column(self, name: str) -> int:
        """The index of a column.

        Raises:
            InvalidInputError: There is none of that name, or there are several.
        """
        count = self.header.count(name)
        if count == 1:
            return self.header.index(name)
        problem = f"has no column '{name}'" if count == 0 else f"has {count} columns '{name}'"
        raise InvalidInputError(f"The file '{self.path}' {problem}; it has {', '.join(self.header)}.")

    def chunks(self) -> Iterator[Chunk]:
        """The rows after the header, blank ones left out."""
        while True:
            before = self.line
            rows = list(islice(self._reader, ROWS_PER_CHUNK))
            if not rows:
                return
            if self.line - before == len(rows):
                lines = list(range(before + 1, self.line + 1))
            else:
                # A quoted field may hold line breaks.
                lengths = (1 + sum(field.count("\n") for field in row) for row in rows)
                lines = list(accumulate(lengths, initial=before))[1:]
            if not all(rows):
                lines = [line for line, row in zip(lines, rows, strict=True) if row]
                rows = [row for row in rows if row]
            yield Chunk(lines, rows)

    @property
    def line(self) -> int:
        """The number of the line that was read last."""
        return self._reader.line_num + 1


@contextmanager
def open_delimited(
    path: Path, delimiter: str | None = None, encoding: str = "utf-8"
) -> Iterator[DelimitedFile]:
    """Opens a file.

    Args:
        path: Where it lies; gzip is recognised by content.
        delimiter: What separates its fields; None takes what the header has most of.
        encoding: Of its text.

    Raises:
        InvalidInputError: The file can't be read; the message says why. Also while its rows are read.
    """
    file: DelimitedFile | None = None
    try:
        with path.open("rb") as raw:
            is_gzip = raw.peek(len(_GZIP_START)).startswith(_GZIP_START)
            if path.suffix == ".gz" and not is_gzip:
                raise InvalidInputError(f"The file '{path}' is named .gz but isn't gzip.")
            data = cast("IO[bytes]", gzip.GzipFile(fileobj=raw) if is_gzip else raw)
            # A byte order mark is no part of the first column's name.
            codec = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding
            with TextIOWrapper(data, encoding=codec, newline="") as text:
                file = DelimitedFile(path, raw, text, delimiter)
                yield file
    except FileNotFoundError as error:
        raise InvalidInputError(f"There is no file '{path}'.") from error
    except (IsADirectoryError, PermissionError) as error:
        raise InvalidInputError(f"The file '{path}' can't be read: {error.strerror}.") from error
    except LookupError as error:
        raise InvalidInputError(f"There is no text encoding '{encoding}'.") from error
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise InvalidInputError(f"The gzip file '{path}' is damaged or cut off{_after(file)}.") from error
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"The file '{path}' isn't {encoding} text{_after(file)}: give --encoding, e.g. latin-1."
        ) from error
    except csv.Error as error:
        raise InvalidInputError(f"The file '{path}' isn't delimited text{_after(file)}: {error}.") from error


def _after(file: DelimitedFile | None) -> str:
    return f" after line {file.line}" if file else ""
