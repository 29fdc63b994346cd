import itertools
from collections import Counter
from collections.abc import Sequence

import networkx as nx
import numpy as np
import pytest

from nasgem_core.benchmarks.nasbench201_cells import (
    EDGES,
    OFFICIAL_NAMES,
    OPERATIONS,
    contracted_cells,
    parse_architectures,
    raw_cells,
)
from nasgem_core.errors import DataError

NONE, SKIP, CONV1, CONV3, POOL = range(5)
ALL = np.array(list(itertools.product(range(5), repeat=6)), dtype=np.uint8)
"""The whole space: 15,625 cells."""


@pytest.fixture(scope="module")
def keys() -> np.ndarray:
    return np.array(contracted_cells(ALL).keys)


def cell_of(*operations):
    return contracted_cells(np.array([operations], dtype=np.uint8)).cell(0)


def short(cell):
    edges = [(int(u), int(v)) for u, v in np.argwhere(cell.adjacency)]
    return [name.removeprefix("nb201_") for name in cell.operations], edges


def test_texts_of_the_benchmark_are_parsed():
    text = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|none~1|avg_pool_3x3~2|"
    assert parse_architectures([text]).tolist() == [[CONV3, NONE, SKIP, CONV1, NONE, POOL]]


@pytest.mark.parametrize(
    "text", ["", "|none~0|", "|none~0|+|none~0|none~1|+|none~0|none~1|sep_conv~2|", "|none~0|+|none~0|none~0|+|none~0|"]
)
def test_other_texts_are_refused(text):
    with pytest.raises(DataError, match="is not a cell of NAS-Bench-201"):
        parse_architectures([text])


def test_raw_cells_are_one_graph_with_all_labellings():
    cells = raw_cells(ALL)
    assert len(set(cells.keys)) == 15_625
    names, edges = short(cells.cell(0))
    assert names == ["input", *["none"] * 6, "output"]
    # Vertices 1 to 6 are the edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3; an edge feeds those that start where it ends.
    into_output = [(4, 7), (5, 7), (6, 7)]
    assert sorted(edges) == sorted([(0, 1), (0, 2), (0, 4), (1, 3), (1, 5), (2, 6), (3, 6), *into_output])


@pytest.mark.parametrize(
    ("operations", "names", "edges"),
    [
        # A chain of three through edges 0-1, 1-2, 2-3.
        (
            (CONV3, NONE, CONV1, NONE, NONE, POOL),
            ["conv3x3", "conv1x1", "avgpool3x3"],
            [(0, 1), (1, 2), (2, 3), (3, 4)],
        ),
        # A skip hands on what it gets: the convolution feeds the output.
        ((CONV3, NONE, SKIP, NONE, NONE, SKIP), ["conv3x3"], [(0, 1), (1, 2)]),
        # Edge 0-1 leads nowhere, edge 2-3 gets nothing.
        ((CONV3, NONE, NONE, CONV1, NONE, POOL), ["conv1x1"], [(0, 1), (1, 2)]),
        # x + x: one edge to the output, and one through a skip.
        ((SKIP, NONE, NONE, SKIP, SKIP, NONE), ["skip_connect"], [(0, 1), (0, 2), (1, 2)]),
        # Two convolutions beside each other stay two.
        ((SKIP, NONE, NONE, CONV3, CONV3, NONE), ["conv3x3", "conv3x3"], [(0, 1), (0, 2), (1, 3), (2, 3)]),
        # Nothing reaches the output.
        ((CONV3, CONV3, CONV3, NONE, NONE, NONE), ["none"], [(0, 1), (1, 2)]),
        # The input itself.
        ((NONE, NONE, NONE, SKIP, NONE, NONE), [], [(0, 1)]),
    ],
)
def test_contraction_by_hand(operations, names, edges):
    assert short(cell_of(*operations)) == (["input", *names, "output"], edges)


def test_all_contracted_cells_are_valid_and_live():
    cells = contracted_cells(ALL)
    assert cells.num_vertices.max() == 8
    for cell in cells[np.arange(0, len(ALL), 7)]:
        # Every vertex has a way from the input (the constructor sees to it) and one to the output, the only leaf.
        assert cell.leaves == (cell.num_vertices - 1,) and cell.operations[-1] == OPERATIONS[-1]


def test_number_of_different_cells(keys):
    assert len(set(keys)) == 5425
    assert (contracted_cells(ALL).codes == 2).any(axis=1).sum() == 341


def unique_text(operations: Sequence[int], zero: bool) -> str:
    """Return the text by which the benchmark counts unlike cells, with or without regard to `none`."""
    nodes = {0: "0"}
    for node in (1, 2, 3):
        terms = []
        for (start, end), operation in zip(EDGES, operations, strict=True):
            if end == node and zero and (operation == NONE or nodes[start] == "#"):
                terms.append("#")
            elif end == node:
                terms.append(nodes[start] if operation == SKIP else f"({nodes[start]})@{OFFICIAL_NAMES[operation]}")
        nodes[node] = "+".join(sorted(terms))
    return nodes[3]


def test_published_counts_and_how_ours_differs(keys):
    texts = np.array([unique_text(operations, True) for operations in ALL])
    assert len(set(texts)) == 6466
    assert len({unique_text(operations, False) for operations in ALL}) == 12_751
    # The text keeps traces of dead edges ("#+#"), so it tells cells apart that compute the same ...
    assert len(set(zip(texts, keys, strict=True))) == 7122
    nothing, dead = (NONE,) * 6, (NONE, NONE, NONE, NONE, NONE, CONV3)
    assert unique_text(nothing, True) != unique_text(dead, True) and cell_of(*nothing) == cell_of(*dead)
    # ... and it forgets what is shared: one convolution read twice has the text of two convolutions.
    shared, twice = (CONV3, NONE, SKIP, NONE, CONV1, CONV1), (CONV3, CONV3, NONE, NONE, CONV1, CONV1)
    assert unique_text(shared, True) == unique_text(twice, True)
    assert [cell_of(*cell).operations.count("nb201_conv3x3") for cell in (shared, twice)] == [1, 2]


def reference_graph(operations: np.ndarray) -> nx.DiGraph:
    """Return the live operations as a graph whose edges carry how often a tensor is in the sum that is read."""
    sums: list[Counter] = [Counter({"input": 1}), Counter(), Counter(), Counter()]
    graph = nx.DiGraph()
    graph.add_node("input", operation="input")
    for edge, operation in zip(EDGES, operations, strict=True):
        start, end = edge
        if operation == SKIP:
            sums[end] = sums[end] + sums[start]
        elif operation != NONE and sums[start]:
            graph.add_node(edge, operation=int(operation))
            graph.add_edges_from((tensor, edge, {"times": times}) for tensor, times in sums[start].items())
            sums[end] = sums[end] + Counter({edge: 1})
    graph.add_node("output", operation="output")
    graph.add_edges_from((tensor, "output", {"times": times}) for tensor, times in sums[3].items())
    return graph.subgraph(nx.ancestors(graph, "output") | {"output"})


def isomorphic(a: np.ndarray, b: np.ndarray) -> bool:
    return nx.is_isomorphic(
        reference_graph(a),
        reference_graph(b),
        node_match=lambda u, v: u["operation"] == v["operation"],
        edge_match=lambda e, f: e["times"] == f["times"],
    )


def test_equal_keys_are_isomorphic_graphs(keys):
    generator = np.random.default_rng(5)
    for key in generator.choice(np.unique(keys), 250, replace=False):
        same = np.flatnonzero(keys == key)
        assert all(isomorphic(ALL[same[0]], ALL[row]) for row in same[1:6])


@pytest.mark.slow
def test_other_keys_are_other_graphs(keys):
    # Pairs with the same numbers of each operation are the hard ones.
    generator = np.random.default_rng(6)
    groups: dict[bytes, list[int]] = {}
    for row in np.unique(keys, return_index=True)[1]:
        cell = contracted_cells(ALL[row : row + 1])
        groups.setdefault(np.sort(cell.codes[0]).tobytes(), []).append(row)
    large = [rows for rows in groups.values() if len(rows) > 1]
    for _ in range(700):
        a, b = generator.choice(large[generator.integers(len(large))], 2, replace=False)
        assert not isomorphic(ALL[a], ALL[b])
