import itertools

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.text import Text

from nasgem_core.cells.cell import Cell
from nasgem_core.figures.cell import draw_cell
from nasgem_core.figures.cell_layout import layered_layout, longest_path_layers
from nasgem_core.figures.image import figure_png

OPERATIONS = ("conv1x1", "dwconv3x3", "conv3x3")


def random_cell(vertices: int, probability: float, seed: int) -> Cell:
    random = np.random.default_rng(seed)
    adjacency = np.triu(random.random((vertices, vertices)) < probability, 1)
    adjacency[0, 1] = True
    return Cell.pruned(adjacency, ("input", *random.choice(OPERATIONS, vertices - 1)))


def longest_path_by_enumeration(adjacency: np.ndarray, vertex: int) -> int:
    """Try every subset of the vertices in between as a path from the input."""
    best = 0
    for length in range(vertex):
        for middle in itertools.combinations(range(1, vertex), length):
            path = (0, *middle, vertex)
            if all(adjacency[u, v] for u, v in itertools.pairwise(path)):
                best = len(path) - 1
    return best


CELLS = [random_cell(n, p, seed) for seed, (n, p) in enumerate([(2, 0.5), (6, 0.5), (30, 0.1), (30, 0.4), (60, 0.2)])]


@pytest.mark.parametrize("seed", range(5))
def test_a_vertex_stands_in_the_layer_of_its_longest_path(seed):
    cell = random_cell(9, 0.4, seed)
    layers = longest_path_layers(cell.adjacency)
    assert layers.tolist() == [longest_path_by_enumeration(cell.adjacency, v) for v in range(cell.num_vertices)]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.num_vertices}x{cell.num_edges}")
def test_following_the_lines_of_a_vertex_gives_exactly_its_edges(cell):
    layout = layered_layout(cell)
    output = cell.num_vertices
    start, end = layout.segments.T
    assert (layout.layer[end] == layout.layer[start] + 1).all()
    for vertex in range(output):
        mine = layout.segments[layout.source == vertex]
        reached, frontier = set(), {vertex}
        while frontier:
            frontier = {int(b) for a, b in mine if a in frontier}
            reached |= {point for point in frontier if point <= output}
            frontier = {point for point in frontier if point > output}
        leaf = {output} if vertex in cell.leaves else set()
        assert reached == set(np.flatnonzero(cell.adjacency[vertex]).tolist()) | leaf


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.num_vertices}x{cell.num_edges}")
def test_no_line_passes_through_a_vertex(cell):
    # Lines bend only between two layers, so they can meet a vertex only at a waypoint.
    layout = layered_layout(cell)
    vertex = np.arange(len(layout.layer)) <= cell.num_vertices
    for number in range(layout.layer.max() + 1):
        here = layout.layer == number
        distance = np.abs(layout.height[here][:, None] - layout.height[here][None, :])
        np.fill_diagonal(distance, np.inf)
        assert distance.min() > 0.4 - 1e-9
        to_vertices = distance[:, vertex[here]]
        assert to_vertices.min(initial=np.inf) > 0.7 - 1e-9
        assert distance[np.ix_(vertex[here], vertex[here])].min(initial=np.inf) > 1 - 1e-9


def test_ordering_removes_the_crossings_of_a_ladder():
    # Two chains whose vertices are numbered crosswise: drawn in the order of numbers they would cross at each layer.
    edges = [(0, 1), (0, 2), (1, 4), (2, 3), (3, 6), (4, 5), (5, 8), (6, 7)]
    adjacency = np.zeros((9, 9), dtype=np.uint8)
    adjacency[tuple(np.transpose(edges))] = 1
    layout = layered_layout(Cell(adjacency, ("input",) + ("conv1x1",) * 8))
    chains = np.sign([layout.height[b] - layout.height[a] for a, b in [(1, 2), (4, 3), (5, 6), (8, 7)]])
    assert abs(chains.sum()) == 4


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.num_vertices}x{cell.num_edges}")
def test_every_vertex_and_every_line_is_drawn(cell):
    figure = draw_cell(cell, "A cell")
    axes = figure.axes[0]
    words = [text.get_text() for text in axes.texts]
    assert sorted(words) == sorted([*map(str, range(1, cell.num_vertices)), "in", "out"])
    left, right = axes.get_xlim()
    low, high = sorted(axes.get_ylim())
    for text in axes.texts:
        assert left < text.get_position()[0] < right
        assert low < text.get_position()[1] < high
    curves = [item for item in axes.collections if isinstance(item, PathCollection) and not len(item.get_sizes())]
    assert sum(len(item.get_paths()) for item in curves) == len(layered_layout(cell).segments)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert sorted(legend) == sorted(set(cell.operations[1:]))
    assert "A cell" in [text.get_text() for text in figure.findobj(Text)]


def test_equal_cells_give_equal_bytes():
    first, second = (figure_png(draw_cell(random_cell(20, 0.2, 7), "Cell"), dpi=50) for _ in range(2))
    assert first == second
    assert first != figure_png(draw_cell(random_cell(20, 0.2, 8), "Cell"), dpi=50)
