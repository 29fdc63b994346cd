import itertools
from dataclasses import replace

import numpy as np
import pytest

from nasgem_core.benchmarks.benchmark import Benchmark
from nasgem_core.benchmarks.catalogue import benchmark_of
from nasgem_core.benchmarks.nasbench101_cells import OPERATIONS
from nasgem_core.benchmarks.nasbench201_cells import contracted_cells
from nasgem_core.benchmarks.prediction_spaces import check_readable, notation_of, prediction_space
from nasgem_core.benchmarks.table import TabularSpace
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import DataError
from nasgem_core.operations.registry import register_tabular
from nasgem_core.predictors.catalogue import PREDICTORS

FREE = sample_cells(CellsConfig(vertices=5, operations=("conv1x1", "dwconv3x3", "conv3x3")), 50, 0)


def table(name: str, cells: CellBatch, **metrics) -> TabularSpace:
    accuracy = np.linspace(0.5, 0.9, len(cells), dtype=np.float32)
    columns = {"accuracy": accuracy} | {key: np.asarray(values, np.float32) for key, values in metrics.items()}
    return TabularSpace(name, cells, columns, "accuracy", "accuracy", np.zeros((len(cells), 16), np.uint8))


def chains() -> CellBatch:
    """Return all cells of NAS-Bench-101 that are chains of two operations."""
    graph = np.diag(np.ones(3, np.uint8), 1)
    names = OPERATIONS
    pairs = itertools.product(names[:3], repeat=2)
    return CellBatch.from_cells([Cell(graph, ("input", *pair, names[3])) for pair in pairs], names)


def test_cells_of_nasbench101_are_read_with_their_costs():
    counts = np.arange(9) * 1e6
    space = prediction_space(
        table("nasbench101", chains(), params=counts, macs=counts[::-1]), benchmark_of("nasbench101")
    )
    assert len(space) == 9
    assert {"size:params", "size:macs", "count:op0"} <= set(space.names)
    params = space.features[:, space.names.index("size:params")]
    logs = np.log1p(counts)
    assert params.tolist() == pytest.approx(((logs - logs.mean()) / logs.std()).tolist(), abs=1e-4)


def test_cells_of_nasbench201_lose_dead_edges_and_keep_copies():
    operations = np.array(list(itertools.product((0, 1, 3), repeat=6)), np.uint8)  # none, skip_connect, nor_conv_3x3
    cells = contracted_cells(operations)
    benchmark = benchmark_of("nasbench201")
    space = prediction_space(table("nasbench201", cells), benchmark)
    assert "count:op0" in space.names and "count:op3" in space.names  # convolutions, and sums of equal tensors
    assert space.cells.operation_names == (*benchmark.notation.operations, "nb201_output")
    zero = int(np.flatnonzero(~operations.any(1))[0])
    assert space.cells.num_vertices[zero] == 2 and not space.cells.adjacency[zero].any()


def test_other_tables_are_read_by_the_costs_of_their_operations():
    notation = notation_of(table("own", FREE), Benchmark())
    assert notation.operations == ("conv3x3", "dwconv3x3", "conv1x1")
    assert notation.costs == pytest.approx((9, 1 + 9 / 64, 1))
    assert notation.output is None
    assert len(prediction_space(table("own", FREE), Benchmark())) == 50


def test_operations_without_costs_count_as_free_and_absent_ones_not_at_all():
    register_tabular("own_pooling")
    cell = Cell(np.diag(np.ones(2, np.uint8), 1), ("input", "own_pooling", "conv1x1"))
    notation = notation_of(
        table("own", CellBatch.from_cells([cell], ("conv3x3", "own_pooling", "conv1x1"))), Benchmark()
    )
    assert (notation.operations, notation.costs) == (("conv1x1", "own_pooling"), (1, 0))


def test_negative_counts_are_refused():
    counts = np.ones(50)
    counts[7] = -2
    with pytest.raises(DataError, match="own: metric 'macs' is a count, and in row 8 it is -2"):
        prediction_space(table("own", FREE, macs=counts), Benchmark())


def test_too_many_operations_are_refused():
    names = [f"own_{i}" for i in range(26)]
    for name in names:
        register_tabular(name)
    cells = [Cell(np.diag(np.ones(25, np.uint8), 1), ("input", *order[:25])) for order in (names, names[::-1])]
    own = table("own", CellBatch.from_cells(cells, tuple(names)))
    for read in (lambda: notation_of(own, Benchmark()), lambda: check_readable(own, Benchmark(), {})):
        with pytest.raises(DataError, match="operations has 26 names: predictors read 1 to 24"):
            read()


def test_what_ends_every_cell_and_is_fed_by_all_is_the_output():
    for name in ("own_sum", "own_a", "own_b"):
        register_tabular(name)
    graph, chain = np.triu(np.ones((4, 4), np.uint8), 1), np.diag(np.ones(2, np.uint8), 1)
    cells = [Cell(graph, ("input", "own_a", "own_b", "own_sum")), Cell(chain, ("input", "own_a", "own_sum"))]
    notation = notation_of(table("own", CellBatch.from_cells(cells)), Benchmark())
    assert (notation.operations, notation.output) == (("own_a", "own_b"), "own_sum")
    fork = Cell(np.array([[0, 1, 1], [0, 0, 0], [0, 0, 0]]), ("input", "own_a", "own_sum"))
    for other in (Cell(chain, ("input", "own_sum", "own_a")), Cell(chain, ("input", "own_sum", "own_sum")), fork):
        notation = notation_of(table("own", CellBatch.from_cells([*cells, other])), Benchmark())
        assert notation.output is None and "own_sum" in notation.operations
    known = [Cell(chain, ("input", name, "conv1x1")) for name in ("own_a", "own_b")]
    assert notation_of(table("own", CellBatch.from_cells(known)), Benchmark()).output is None


def test_what_predictors_lack_is_named_for_all_of_them_before_any_is_fitted():
    recipes = {name: PREDICTORS.get(name) for name in ("random", "parameters", "ensemble")}
    check_readable(table("own", FREE, params=np.arange(50)), Benchmark(), recipes)
    for metrics in ({}, {"params": np.ones(50)}):
        with pytest.raises(DataError, match=r"table 'own' has no such column, .*: 'parameters' needs 'params'; leave"):
            check_readable(table("own", FREE, **metrics), Benchmark(), recipes)
    recipes["mine"] = replace(recipes["random"], needs=("macs", "params"))
    with pytest.raises(DataError, match=r"'parameters' needs 'params'; 'mine' needs 'macs', 'params'"):
        check_readable(table("own", FREE), Benchmark(), recipes)


def test_a_table_that_predictors_do_not_read_names_the_one_that_they_do():
    with pytest.raises(DataError, match="predictors do not read nasbench201-raw: import nasbench201"):
        notation_of(table("nasbench201-raw", FREE), benchmark_of("nasbench201-raw"))
