"""A small space whose accuracies follow from its graphs by a known rule."""

import networkx as nx
import numpy as np
import pytest

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.edits import renumber_cells
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.predictors.space import Space
from tests.predictors.features.oracle import FREE

COUNT = 600


@pytest.fixture(scope="session")
def cells():
    return sample_cells(CellsConfig(vertices=6, operations=FREE.operations, edge_probability=(0.3, 0.7)), COUNT, 1)


@pytest.fixture(scope="session")
def space(cells) -> Space:
    return Space.build(cells, FREE)


@pytest.fixture(scope="session")
def doubled(cells) -> Space:
    """Return the cells, and after them the same ones with their vertices renamed."""
    renamed = renumber_cells(cells, np.ones(COUNT, dtype=bool), 2)
    return Space.build(CellBatch.concatenate([cells, renamed]), FREE)


@pytest.fixture(scope="session")
def accuracies(cells) -> np.ndarray:
    """Depth and expensive operations help, and a tenth of the spread is noise."""
    depth = [nx.dag_longest_path_length(nx.DiGraph(graph)) for graph in cells.adjacency]
    values = np.array(depth) + 1.5 * (cells.codes == 2 + FREE.operations.index("conv3x3")).sum(1)
    values = values + 0.1 * values.std() * np.random.default_rng(0).normal(size=COUNT)
    return 0.5 + 0.4 * (values - values.min()) / np.ptp(values)
