"""The smallest cells of NAS-Bench-101's kind, with made-up accuracies."""

import numpy as np

from nasgem_core.benchmarks.graph_hash import graph_hashes
from nasgem_core.benchmarks.nasbench101_cells import HASH_LABELS, MAX_VERTICES, OPERATIONS
from nasgem_core.benchmarks.nasbench101_costs import nasbench101_costs
from nasgem_core.benchmarks.table import TabularSpace
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.codes import INPUT_CODE

OUTPUT = 5
"""Code of the last vertex."""


def small_nasbench101() -> TabularSpace:
    """Return all cells of at most four vertices that NAS-Bench-101 could hold, with noisy accuracies.

    The truth grows with the number of 3x3 convolutions and of edges; it is the mean of three runs.
    """
    adjacency, codes = [], []
    for size in (2, 3, 4):
        places = [(i, j) for i in range(size) for j in range(i + 1, size)]
        for bits in range(2 ** len(places)):
            matrix = np.zeros((MAX_VERTICES, MAX_VERTICES), dtype=np.uint8)
            for bit, place in enumerate(places):
                matrix[place] = bits >> bit & 1
            inner = matrix[:size, :size]
            if not (inner[:, 1:].any(0).all() and inner[:-1].any(1).all()):
                continue
            for number in range(3 ** (size - 2)):
                row = np.zeros(MAX_VERTICES, dtype=np.uint8)
                row[0], row[size - 1] = INPUT_CODE, OUTPUT
                row[1 : size - 1] = [2 + number // 3**i % 3 for i in range(size - 2)]
                adjacency.append(matrix)
                codes.append(row)
    cells = CellBatch(np.array(adjacency), np.array(codes), OPERATIONS)
    hashes = graph_hashes(cells, HASH_LABELS)
    _, first = np.unique(hashes, axis=0, return_index=True)
    cells, hashes = cells[first], hashes[first]
    quality = 0.8 + 0.03 * (cells.codes == 2).sum(1) + 0.01 * cells.adjacency.sum((1, 2))
    runs = quality[:, None] + 0.01 * np.random.default_rng(0).normal(size=(len(cells), 3))
    metrics = {"test_acc_run0": runs[:, 0], "test_acc_mean3": runs.mean(1)}
    metrics |= dict(zip(("params", "macs"), nasbench101_costs(cells, np.array([0, 0, 3, 1, 0, 0])), strict=True))
    columns = {name: values.astype(np.float32) for name, values in metrics.items()}
    return TabularSpace("nasbench101", cells, columns, "test_acc_run0", "test_acc_mean3", hashes)
