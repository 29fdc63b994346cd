"""What a space's operations mean, and its cells written in one form: input, computing vertices, one output.

Features and networks read this form alone. Its operations are numbered from the most expensive to the cheapest, its
output is a vertex of its own, and vertices that only hand their input on are gone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.codes import FIRST_OPERATION_CODE, PADDING_CODE
from nasgem_core.errors import CellError, DataError
from nasgem_core.operations.operation import MAX_OPERATIONS
from nasgem_core.operations.registry import OPERATIONS

MOST_ENUMERATED = 5
"""Up to so many operations features count all subsets, all sequences of three and all patterns of three vertices."""
_CHANNELS = np.array(64)
"""Channels for which an operation's cost is taken; depthwise convolutions have no single one."""
OUTPUT = "output"
"""Name of the vertex that is added to cells whose output is the concatenation of their leaves."""


@dataclass(frozen=True)
class Notation:
    """How the cells of a space are to be read.

    Args:
        operations: the K names of what computes, from the most expensive to the cheapest.
        costs: their multiply-adds per pixel and pair of channels: 9 for a full 3x3 convolution, 0 for pooling.
        output: the operation of the last vertex; None where a cell's output is the concatenation of its leaves.
        divides_output: the output's channels are divided among its inputs, as in NAS-Bench-101.
        passing: names of what hands its input on, such as a skip: its receivers are fed directly.
        zero: names of what gives zeros: it feeds nothing.

    Raises:
        DataError: there are no or too many operations, or not one cost for each.
    """

    operations: tuple[str, ...]
    costs: tuple[float, ...]
    output: str | None = None
    divides_output: bool = False
    passing: tuple[str, ...] = ()
    zero: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.operations)
        if not 1 <= count <= MAX_OPERATIONS:
            raise DataError(f"operations has {count} names: predictors read 1 to {MAX_OPERATIONS}; join similar ones")
        if len(self.costs) != count:
            raise DataError(f"costs has {len(self.costs)} numbers for {count} operations: give one for each")


def free_notation(operations: Iterable[str]) -> Notation:
    """Return how cells with these operations are read where the output is the concatenation of the leaves.

    An operation that is not registered, so that its cost is not known, counts as free.

    Raises:
        DataError: there are more operations than predictors read.
    """
    costs = {name: _cost(name) for name in operations}
    names = tuple(sorted(costs, key=lambda name: -costs[name]))
    return Notation(names, tuple(costs[name] for name in names))


def _cost(operation: str) -> float:
    """Return the multiply-adds per pixel and pair of channels."""
    if operation not in OPERATIONS:
        return 0.0
    return float(OPERATIONS.get(operation).macs_per_pixel(_CHANNELS, _CHANNELS) / _CHANNELS**2)


def lay_out(cells: CellBatch, notation: Notation) -> CellBatch:
    """Return the cells in the form of this module; the operation names are `notation.operations` and the output's.

    The output is the last vertex of every cell.

    Raises:
        DataError: a cell has an operation that the notation does not know, or another last vertex than its output.
    """
    code_of = {name: FIRST_OPERATION_CODE + i for i, name in enumerate(notation.operations)}
    output = FIRST_OPERATION_CODE + len(notation.operations)
    gone = output + 1
    code_of |= {notation.output: output} if notation.output else {}
    code_of |= dict.fromkeys((*notation.passing, *notation.zero), gone)
    adjacency = cells.adjacency.copy()
    try:
        codes = cells.recoded(code_of)
    except CellError as error:
        raise DataError(f"the notation does not fit: {error}") from None
    for name in notation.passing:
        if name in cells.operation_names:
            _feed_receivers(adjacency, cells.codes == FIRST_OPERATION_CODE + cells.operation_names.index(name))
    adjacency, codes = _without(adjacency, codes, codes == gone)
    if notation.output is None:
        adjacency, codes = _with_output(adjacency, codes, output)
    last = (codes != PADDING_CODE).sum(1) - 1
    ends = (codes == output) == (np.arange(codes.shape[1]) == last[:, None])
    wrong = np.flatnonzero(~ends.all(1))
    if len(wrong):
        raise DataError(f"cell {wrong[0]} must have one vertex {notation.output!r}, the last one")
    return CellBatch(adjacency, codes, (*notation.operations, notation.output or OUTPUT))


def _feed_receivers(adjacency: np.ndarray, passing: np.ndarray) -> None:
    """Add an edge to every receiver of a passing vertex from what feeds that vertex; passing is [B, V]."""
    for v in np.flatnonzero(passing.any(0)):
        rows = np.flatnonzero(passing[:, v])
        adjacency[rows] |= adjacency[rows, :, v, None] & adjacency[rows, v, None, :]


def _without(adjacency: np.ndarray, codes: np.ndarray, gone: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the graphs without the vertices `gone` [B, V], gaps closed."""
    if not gone.any():
        return adjacency, codes
    kept = np.where(gone, PADDING_CODE, codes)
    order = np.argsort(kept == PADDING_CODE, axis=1, kind="stable")
    rows = np.arange(len(codes))[:, None]
    adjacency = adjacency * ~(gone[:, :, None] | gone[:, None, :])
    return adjacency[rows[:, :, None], order[:, :, None], order[:, None, :]], kept[rows, order]


def _with_output(adjacency: np.ndarray, codes: np.ndarray, output: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the graphs with one more vertex, fed by all leaves."""
    leaves = (codes != PADDING_CODE) & ~adjacency.any(2)
    adjacency = np.pad(adjacency, ((0, 0), (0, 1), (0, 1)))
    codes = np.pad(codes, ((0, 0), (0, 1)))
    sizes = (codes != PADDING_CODE).sum(1)
    row, leaf = np.nonzero(leaves)
    adjacency[row, leaf, sizes[row]] = 1
    codes[np.arange(len(codes)), sizes] = output
    return adjacency, codes
