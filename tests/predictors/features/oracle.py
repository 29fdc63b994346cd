"""Features the slow way: over all paths of a networkx graph."""

from collections.abc import Iterator
from dataclasses import replace
from math import prod

import networkx as nx
import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.predictors.features.cell_features import cell_features, feature_names
from nasgem_core.predictors.notation import Notation, lay_out
from tests.cells.graphs import NAMES

FREE = Notation(("conv3x3", "dwconv3x3", "conv1x1"), (9.0, 1.25, 1.0))
DIVIDED = replace(FREE, divides_output=True)
KINDS = len(FREE.operations)
ALMOST = {"rel": 1e-5, "abs": 1e-5}
"""Features are float32."""


def laid_out(cell: Cell, notation: Notation = FREE) -> CellBatch:
    return lay_out(CellBatch.from_cells([cell], NAMES), notation)


def features_of(cell: Cell, notation: Notation = FREE) -> dict[str, float]:
    values = cell_features(laid_out(cell, notation), notation)[0]
    return dict(zip(feature_names(KINDS), values.tolist(), strict=True))


def graph_of(cell: Cell) -> nx.DiGraph:
    """Return the laid-out cell; an inner vertex has its operation's number as `kind`, 0 is the input."""
    batch = laid_out(cell)
    size = int(batch.num_vertices[0])
    graph = nx.DiGraph()
    for v in range(size):
        graph.add_node(v, kind=int(batch.codes[0, v]) - 2 if 0 < v < size - 1 else None)
    graph.add_edges_from(np.argwhere(batch.adjacency[0]).tolist())
    return graph


def output_of(graph: nx.DiGraph) -> int:
    return len(graph) - 1


def inner(graph: nx.DiGraph) -> list[int]:
    return list(range(1, output_of(graph)))


def kind(graph: nx.DiGraph, vertex: int) -> int:
    return graph.nodes[vertex]["kind"]


def source_kind(graph: nx.DiGraph, vertex: int) -> int:
    """Return 0 for the input, 1 + the operation's number for other vertices."""
    return 0 if vertex == 0 else kind(graph, vertex) + 1


def target_kind(graph: nx.DiGraph, vertex: int) -> int:
    return KINDS if vertex == output_of(graph) else kind(graph, vertex)


def paths(graph: nx.DiGraph) -> list[list[int]]:
    """Return all paths from the input to the output, without their ends."""
    return [path[1:-1] for path in nx.all_simple_paths(graph, 0, output_of(graph))]


def walks(graph: nx.DiGraph, forward: bool = False) -> Iterator[tuple[list[int], float]]:
    """Yield each path and the chance that an even walk takes it: from the output, or `forward` from the input."""
    for path in paths(graph):
        steps = list(zip([0, *path], [*path, output_of(graph)], strict=True))
        yield path, prod(1 / (graph.out_degree(u) if forward else graph.in_degree(v)) for u, v in steps)
