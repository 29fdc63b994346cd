"""NASGEM-Bench (paper, section 4): every cell of a few vertices with one operation, and a seeded draw of them.

A pruned cell of V vertices is a choice of a non-empty set of predecessors among the lower vertices, for each vertex
but the input. There are prod(2^v - 1 for v = 1..V-1) such choices, 9,765 for six vertices, so all of them are written
down and isomorphic ones dropped by their canonical keys: the enumeration is exact.
"""

import math

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.codes import FIRST_OPERATION_CODE, INPUT_CODE, PADDING_CODE
from nasgem_core.errors import ParameterError

NAME = "nasgem_bench"
OPERATION = "conv3x3"
"""The one operation of the benchmark: the full 3x3 convolution."""
MAX_VERTICES = 7
"""Of eight vertices there are 78 million choices: too many to write down."""


def enumerate_cells(vertices: int, operation: str = OPERATION) -> CellBatch:
    """Return all cells of at most `vertices` vertices (the input included), one of each isomorphism class.

    They stand by rising size, and by canonical key within a size, whatever order they were found in.

    Raises:
        ParameterError: `vertices` is below 2 or above 7.
    """
    if not 2 <= vertices <= MAX_VERTICES:
        raise ParameterError(f"vertices = {vertices}: cells of 2 to {MAX_VERTICES} vertices can be enumerated")
    return CellBatch.concatenate([_distinct_cells(size, vertices, operation) for size in range(2, vertices + 1)])


def draw_cells(cells: CellBatch, count: int, seed: int) -> CellBatch:
    """Return `count` of the cells, each equally likely, in random order; the first k do not depend on `count`.

    Raises:
        ParameterError: there are fewer cells than that.
    """
    if not 1 <= count <= len(cells):
        raise ParameterError(f"{count} cells are to be drawn and {len(cells)} exist: ask for 1 to {len(cells)}")
    return cells[np.random.default_rng(seed).permutation(len(cells))[:count]]


def training_blocks(cells: int, repeated: int, runs: int) -> list[tuple[slice, int]]:
    """Return (cells, run) of blocks of trainings, in an order that is useful wherever it is cut.

    Run 0 trains every cell once; the later runs train the first `repeated` cells again. A block of new cells and a
    repetition take turns, so that both are known early; `cells` cut short leaves the blocks before as they were.
    """
    repeated = min(repeated, cells)
    blocks = [(slice(0, repeated), 0)] if repeated else []
    done = repeated
    for run in range(1, runs if repeated else 1):
        blocks.append((slice(0, repeated), run))
        following = min(done + repeated, cells)
        if following > done:
            blocks.append((slice(done, following), 0))
        done = following
    return [*blocks, (slice(done, cells), 0)] if done < cells else blocks


def _distinct_cells(size: int, width: int, operation: str) -> CellBatch:
    """Return the cells of `size` vertices in arrays with room for `width`."""
    choices = [2**vertex - 1 for vertex in range(1, size)]
    count = math.prod(choices)
    graphs = np.zeros((count, width, width), dtype=np.uint8)
    for vertex, number in enumerate(np.unravel_index(np.arange(count), choices), start=1):
        for u in range(vertex):
            graphs[:, u, vertex] = (number + 1) >> u & 1
    codes = np.full((count, width), PADDING_CODE, dtype=np.uint8)
    codes[:, 0], codes[:, 1:size] = INPUT_CODE, FIRST_OPERATION_CODE
    cells = CellBatch(graphs, codes, (operation,))
    return cells[np.unique(cells.keys, return_index=True)[1]]
