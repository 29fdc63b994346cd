"""The Weisfeiler-Lehman kernel of all pairs of some cells."""

from collections.abc import Sequence

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.kernel.wl import wl_similarity


def wl_kernel(cells: CellBatch | Sequence[Cell], iterations: int = 1, directions: str = "both") -> np.ndarray:
    """Return the normalised kernel S_g (Eq. 1) of every two of B cells, float64 [B, B], 1 on the diagonal.

    Args:
        cells: B cells.
        iterations: refinement rounds h.
        directions: whose labels a vertex sees, see `wl_labels`.

    Raises:
        CellError: `directions` is unknown.
    """
    batch = cells if isinstance(cells, CellBatch) else CellBatch.from_cells(cells)
    matrix = np.eye(len(batch))
    for row in range(len(batch) - 1):
        others = batch[row + 1 :]
        values = wl_similarity(batch[np.full(len(others), row)], others, iterations, directions)
        matrix[row, row + 1 :] = matrix[row + 1 :, row] = values
    return matrix
