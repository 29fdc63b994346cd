"""A cell, and many cells as arrays.

A cell is a labelled directed acyclic graph (paper, section 3.2): vertices in topological order, vertex 0 the
cell's input, every other vertex an operation, every edge a tensor.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nasgem_core.cells.operations import INPUT, get_operation
from nasgem_core.errors import CellError

MAX_VERTICES = 250
SCHEMA = "nasgem.cell/1"
PADDING_CODE = 0
INPUT_CODE = 1
FIRST_OPERATION_CODE = 2


def _read_only(array: np.ndarray) -> np.ndarray:
    array = np.ascontiguousarray(array)
    if array.flags.writeable:
        array = array.copy()
        array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class Cell:
    """One valid, pruned cell.

    Args:
        adjacency: [V, V] of 0 and 1; `adjacency[u, v] = 1` is the edge from u to v, and u < v.
        operations: V names, the first of them "input".

    Raises:
        CellError: the matrix is not square, not 0/1, has a cycle or an edge against the order, a vertex has no
            path from the input, an operation is unknown, or nothing follows the input. `Cell.pruned` repairs
            unreachable vertices; the constructor never does.
    """

    adjacency: np.ndarray
    operations: tuple[str, ...]

    def __post_init__(self) -> None:
        adjacency = np.asarray(self.adjacency)
        operations = tuple(self.operations)
        _check_graph(adjacency, operations)
        adjacency = adjacency.astype(np.uint8)
        orphans = np.flatnonzero(~adjacency[:, 1:].any(axis=0)) + 1
        if len(orphans):
            raise CellError(
                f"vertex {int(orphans[0])} has no path from the input (vertex 0): remove it, or use Cell.pruned"
            )
        if len(operations) < 2:
            raise CellError("the cell has no operation: at least one vertex must follow the input")
        object.__setattr__(self, "adjacency", _read_only(adjacency))
        object.__setattr__(self, "operations", operations)

    @classmethod
    def pruned(cls, adjacency: np.ndarray, operations: Sequence[str]) -> "Cell":
        """Build a cell from a graph, dropping vertices with no path from the input (paper, section 3.2)."""
        adjacency = np.asarray(adjacency)
        _check_graph(adjacency, tuple(operations))
        reached = np.zeros(len(operations), dtype=bool)
        reached[0] = True
        for vertex in range(1, len(operations)):
            reached[vertex] = bool((adjacency[:vertex, vertex].astype(bool) & reached[:vertex]).any())
        keep = np.flatnonzero(reached)
        return cls(adjacency[np.ix_(keep, keep)], tuple(operations[int(i)] for i in keep))

    @property
    def num_vertices(self) -> int:
        """Number of vertices, the input included."""
        return len(self.operations)

    @property
    def num_edges(self) -> int:
        """Number of edges."""
        return int(self.adjacency.sum())

    @cached_property
    def leaves(self) -> tuple[int, ...]:
        """Vertices with no successor; the cell's output is the concatenation of their tensors."""
        return tuple(int(v) for v in np.flatnonzero(~self.adjacency.any(axis=1)))

    def predecessors(self, vertex: int) -> tuple[int, ...]:
        """Vertices with an edge to `vertex`, ascending."""
        return tuple(int(u) for u in np.flatnonzero(self.adjacency[:, vertex]))

    @cached_property
    def canonical_key(self) -> str:
        """32 hexadecimal digits, equal exactly for isomorphic cells (see `nasgem_core.cells.canonical`)."""
        from nasgem_core.cells.canonical import canonical_keys

        return canonical_keys(CellBatch.from_cells([self]))[0]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cell):
            return NotImplemented
        return self.operations == other.operations and np.array_equal(self.adjacency, other.adjacency)

    def __hash__(self) -> int:
        return hash((self.operations, self.adjacency.tobytes()))

    def to_dict(self) -> dict[str, Any]:
        """Return the cell as plain JSON values: the operations and the list of edges."""
        edges = [[int(u), int(v)] for u, v in zip(*np.nonzero(self.adjacency), strict=True)]
        return {"schema": SCHEMA, "operations": list(self.operations), "edges": edges}

    @classmethod
    def from_dict(cls, document: Any) -> "Cell":
        """Read what `to_dict` wrote; raises `CellError` naming the wrong field."""
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            found = document.get("schema") if isinstance(document, dict) else type(document).__name__
            raise CellError(f"not a cell: field 'schema' must be {SCHEMA!r}, found {found!r}")
        operations, edges = document.get("operations"), document.get("edges")
        if not isinstance(operations, list) or not all(isinstance(name, str) for name in operations):
            raise CellError("field 'operations' must be a list of operation names, the first of them 'input'")
        size = len(operations)
        if size > MAX_VERTICES:
            raise CellError(f"field 'operations' has {size} vertices: at most {MAX_VERTICES} are allowed")
        if not isinstance(edges, list):
            raise CellError("field 'edges' must be a list of [from, to] vertex numbers")
        adjacency = np.zeros((size, size), dtype=np.uint8)
        for edge in edges:
            if (
                not isinstance(edge, list)
                or len(edge) != 2
                or not all(type(end) is int and 0 <= end < size for end in edge)
            ):
                raise CellError(f"field 'edges' holds {edge!r}: each must be two vertex numbers in 0..{size - 1}")
            adjacency[edge[0], edge[1]] = 1
        return cls(adjacency, tuple(operations))

    def to_json(self) -> str:
        """Return the cell as one line of JSON."""
        return json.dumps(self.to_dict(), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Cell":
        """Read what `to_json` wrote; raises `CellError` when it is no JSON or no cell."""
        try:
            document = json.loads(text)
        except ValueError as error:
            raise CellError(f"not a cell: no valid JSON ({error})") from None
        return cls.from_dict(document)


def _check_graph(adjacency: np.ndarray, operations: tuple[str, ...]) -> None:
    """Raise `CellError` unless the arrays describe a DAG in topological order with known operations."""
    if adjacency.ndim != 2 or adjacency.shape[0] != adjacency.shape[1]:
        raise CellError(f"adjacency has shape {adjacency.shape}: it must be square")
    size = adjacency.shape[0]
    if not 1 <= size <= MAX_VERTICES:
        raise CellError(f"the cell has {size} vertices: 1 to {MAX_VERTICES} are allowed")
    if len(operations) != size:
        raise CellError(f"{len(operations)} operations for {size} vertices: give one a vertex")
    if not np.isin(adjacency, (0, 1)).all():
        raise CellError("adjacency holds values other than 0 and 1")
    below = np.argwhere(np.tril(adjacency))
    if len(below):
        u, v = (int(i) for i in below[0])
        raise CellError(
            f"edge {u} -> {v} runs against the order of vertices, so the cell may have a cycle: "
            "number the vertices so that every edge goes from a lower to a higher number"
        )
    if operations[0] != INPUT:
        raise CellError(f"vertex 0 is {operations[0]!r}: it must be {INPUT!r}")
    for vertex, name in enumerate(operations[1:], start=1):
        if name == INPUT:
            raise CellError(f"vertex {vertex} is {INPUT!r}: only vertex 0 is the input")
        get_operation(name)


@dataclass(frozen=True, eq=False)
class CellBatch:
    """Many cells as arrays, for everything that touches thousands of them at once.

    Args:
        adjacency: [B, V, V] uint8, each upper triangular, zero beyond a cell's own vertices.
        codes: [B, V] uint8; 0 is padding, 1 the input, 2 + i the i-th name of `operation_names`.
        operation_names: the names behind the codes.
    """

    adjacency: np.ndarray
    codes: np.ndarray
    operation_names: tuple[str, ...]

    def __post_init__(self) -> None:
        batch, size = self.codes.shape
        if self.adjacency.shape != (batch, size, size):
            raise CellError(f"adjacency {self.adjacency.shape} does not go with codes {self.codes.shape}")
        object.__setattr__(self, "operation_names", tuple(self.operation_names))

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def width(self) -> int:
        """Number of vertices that the arrays have room for."""
        return self.codes.shape[1]

    @property
    def num_vertices(self) -> np.ndarray:
        """[B] vertices of each cell, the input included."""
        return (self.codes != PADDING_CODE).sum(axis=1)

    def __getitem__(self, index: Any) -> "CellBatch":
        """Return the selected cells (slice, index array or mask) as a batch."""
        if isinstance(index, int | np.integer):
            index = [index]
        return CellBatch(self.adjacency[index], self.codes[index], self.operation_names)

    def cell(self, index: int) -> Cell:
        """Return one cell; raises `CellError` when its arrays are no valid cell."""
        size = int((self.codes[index] != PADDING_CODE).sum())
        codes = self.codes[index, :size]
        if size and (codes[0] != INPUT_CODE or (codes[1:] < FIRST_OPERATION_CODE).any()):
            raise CellError(f"cell {index} of the batch has codes {codes.tolist()}: 1 first, then 2 and above")
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
        """Stack cells. `operation_names` defaults to those that occur, sorted; `width` to the largest cell."""
        names = tuple(operation_names or sorted({name for cell in cells for name in cell.operations[1:]}))
        largest = max((cell.num_vertices for cell in cells), default=0)
        width = largest if width is None else width
        if largest > width:
            raise CellError(f"a cell has {largest} vertices, more than the {width} of this search space")
        code_of = {INPUT: INPUT_CODE} | {name: i + FIRST_OPERATION_CODE for i, name in enumerate(names)}
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

    @classmethod
    def concatenate(cls, batches: Sequence["CellBatch"]) -> "CellBatch":
        """Join batches of one search space, in order."""
        names = {batch.operation_names for batch in batches}
        if len(names) != 1:
            raise CellError(f"batches of different operations cannot be joined: {sorted(names)}")
        return cls(
            np.concatenate([batch.adjacency for batch in batches]),
            np.concatenate([batch.codes for batch in batches]),
            names.pop(),
        )
