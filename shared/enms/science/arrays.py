"""Names for the arrays that the science computes with."""

import numpy as np
import numpy.typing as npt

type Values = npt.NDArray[np.float64]
type Positions = npt.NDArray[np.int64]
type Flags = npt.NDArray[np.bool_]
