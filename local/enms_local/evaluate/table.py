"""A delimited text file as columns: numbers, or texts with levels."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from enms.errors import InvalidInputError
from enms.science.arrays import Values
from enms.science.baseline.observations import Category
from enms.services.import_files import open_delimited

_MISSING = frozenset(
    ("", "-", "--", "?", ".", "na", "n/a", "#n/a", "nan", "nat", "null", "none", "missing", "inf", "-inf")
)

type Column = Values | Category


@dataclass(frozen=True)
class Table:
    """The rows of a file.

    Attributes:
        path: The file.
        header: Its column names.
        columns: The cells of each, as they stand.
        lines: The number of each row's line.
    """

    path: Path
    header: tuple[str, ...]
    columns: Sequence[Sequence[str]]
    lines: Sequence[int]

    def __len__(self) -> int:
        return len(self.lines)

    def cells(self, name: str) -> Sequence[str]:
        """A column's cells.

        Raises:
            InvalidInputError: There is none of that name, or there are several.
        """
        count = self.header.count(name)
        if count == 1:
            return self.columns[self.header.index(name)]
        problem = f"has no column '{name}'" if count == 0 else f"has {count} columns '{name}'"
        raise InvalidInputError(f"The file '{self.path}' {problem}; it has {', '.join(self.header)}.")

    def column(self, name: str) -> Column:
        """A column's numbers, NaN where one is missing, blank or infinite; its levels where it holds text.

        Raises:
            InvalidInputError: There is no such column, or most of its cells are numbers and some are not.
        """
        cells = self.cells(name)
        values, texts = _numbers(cells)
        if not texts:
            return values
        if len(texts) > np.isfinite(values).sum():
            return _category(cells)
        raise self._no_number(name, texts[0])

    def numbers(self, name: str) -> Values:
        """A column's numbers, NaN where one is missing, blank or infinite.

        Raises:
            InvalidInputError: There is no such column, or a cell is no number.
        """
        values, texts = _numbers(self.cells(name))
        if texts:
            raise self._no_number(name, texts[0])
        return values

    @cached_property
    def unique_names(self) -> tuple[str, ...]:
        """The columns that can be told apart by name."""
        return tuple(name for name in self.header if name and self.header.count(name) == 1)

    def _no_number(self, name: str, row: int) -> InvalidInputError:
        cell = self.cells(name)[row]
        return InvalidInputError(
            f"Line {self.lines[row]} of '{self.path}': {name} is '{cell}', which isn't a number "
            "(a decimal point is wanted; what is missing stays blank)."
        )


def read_table(path: Path, delimiter: str | None, encoding: str) -> Table:
    """Reads a file.

    Raises:
        InvalidInputError: It can't be read, or has no rows; says why.
    """
    lines: list[int] = []
    rows: list[list[str]] = []
    with open_delimited(path, delimiter, encoding) as file:
        width = len(file.header)
        for chunk in file.chunks():
            lines += chunk.lines
            rows += chunk.rows
        header = tuple(file.header)
    for line, row in zip(lines, rows, strict=True):
        if len(row) != width:
            raise InvalidInputError(
                f"Line {line} of '{path}' has {len(row)} fields and the header {width}: it isn't a CSV "
                "file, or has another delimiter (see --delimiter)."
            )
    if not rows:
        raise InvalidInputError(f"The file '{path}' has no rows under its header.")
    return Table(path, header, list(zip(*rows, strict=True)), lines)


def words_of(name: str) -> list[str]:
    """The words of a column's name, its unit last: `Usage_kWh`, `load [MW]`."""
    return re.findall(r"[a-z]+\d*|\d+", name.lower())


def _numbers(cells: Sequence[str]) -> tuple[Values, list[int]]:
    """Numbers, and the rows whose cells are other texts."""
    texts: list[int] = []
    try:
        values = np.array([float(cell) if cell else np.nan for cell in cells])
    except ValueError:
        values = np.full(len(cells), np.nan)
        for row, cell in enumerate(cells):
            try:
                values[row] = float(cell)
            except ValueError:
                if cell.strip().lower() not in _MISSING:
                    texts.append(row)
    values[~np.isfinite(values)] = np.nan
    return values, texts


def _category(cells: Sequence[str]) -> Category:
    texts = [text.strip() for text in cells]
    levels = tuple(sorted({text for text in texts if text.lower() not in _MISSING}))
    place = {level: i for i, level in enumerate(levels)}
    return Category(levels, np.array([place.get(text, -1) for text in texts], dtype=np.int64))
