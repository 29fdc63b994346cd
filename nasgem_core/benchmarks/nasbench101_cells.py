"""The cells of NAS-Bench-101 (Ying et al. 2019): labelled DAGs of at most 7 vertices and 9 edges.

A cell of the benchmark is a labelled DAG as ours is, with one difference: its output is a vertex. It stays one here,
with the operation `nb101_output`, because which vertices feed it, and how many, decides the widths of all others. The
operations are not those of the free space: inputs of a vertex are summed, not concatenated, and those from the cell's
input are projected first. So they have names of their own, which only tables carry.
"""

from collections.abc import Sequence

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.codes import FIRST_OPERATION_CODE, INPUT_CODE, PADDING_CODE
from nasgem_core.errors import DataError
from nasgem_core.operations.registry import register_tabular

OPERATIONS = ("nb101_conv3x3", "nb101_conv1x1", "nb101_maxpool3x3", "nb101_output")
OFFICIAL_NAMES = ("input", "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3", "output")
"""The benchmark's names of codes 1 to 5."""
MAX_VERTICES = 7
HASH_LABELS = np.array([0, -1, 0, 1, 2, -2])
"""The integers by which the benchmark's hash knows padding (none), the input, three operations and the output."""

for _name in OPERATIONS:
    register_tabular(_name)


def parse_graphs(graphs: Sequence[tuple[str, str]], keys: Sequence[str]) -> CellBatch:
    """Return cells as the benchmark writes them: the matrix row by row as digits, the operations separated by commas.

    Raises:
        DataError: a text is not such a graph; it names its key.
    """
    code_of = {name: code for code, name in enumerate(OFFICIAL_NAMES, start=INPUT_CODE)}
    adjacency = np.zeros((len(graphs), MAX_VERTICES, MAX_VERTICES), dtype=np.uint8)
    codes = np.zeros((len(graphs), MAX_VERTICES), dtype=np.uint8)
    for row, (digits, operations) in enumerate(graphs):
        try:
            names = operations.split(",")
            size = len(names)
            matrix = np.frombuffer(digits.encode(), dtype=np.uint8) - ord("0")
            adjacency[row, :size, :size] = matrix.reshape(size, size)
            codes[row, :size] = [code_of[name] for name in names]
        except (ValueError, KeyError, AttributeError) as error:
            raise DataError(f"cell {keys[row]} has no graph of the benchmark: {error}") from None
    return CellBatch(adjacency, codes, OPERATIONS)


def invalid_cells(cells: CellBatch) -> np.ndarray:
    """Return the rows of cells that are not a DAG in topological order, from a vertex "input" to a vertex "output"."""
    codes, adjacency, sizes = cells.codes, cells.adjacency, cells.num_vertices
    output = FIRST_OPERATION_CODE + OPERATIONS.index("nb101_output")
    places = np.arange(cells.width)
    last = np.maximum(sizes - 1, 0)[:, None]
    own = places < sizes[:, None]
    right = (codes[:, 0] == INPUT_CODE) & (codes <= output).all(axis=1) & (sizes >= 2)
    right &= ((codes != PADDING_CODE) == own).all(axis=1)
    right &= ((codes == INPUT_CODE) == (places == 0)).all(axis=1) & ((codes == output) == (places == last)).all(axis=1)
    right &= (adjacency <= 1).all(axis=(1, 2)) & ~np.tril(adjacency).any(axis=(1, 2))
    right &= (adjacency.any(axis=1) == (own & (places > 0))).all(axis=1)
    right &= (adjacency.any(axis=2) == (places < last)).all(axis=1)
    return np.flatnonzero(~right)
