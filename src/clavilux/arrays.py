"""Names for arrays by element type; shapes stand in the docstrings of those who take and return them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["F16", "F32", "F64", "I64", "AnyArray", "Bools"]

F16 = NDArray[np.float16]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]
AnyArray = NDArray[Any]
