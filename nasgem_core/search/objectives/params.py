"""Learnable numbers of the proxy network.

They are charged in millions. Proxy networks have fewer, so that the term is positive and a score may exceed the
accuracy; what a tenfold cost is worth is still lambda.
"""

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.search.objective import Objective


class Params(Objective):
    """Charges learnable numbers, in millions."""

    label, unit = "params", "millions"
    in_every_table = True

    def costs(self, cells: CellBatch) -> np.ndarray:
        """Return the number of learnable numbers, int64 [B]."""
        return self.networks.complexity(cells).params


OBJECTIVE = Params
