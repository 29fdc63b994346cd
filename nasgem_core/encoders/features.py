"""The input vector of the encoder: a cell as the flattened adjacency matrix and one-hot operations."""

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.codes import INPUT_CODE
from nasgem_core.errors import CellError


def num_edge_slots(vertices: int) -> int:
    """Return the number of possible edges of a DAG with n vertices, n (n - 1) / 2."""
    return vertices * (vertices - 1) // 2


def num_features(vertices: int, num_operations: int) -> int:
    """Return F, the length of a feature vector: edge slots + (n - 1) (operations + 1)."""
    return num_edge_slots(vertices) + (vertices - 1) * (num_operations + 1)


def cell_features(cells: CellBatch, vertices: int) -> np.ndarray:
    """Flatten cells to [B, F] uint8 of 0 and 1.

    The first features are the strict upper triangle of the adjacency matrix, zero-padded to `vertices` x `vertices`,
    row by row. Then follows, for each vertex after the input, a one-hot code over "absent" and the operations. The
    input vertex is left out because it is the same in every cell.

    Raises:
        CellError: the batch is wider than `vertices`.
    """
    count, width, num_operations = len(cells), cells.width, len(cells.operation_names)
    if width > vertices:
        raise CellError(f"cells of {width} vertices do not fit an encoder of {vertices} vertices: fit a wider encoder")
    slots = num_edge_slots(vertices)
    features = np.zeros((count, num_features(vertices, num_operations)), dtype=np.uint8)
    start = 0
    for row in range(width - 1):
        features[:, start : start + width - row - 1] = cells.adjacency[:, row, row + 1 :]
        start += vertices - row - 1
    classes = np.zeros((count, vertices - 1), dtype=np.uint8)
    classes[:, : width - 1] = np.maximum(cells.codes[:, 1:], INPUT_CODE) - INPUT_CODE
    one_hot = features[:, slots:].reshape(count, vertices - 1, num_operations + 1)
    np.equal(classes[:, :, None], np.arange(num_operations + 1, dtype=np.uint8), out=one_hot, casting="unsafe")
    features[:, slots:] = one_hot.reshape(count, (vertices - 1) * (num_operations + 1))
    return features
