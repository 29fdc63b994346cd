"""Charges the depth of cells: the more operations wait for each other, the less a device can do at once."""

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.search.objective import Objective


class Depth(Objective):
    """Charges the operations on the longest path through a cell. Costs are millionths of the unit."""

    label, unit = "depth", "operations"

    def costs(self, cells: CellBatch) -> np.ndarray:
        """Return the lengths of the longest paths, in millionths of an operation, int64 [B]."""
        depth = np.zeros(cells.codes.shape, dtype=np.int64)
        for vertex in range(1, cells.width):
            depth[:, vertex] = (cells.adjacency[:, :, vertex] * (depth + 1)).max(axis=1)
        return depth.max(axis=1) * 1_000_000


OBJECTIVE = Depth
