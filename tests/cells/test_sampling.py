import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgem_core.cells.sampling import sample_cells, sample_distinct_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import ParameterError


@settings(max_examples=30)
@given(st.integers(2, 40), st.integers(0, 2**63 - 1))
def test_every_sample_is_a_valid_cell(vertices, seed):
    batch = sample_cells(CellsConfig(vertices=vertices), 20, seed)
    assert batch.width == vertices
    # `cell` goes through the validating constructor, which also refuses unpruned vertices.
    assert all(2 <= cell.num_vertices <= vertices for cell in batch)


def test_largest_search_space():
    batch = sample_cells(CellsConfig(vertices=250, edge_probability=(0.2, 0.2)), 3, 0)
    assert batch.cell(2).num_vertices > 200


def test_samples_depend_on_seed_and_index_alone():
    config = CellsConfig()
    few, many = sample_cells(config, 10, 7), sample_cells(config, 50, 7)
    assert np.array_equal(few.adjacency, many.adjacency[:10])
    assert np.array_equal(few.codes, many.codes[:10])
    assert not np.array_equal(few.codes, sample_cells(config, 10, 8).codes)


def test_complete_dag_at_probability_one():
    cell = sample_cells(CellsConfig(vertices=12, edge_probability=(1.0, 1.0)), 1, 3).cell(0)
    assert cell.num_edges == 12 * 11 // 2


def test_edge_probability_is_the_one_asked_for():
    # Behind the input's first successors pruning takes nothing away, so edges among the last vertices exist with it.
    batch = sample_cells(CellsConfig(vertices=30, edge_probability=(0.6, 0.6)), 4000, 1)
    complete = batch.adjacency[batch.num_vertices == 30]
    late = complete[:, 15:, 15:][:, *np.triu_indices(15, 1)]
    assert len(complete) > 1000
    assert abs(late.mean() - 0.6) < 0.01


def test_operations_are_drawn_evenly():
    batch = sample_cells(CellsConfig(operations=("conv1x1", "dwconv3x3", "conv3x3")), 5000, 2)
    shares = np.bincount(batch.codes[:, 1:].ravel(), minlength=5)[2:] / (batch.codes[:, 1:] > 0).sum()
    assert np.allclose(shares, 1 / 3, atol=0.01)


def test_sizes_spread():
    sizes = sample_cells(CellsConfig(), 5000, 0).num_vertices
    assert np.percentile(sizes, 10) < 10
    assert np.percentile(sizes, 75) > 20


def test_distinct_cells_are_distinct_and_begin_alike():
    config = CellsConfig(vertices=5)
    many, few = sample_distinct_cells(config, 120, 3), sample_distinct_cells(config, 30, 3)
    keys = many.keys
    assert len(set(keys)) == 120
    assert few.keys == keys[:30]


def test_a_small_space_runs_out():
    # On two vertices there are two cells: the input and one of two operations.
    config = CellsConfig(vertices=2)
    assert len(sample_distinct_cells(config, 2, 0)) == 2
    with pytest.raises(ParameterError, match="only 2 different cells were found, but 3 are needed"):
        sample_distinct_cells(config, 3, 0)
