"""Pairs of cells for the encoder to learn from (paper, 3.1).

Independent random cells are seldom very similar, so an encoder would not learn what small changes mean. The pairs are
therefore a mixture of independent cells and of cells with a copy that has 0..k random edits. Half of the copies are
renumbered, so that the encoder sees isomorphic cells with different matrices. The mixture is our choice.
"""

from dataclasses import dataclass

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.edits import edit_cells, renumber_cells
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig, PairsConfig
from nasgem_core.errors import CellError
from nasgem_core.seeding import derive_seed


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of cells: pair i is (left[i], right[i]).

    Raises:
        CellError: the two sides have different lengths.
    """

    left: CellBatch
    right: CellBatch

    def __post_init__(self) -> None:
        if len(self.left) != len(self.right):
            raise CellError(f"{len(self.left)} left cells but {len(self.right)} right ones: a pair needs both")

    def __len__(self) -> int:
        return len(self.left)


def draw_pairs(cells: CellsConfig, config: PairsConfig, seed: int) -> Pairs:
    """Draw `config.count` pairs of cells of the search space `cells`."""
    rng = np.random.default_rng(derive_seed(seed, "mixture"))
    left = sample_cells(cells, config.count, derive_seed(seed, "left"))
    fresh = sample_cells(cells, config.count, derive_seed(seed, "right"))
    independent = rng.random(config.count) < config.independent
    edits = rng.integers(0, config.max_edits + 1, size=config.count)
    copies = edit_cells(left, np.where(independent, 0, edits), derive_seed(seed, "edits"))
    renumbered = (rng.random(config.count) < 0.5) & ~independent
    copies = renumber_cells(copies, renumbered, derive_seed(seed, "renumber"))
    right = CellBatch(
        np.where(independent[:, None, None], fresh.adjacency, copies.adjacency),
        np.where(independent[:, None], fresh.codes, copies.codes),
        left.operation_names,
    )
    return Pairs(left, right)
