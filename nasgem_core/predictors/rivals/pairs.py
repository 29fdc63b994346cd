"""Pairs of a space's own cells whose Weisfeiler-Lehman similarities spread, without any labels.

As in `nasgem_core.kernel.pairs` they are a mixture: independent cells, and a cell with a copy that has 1..k random
edits. A space that is a table has few of all possible copies, so edits are drawn again until the copy is one of its
cells.
"""

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.edits import edit_cells
from nasgem_core.kernel.pairs import Pairs
from nasgem_core.kernel.wl import wl_labels
from nasgem_core.predictors.space import Space
from nasgem_core.seeding import derive_seed

_ITERATIONS = 3
_ATTEMPTS = 20


def space_pairs(space: Space, count: int, independent: float, max_edits: int, seed: int) -> Pairs:
    """Draw `count` pairs, a share `independent` of them of independent cells, the others 1..`max_edits` edits apart.

    Left cells are drawn from the space in passes, each cell once a pass. Where 20 attempts give no copy in the space,
    the pair stays one of independent cells.
    """
    rng = np.random.default_rng(derive_seed(seed, "mixture"))
    passes = -(-count // len(space))
    left = np.concatenate([rng.permutation(len(space)) for _ in range(passes)])[:count]
    right = rng.integers(0, len(space), size=count)
    edits = rng.integers(1, max_edits + 1, size=count)
    waiting = np.flatnonzero(rng.random(count) >= independent)
    known, row = np.unique(_fingerprints(space.cells), return_index=True)
    for attempt in range(_ATTEMPTS):
        copies = edit_cells(space.cells[left[waiting]], edits[waiting], derive_seed(seed, "edits", attempt))
        wanted = _fingerprints(copies)
        place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        found = known[place] == wanted
        right[waiting[found]] = row[place[found]]
        waiting = waiting[~found]
    return Pairs(space.cells[left], space.cells[right])


def _fingerprints(cells: CellBatch) -> np.ndarray:
    """Return one uint64 per cell, equal for isomorphic cells and for those that three iterations cannot tell apart."""
    return wl_labels(cells, _ITERATIONS)[:, -1].sum(1)
