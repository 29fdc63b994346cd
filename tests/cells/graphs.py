"""Random graphs for tests: hypothesis strategies and networkx copies of cells."""

import networkx as nx
import numpy as np
from hypothesis import strategies as st

from nasgem_core.cells.cell import Cell

NAMES = ("conv1x1", "dwconv3x3", "conv3x3")


@st.composite
def cells(draw, max_vertices=8, names=NAMES):
    size = draw(st.integers(2, max_vertices))
    bits = draw(st.lists(st.booleans(), min_size=size * size, max_size=size * size))
    adjacency = np.triu(np.array(bits, dtype=np.uint8).reshape(size, size), 1)
    adjacency[0, 1] = 1
    operations = ("input", *(draw(st.sampled_from(names)) for _ in range(size - 1)))
    return Cell.pruned(adjacency, operations)


def to_networkx(cell):
    graph = nx.DiGraph()
    for vertex, name in enumerate(cell.operations):
        graph.add_node(vertex, operation=name)
    graph.add_edges_from(np.argwhere(cell.adjacency).tolist())
    return graph


def are_isomorphic(a, b):
    same_operation = nx.algorithms.isomorphism.categorical_node_match("operation", None)
    return nx.is_isomorphic(to_networkx(a), to_networkx(b), node_match=same_operation)
