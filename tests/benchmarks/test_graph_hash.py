import hashlib

import numpy as np
import pytest

from nasgem_core.benchmarks.graph_hash import graph_hashes
from nasgem_core.benchmarks.nasbench101_cells import HASH_LABELS, OPERATIONS
from nasgem_core.cells.batch import CellBatch
from tests.benchmarks.official import official


def digest(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def reference_hash(matrix: np.ndarray, labels: list[int]) -> str:
    """Return the published hash, vertex by vertex."""
    size = len(labels)
    hashes = [digest(str((int(matrix[v].sum()), int(matrix[:, v].sum()), labels[v]))) for v in range(size)]
    for _ in range(size):
        before = ["".join(sorted(hashes[u] for u in np.flatnonzero(matrix[:, v]))) for v in range(size)]
        after = ["".join(sorted(hashes[u] for u in np.flatnonzero(matrix[v]))) for v in range(size)]
        hashes = [digest(f"{before[v]}|{after[v]}|{hashes[v]}") for v in range(size)]
    return digest(str(sorted(hashes)))


def random_graphs(count: int) -> CellBatch:
    generator = np.random.default_rng(3)
    adjacency = np.triu(generator.integers(0, 2, (count, 7, 7)), 1).astype(np.uint8)
    codes = generator.integers(2, 5, (count, 7)).astype(np.uint8)
    codes[:, 0] = 1
    for row, size in enumerate(generator.integers(2, 8, count)):
        codes[row, size - 1] = 5
        codes[row, size:] = 0
        adjacency[row, size:] = adjacency[row, :, size:] = 0
    return CellBatch(adjacency, codes, OPERATIONS)


def test_hashes_are_those_of_the_definition():
    cells = random_graphs(200)
    expected = []
    for row, size in enumerate(cells.num_vertices):
        labels = [int(HASH_LABELS[code]) for code in cells.codes[row, :size]]
        expected.append(reference_hash(cells.adjacency[row, :size, :size], labels))
    assert [found.tobytes().hex() for found in graph_hashes(cells, HASH_LABELS)] == expected


def test_hashes_are_the_benchmarks_own():
    with np.load(official("nasbench101.npz")) as archive:
        rows = np.random.default_rng(1).choice(len(archive["ops"]), 10_000, replace=False)
        ops, adjacency, hashes = archive["ops"][rows], archive["adjacency"][rows], archive["hash16"][rows]
    codes = np.where(ops == 255, 0, ops + 1).astype(np.uint8)
    assert np.array_equal(graph_hashes(CellBatch(adjacency, codes, OPERATIONS), HASH_LABELS), hashes)


@pytest.mark.parametrize("change", ["edge", "operation"])
def test_other_graphs_have_other_hashes(change):
    cells = random_graphs(50)[cells_of_seven(random_graphs(50))]
    adjacency, codes = cells.adjacency.copy(), cells.codes.copy()
    if change == "edge":
        adjacency[:, 0, 6] ^= 1
    else:
        codes[:, 1] = codes[:, 1] % 3 + 2
    changed = graph_hashes(CellBatch(adjacency, codes, OPERATIONS), HASH_LABELS)
    assert len(cells) > 3 and (changed != graph_hashes(cells, HASH_LABELS)).any(axis=1).all()


def cells_of_seven(cells: CellBatch) -> np.ndarray:
    return cells.num_vertices == 7
