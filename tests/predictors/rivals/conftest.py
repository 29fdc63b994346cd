"""A small space whose accuracies follow from its graphs, and the same space numbered anew."""

import numpy as np
import pytest

from nasgem_core.cells.edits import renumber_cells
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.predictors.notation import Notation, lay_out
from nasgem_core.predictors.space import Space

COUNT = 400


def bare_space(cells) -> Space:
    """Return the space without features, which no rival reads."""
    return Space(cells, np.zeros((len(cells), 1), dtype=np.float32), ("none:0",))


@pytest.fixture(scope="session")
def space() -> Space:
    config = CellsConfig(vertices=6, edge_probability=(0.3, 0.6))
    cells = sample_cells(config, COUNT, 1)
    return bare_space(lay_out(cells, Notation(tuple(config.operations), (1.0, 9.0))))


@pytest.fixture(scope="session")
def renumbered(space) -> Space:
    return bare_space(renumber_cells(space.cells, np.ones(COUNT, dtype=bool), 2))


@pytest.fixture(scope="session")
def accuracies(space) -> np.ndarray:
    """Operations count, and so does what feeds the output; a tenth of the spread is noise."""
    cells = space.cells
    last = cells.num_vertices - 1
    first = (cells.codes == 2).sum(1)
    ends = cells.adjacency[np.arange(COUNT), :, last].sum(1)
    values = 2.0 * first - ends + 0.2 * cells.adjacency.sum((1, 2))
    values = values + 0.1 * values.std() * np.random.default_rng(0).normal(size=COUNT)
    return 0.5 + 0.3 * (values - values.min()) / (values.max() - values.min())
