"""Arrays as PostgreSQL's binary COPY format, without a loop over rows."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_POSTGRES_EPOCH_MINUTE = 946_684_800 // 60


def packed(minutes: npt.NDArray[np.int64], columns: Sequence[npt.NDArray[np.generic]]) -> bytes:
    """Rows of a timestamptz and further float8 or int8 columns, by the dtype of each array."""
    stamps = (minutes - _POSTGRES_EPOCH_MINUTE) * 60_000_000
    arrays = [stamps, *columns]
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for position, array in enumerate(arrays):
        kind = "f8" if np.issubdtype(array.dtype, np.floating) else "i8"
        layout += [(f"length{position}", ">i4"), (f"value{position}", f">{kind}")]
    rows = np.empty(len(minutes), dtype=np.dtype(layout))
    rows["fields"] = len(arrays)
    for position, array in enumerate(arrays):
        rows[f"length{position}"] = 8
        rows[f"value{position}"] = array
    return _HEADER + rows.tobytes() + _TRAILER
