"""The Weisfeiler-Lehman kernel of all pairs of some cells."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.kernel.wl import wl_labels


def wl_kernel(cells: CellBatch | Sequence[Cell], iterations: int = 1, directions: str = "both") -> np.ndarray:
    """Return the normalised kernel S_g (Eq. 1) of every two of B cells, float64 [B, B], 1 on the diagonal.

    Each cell is labelled once, and the kernel is one product of sparse matrices.

    Args:
        cells: B cells.
        iterations: refinement rounds h.
        directions: whose labels a vertex sees, see `wl_labels`.

    Raises:
        CellError: `directions` is unknown.
    """
    batch = cells if isinstance(cells, CellBatch) else CellBatch.from_cells(cells)
    counts = _label_counts(batch, wl_labels(batch, iterations, directions))
    products = (counts @ counts.T).toarray()
    own = products.diagonal()
    return products / np.sqrt(own[:, None] * own[None, :])


def _label_counts(cells: CellBatch, labels: np.ndarray) -> sparse.csr_array:
    """Return how often each cell has each label of each iteration, float64 [B, number of labels]."""
    rows, vertices = np.nonzero(np.arange(cells.width) < cells.num_vertices[:, None])
    columns, before = [], 0
    for iteration in range(labels.shape[1]):
        distinct, column = np.unique(labels[rows, iteration, vertices], return_inverse=True)
        columns.append(column + before)
        before += len(distinct)
    places = (np.tile(rows, len(columns)), np.concatenate(columns))
    return sparse.csr_array((np.ones(len(places[0])), places), (len(cells), before))
