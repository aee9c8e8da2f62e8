"""The table that `make bench` prints."""

from collections.abc import Iterable
from dataclasses import dataclass

HEADER = ("row", "what", "to reach", "reached", "met")


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        row: Name by which it can be run alone.
        what: What was measured.
        to_reach: The bound, in words.
        reached: What was measured, in words, with the absolute figures behind a ratio.
        met: Whether the bound is kept; None where there is no bound.
    """

    row: str
    what: str
    to_reach: str
    reached: str
    met: bool | None


def markdown(figures: Iterable[Figure]) -> str:
    """The table as Markdown, its columns aligned."""
    lines = [HEADER, *((f.row, f.what, f.to_reach, f.reached, _yes_no(f.met)) for f in figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    rule = tuple("-" * width for width in widths)
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in [lines[0], rule, *lines[1:]]
    )


def _yes_no(met: bool | None) -> str:
    return {None: "-", True: "yes", False: "NO"}[met]
