"""Numbers as PostgreSQL sends them in bulk: `float8send` of each, one after the other."""

import numpy as np
from numpy.typing import NDArray


def matrix(packed: memoryview | None, width: int) -> NDArray[np.float64]:
    """The doubles that were sent, so many a row; no rows for none."""
    return np.frombuffer(packed or b"", dtype=">f8").reshape(-1, width).astype(np.float64)
