"""CSV (RFC 4180) for spreadsheets and an auditor's own tools."""

import csv
import io
from collections.abc import Iterable, Sequence

# A cell that begins so is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as CSV; what is None is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return text.getvalue()


def _safe(cell: object) -> object:
    """Text that a spreadsheet would compute is marked as text; a negative number is a number."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
