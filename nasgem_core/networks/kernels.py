"""How CPU kernels are compiled, and the layout they share: [channels, height, width, batch], one thread.

With the batch innermost every loop below runs over neighbouring numbers whatever the resolution, a channel is one
contiguous row (so a 1x1 convolution is a matrix product and a concatenation is a set of rows), and the borders of an
image cost nothing: a neighbour outside gets weight 0.

Arrays are [channels, row]: a row begins with its height * width * batch numbers and may go on with unused ones, since
rows at a distance of a power of two would fall on the same places of the cache. Images are square, H is `size`, B is
`batch`. `first` and `last` bound the image rows that a call works on, so that what it writes stays in
the cache until the matrix product that follows has read it.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

Array = np.ndarray
# Everything but the assumption that numbers are finite: a diverged training must show as nan.
_FASTMATH = {"contract", "reassoc", "nsz", "arcp"}


def compiled(function: Callable[..., Any]) -> Any:
    """Compile at the first call and keep the machine code next to the module, or in memory where that is read-only."""
    try:
        return numba.njit(nogil=True, fastmath=_FASTMATH, error_model="numpy", cache=True)(function)
    except RuntimeError:
        return numba.njit(nogil=True, fastmath=_FASTMATH, error_model="numpy")(function)


@compiled
def images_of(row: Array, height: int, width: int, batch: int) -> Array:
    """Return the used part of a row as [height, width, batch]."""
    return row[: height * width * batch].reshape((height, width, batch))
