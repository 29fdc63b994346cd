"""The number of parameters as what the efficiency score charges, for devices with little memory."""

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.search.objective import Objective


class Weights(Objective):
    """Charges parameters, in millions."""

    label, unit = "parameters", "millions"

    def costs(self, cells: CellBatch) -> np.ndarray:
        """Return parameters of the proxy networks, int64 [B]."""
        return self.networks.complexity(cells).params


OBJECTIVE = Weights
