"""Multiply-adds of the proxy network, as in the paper."""

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.search.objective import Objective


class Macs(Objective):
    """Charges multiply-adds, in millions."""

    label, unit = "MACs", "millions"
    in_every_table = True

    def costs(self, cells: CellBatch) -> np.ndarray:
        """Return multiply-adds, int64 [B]."""
        return self.networks.complexity(cells).macs


OBJECTIVE = Macs
