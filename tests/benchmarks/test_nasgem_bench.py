import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgem_core.benchmarks.nasgem_bench import OPERATION, draw_cells, enumerate_cells, training_blocks
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.errors import ParameterError

CELLS = enumerate_cells(6)


def test_as_many_exist_as_acyclic_digraphs_with_one_source():
    # OEIS A345258: unlabelled acyclic digraphs of n vertices with one source, which is what a pruned cell is.
    assert np.bincount(CELLS.num_vertices).tolist() == [0, 0, 1, 3, 16, 164, 3341]
    assert len(enumerate_cells(2)) == 1


def test_one_cell_of_each_class_is_kept_by_networkx_too():
    size = 5
    pairs = list(itertools.combinations(range(size), 2))
    classes: dict[tuple, list[nx.DiGraph]] = {}
    for edges in itertools.product((False, True), repeat=len(pairs)):
        graph = nx.DiGraph()
        graph.add_nodes_from(range(size))
        graph.add_edges_from(pair for pair, chosen in zip(pairs, edges, strict=True) if chosen)
        if len(nx.descendants(graph, 0)) < size - 1:
            continue
        # Degrees only sort graphs into few that are worth comparing.
        degrees = tuple(sorted((graph.in_degree(v), graph.out_degree(v)) for v in graph))
        alike = classes.setdefault(degrees, [])
        if not any(nx.is_isomorphic(graph, other) for other in alike):
            alike.append(graph)
    expected = [graph for alike in classes.values() for graph in alike]
    found = [nx.DiGraph(cell.adjacency) for cell in CELLS[CELLS.num_vertices == size]]
    assert len(found) == len(expected)
    for graph in expected:
        assert sum(nx.is_isomorphic(graph, other) for other in found) == 1


def test_cells_are_valid_distinct_and_in_order():
    keys = CELLS.keys
    assert len(set(keys)) == len(CELLS)
    assert list(zip(CELLS.num_vertices, keys, strict=True)) == sorted(zip(CELLS.num_vertices, keys, strict=True))
    # `cell` goes through the validating constructor, which refuses vertices that the input does not reach.
    assert {name for cell in CELLS for name in cell.operations} == {"input", OPERATION}
    assert CELLS.width == 6 and CELLS.operation_names == (OPERATION,)


def test_another_operation_gives_the_same_graphs():
    other = enumerate_cells(5, "conv1x1")
    assert {cell.operations[1] for cell in other} == {"conv1x1"}
    renamed = CellBatch(other.adjacency, other.codes, (OPERATION,))
    assert renamed.keys != other.keys
    assert set(renamed.keys) == set(enumerate_cells(5).keys)


@pytest.mark.parametrize("vertices", [1, 8])
def test_what_cannot_be_enumerated_is_refused(vertices):
    with pytest.raises(ParameterError, match=f"vertices = {vertices}: cells of 2 to 7"):
        enumerate_cells(vertices)


def test_a_draw_is_seeded_distinct_and_grows_at_its_end():
    few, many = draw_cells(CELLS, 50, 1).keys, draw_cells(CELLS, 400, 1).keys
    assert many[:50] == few and len(set(many)) == 400
    assert draw_cells(CELLS, 50, 2).keys != few
    assert sorted(draw_cells(CELLS, len(CELLS), 3).keys) == sorted(CELLS.keys)


def test_a_draw_is_even():
    # Of 20 cells 5 are drawn 2,000 times: each about 500 times, with a deviation of 19.
    cells = enumerate_cells(4)
    place = {key: index for index, key in enumerate(cells.keys)}
    counts = np.zeros(len(cells), dtype=int)
    for seed in range(2000):
        counts[[place[key] for key in draw_cells(cells, 5, seed).keys]] += 1
    assert counts.sum() == 10_000 and counts.min() > 420 and counts.max() < 580


@pytest.mark.parametrize("count", [0, len(CELLS) + 1])
def test_a_draw_of_what_is_not_there_is_refused(count):
    with pytest.raises(ParameterError, match=f"{count} cells are to be drawn and 3525 exist"):
        draw_cells(CELLS, count, 0)


@given(st.integers(1, 60), st.integers(0, 20), st.integers(1, 6))
def test_blocks_train_every_cell_once_and_the_first_ones_as_often_as_asked(cells, repeated, runs):
    trained = [(cell, run) for part, run in training_blocks(cells, repeated, runs) for cell in range(cells)[part]]
    again = range(min(repeated, cells))
    expected = [(cell, 0) for cell in range(cells)] + [(cell, run) for run in range(1, runs) for cell in again]
    assert sorted(trained) == sorted(expected)
    once = [cell for cell, run in trained if run == 0]
    assert once == sorted(once)


def test_blocks_take_turns_and_have_the_repetitions_early():
    blocks = training_blocks(1000, 20, 5)
    assert [run for _, run in blocks] == [0, 1, 0, 2, 0, 3, 0, 4, 0, 0]
    assert [part.stop - part.start for part, _ in blocks] == [20] * 9 + [900]
    # Fewer cells cut the end off, and nothing that was trained is lost.
    assert training_blocks(60, 20, 5)[:6] == blocks[:6]


def test_isomorphic_numberings_fall_on_one_cell():
    # Input -> a -> b with input -> b, beside an extra leaf at any place.
    numberings = [[(0, 1), (1, 2), (0, 2), (0, 3)], [(0, 2), (2, 3), (0, 3), (0, 1)], [(0, 1), (1, 3), (0, 3), (0, 2)]]
    keys = set()
    for edges in numberings:
        adjacency = np.zeros((4, 4), dtype=np.uint8)
        adjacency[tuple(np.transpose(edges))] = 1
        keys.add(Cell(adjacency, ("input", *[OPERATION] * 3)).canonical_key)
    assert len(keys) == 1 and keys <= set(CELLS.keys)
