"""A batch of cells as arrays."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nasgem_core.cells.cell import Cell
from nasgem_core.cells.codes import FIRST_OPERATION_CODE, INPUT_CODE, PADDING_CODE, code_table
from nasgem_core.errors import CellError
from nasgem_core.operations.operation import INPUT


@dataclass(frozen=True, eq=False)
class CellBatch:
    """Many cells as arrays, for code that handles thousands of them at once.

    Args:
        adjacency: [B, V, V] uint8, upper triangular, zero beyond each cell's own vertices.
        codes: [B, V] uint8; 0 is padding, 1 the input, 2 + i the i-th name of `operation_names`.
        operation_names: the names behind the codes.

    Raises:
        CellError: the shapes of the arrays do not match.
    """

    adjacency: np.ndarray
    codes: np.ndarray
    operation_names: tuple[str, ...]

    def __post_init__(self) -> None:
        batch, size = self.codes.shape
        if self.adjacency.shape != (batch, size, size):
            raise CellError(f"adjacency {self.adjacency.shape} does not match codes {self.codes.shape}")
        object.__setattr__(self, "operation_names", tuple(self.operation_names))

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def width(self) -> int:
        """V, the number of vertices that the arrays have room for."""
        return self.codes.shape[1]

    @property
    def num_vertices(self) -> np.ndarray:
        """The number of vertices of each cell, the input included, [B]."""
        return (self.codes != PADDING_CODE).sum(axis=1)

    @cached_property
    def keys(self) -> list[str]:
        """The canonical key of each cell: 32 hexadecimal digits, equal exactly for isomorphic cells."""
        # Imported here because compiled code takes a second to import.
        from nasgem_core.cells.canonical import canonical_keys

        return canonical_keys(self.adjacency, self.codes, self.operation_names)

    def __getitem__(self, index: Any) -> "CellBatch":
        """Return the selected cells (slice, index array or mask) as a batch."""
        if isinstance(index, int | np.integer):
            index = [index]
        return CellBatch(self.adjacency[index], self.codes[index], self.operation_names)

    def cell(self, index: int) -> Cell:
        """Return one cell; raises `CellError` if its arrays do not describe a valid cell."""
        size = int((self.codes[index] != PADDING_CODE).sum())
        codes = self.codes[index, :size]
        if size and (codes[0] != INPUT_CODE or (codes[1:] < FIRST_OPERATION_CODE).any()):
            raise CellError(f"cell {index} of the batch has codes {codes.tolist()}: must be 1 first, then 2 and above")
        if size and codes.max(initial=0) - FIRST_OPERATION_CODE >= len(self.operation_names):
            raise CellError(f"cell {index} of the batch has a code beyond its {len(self.operation_names)} operations")
        names = (INPUT, *(self.operation_names[code - FIRST_OPERATION_CODE] for code in codes[1:]))
        return Cell(self.adjacency[index, :size, :size], names)

    def __iter__(self) -> Iterator[Cell]:
        return (self.cell(i) for i in range(len(self)))

    @classmethod
    def from_cells(
        cls, cells: Sequence[Cell], operation_names: Sequence[str] | None = None, width: int | None = None
    ) -> "CellBatch":
        """Stack cells of any size.

        Args:
            cells: the cells.
            operation_names: the names behind the codes; by default those that occur, sorted.
            width: number of vertices to make room for; by default that of the largest cell.

        Raises:
            CellError: a cell has more vertices than `width`, or an operation that is not listed.
        """
        names = tuple(operation_names or sorted({name for cell in cells for name in cell.operations[1:]}))
        largest = max((cell.num_vertices for cell in cells), default=0)
        width = largest if width is None else width
        if largest > width:
            raise CellError(f"a cell has {largest} vertices, more than the {width} of this search space")
        code_of = code_table(names)
        adjacency = np.zeros((len(cells), width, width), dtype=np.uint8)
        codes = np.zeros((len(cells), width), dtype=np.uint8)
        for i, cell in enumerate(cells):
            unknown = set(cell.operations) - set(code_of)
            if unknown:
                raise CellError(
                    f"cell {i} has the operation {sorted(unknown)[0]!r}, which is not in this search space "
                    f"({', '.join(names)})"
                )
            size = cell.num_vertices
            adjacency[i, :size, :size] = cell.adjacency
            codes[i, :size] = [code_of[name] for name in cell.operations]
        return cls(adjacency, codes, names)

    def with_operations(self, operation_names: Sequence[str]) -> "CellBatch":
        """Return the same cells, their operations coded by other names.

        Raises:
            CellError: a cell has an operation that is not among the names.
        """
        return CellBatch(self.adjacency, self.recoded(code_table(operation_names)), tuple(operation_names))

    def recoded(self, code_of: Mapping[str, int]) -> np.ndarray:
        """Return the codes of all vertices, uint8 [B, V], with those of operations exchanged.

        Args:
            code_of: name of an operation to its new code.

        Raises:
            CellError: a cell has an operation that is not among the names.
        """
        table = np.zeros(FIRST_OPERATION_CODE + len(self.operation_names), dtype=np.uint8)
        table[INPUT_CODE] = INPUT_CODE
        for code, name in enumerate(self.operation_names, start=FIRST_OPERATION_CODE):
            if name in code_of:
                table[code] = code_of[name]
            elif (self.codes == code).any():
                known = ", ".join(name for name in code_of if name != INPUT)
                raise CellError(f"a cell has the operation {name!r}, which is not among {known}")
        return table[self.codes]

    @classmethod
    def concatenate(cls, batches: Sequence["CellBatch"]) -> "CellBatch":
        """Join batches of one search space, in order."""
        names = {batch.operation_names for batch in batches}
        if len(names) != 1:
            raise CellError(f"batches with different operations cannot be joined: {sorted(names)}")
        return cls(
            np.concatenate([batch.adjacency for batch in batches]),
            np.concatenate([batch.codes for batch in batches]),
            names.pop(),
        )
