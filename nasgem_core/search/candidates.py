"""The cells that a predictor chooses from: drawn from the search space, or edited copies of good cells.

They come in chunks of a fixed size, each from its own seed, so that memory does not grow with their number and the
first candidates of a longer run are those of a shorter one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.edits import edit_cells
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import ParameterError
from nasgem_core.seeding import derive_seed

CHUNK = 8192
MOST_EDITS = 6
"""An edited copy differs by 1 to this many random edits."""


@dataclass(frozen=True, eq=False)
class Edited:
    """Candidates that are edited copies, which finds small changes that a whole random cell hardly ever has.

    Args:
        parents: the cells that are copied, each equally often on average.
        share: of the candidates, the others being drawn from the space.

    Raises:
        ParameterError: there is no parent, or the share is not within 0 and 1.
    """

    parents: CellBatch
    share: float

    def __post_init__(self) -> None:
        if not len(self.parents):
            raise ParameterError("no cell is given that candidates could be edited copies of")
        if not 0 <= self.share <= 1:
            raise ParameterError(f"share = {self.share}: must be within 0 and 1")

    def put_into(self, cells: CellBatch, seed: int) -> CellBatch:
        """Return cells of which a random share is replaced by edited copies; a longer batch begins with a shorter."""
        stream = np.random.default_rng(seed)
        chosen, parents, edits = (
            draw[: len(cells)]
            for draw in (
                stream.random(CHUNK) < self.share,
                stream.integers(len(self.parents), size=CHUNK),
                stream.integers(1, MOST_EDITS, size=CHUNK, endpoint=True),
            )
        )
        originals = CellBatch.from_cells(list(self.parents), cells.operation_names, cells.width)[parents]
        copies = edit_cells(originals, np.where(chosen, edits, 0), seed)
        return CellBatch(
            np.where(chosen[:, None, None], copies.adjacency, cells.adjacency),
            np.where(chosen[:, None], copies.codes, cells.codes),
            cells.operation_names,
        )


def candidate_chunks(space: CellsConfig, count: int, seed: int, edited: Edited | None = None) -> Iterator[CellBatch]:
    """Draw candidates, chunk by chunk.

    Args:
        space: the law that cells are drawn by.
        count: number of candidates.
        seed: of all draws.
        edited: which of them are edited copies of given cells; without it all are drawn from the space.

    Raises:
        CellError: a parent is not in the space.
    """
    for number, start in enumerate(range(0, count, CHUNK)):
        cells = sample_cells(space, min(CHUNK, count - start), derive_seed(seed, "chunk", number))
        yield edited.put_into(cells, derive_seed(seed, "edited", number)) if edited else cells
