"""A cell: a labelled directed acyclic graph (paper, section 3.2).

Vertices are in topological order: vertex 0 is the cell's input, every other vertex is an operation, and every edge
passes on a tensor.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nasgem_core.cells.codes import MAX_VERTICES, encode_operations
from nasgem_core.config.documents import DocumentKind, shown
from nasgem_core.errors import CellError
from nasgem_core.operations.operation import INPUT
from nasgem_core.operations.registry import check_operations

SCHEMA = "nasgem.cell/1"
_KIND = DocumentKind("a cell", SCHEMA, error=CellError)


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
        CellError: the matrix is not square, holds values other than 0 and 1, or has an edge against the order; a
            vertex has no path from the input; an operation is unknown; or nothing follows the input. `Cell.pruned`
            removes unreachable vertices; the constructor never does.
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
        """Vertices without a successor; the cell's output is the concatenation of their tensors."""
        return tuple(int(v) for v in np.flatnonzero(~self.adjacency.any(axis=1)))

    def predecessors(self, vertex: int) -> tuple[int, ...]:
        """Vertices with an edge to `vertex`, ascending."""
        return tuple(int(u) for u in np.flatnonzero(self.adjacency[:, vertex]))

    # Compiled code and igraph take a second to import, and most code that reads cells needs neither.
    @cached_property
    def canonical_key(self) -> str:
        """32 hexadecimal digits, equal exactly for isomorphic cells (see `nasgem_core.cells.canonical`)."""
        from nasgem_core.cells.canonical import canonical_keys

        return canonical_keys(*self._as_batch())[0]

    def canonical_form(self) -> "Cell":
        """Return the representative of the cell's isomorphism class: isomorphic cells have the same one."""
        from nasgem_core.cells.canonical import canonical_orders, topological_order

        order = topological_order(self.adjacency, canonical_orders(*self._as_batch())[0])
        return Cell(self.adjacency[np.ix_(order, order)], tuple(self.operations[v] for v in order))

    def _as_batch(self) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
        """Return adjacency [1, V, V], codes [1, V] and the names behind the codes."""
        names = tuple(sorted(set(self.operations[1:])))
        return self.adjacency[None], encode_operations(self.operations, names)[None], names

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
        # Tables hold many thousands of cells: reading the fields one by one would take most of the time.
        fields = _KIND.fields_of(document)
        operations, edges = fields.get("operations"), fields.get("edges")
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
                raise CellError(f"field 'edges' holds {shown(edge)}: each must be two vertex numbers in 0..{size - 1}")
            if adjacency[edge[0], edge[1]]:
                raise CellError(f"field 'edges' holds {edge!r} twice: remove one, or correct a vertex number")
            adjacency[edge[0], edge[1]] = 1
        return cls(adjacency, tuple(operations))

    def to_json(self) -> str:
        """Return the cell as one line of JSON."""
        return json.dumps(self.to_dict(), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Cell":
        """Read what `to_json` wrote; raises `CellError` if it is not JSON or does not describe a cell."""
        return cls.from_dict(_KIND.parse(text))


def _check_graph(adjacency: np.ndarray, operations: tuple[str, ...]) -> None:
    """Raise `CellError` unless the arrays describe a DAG in topological order with known operations."""
    if adjacency.ndim != 2 or adjacency.shape[0] != adjacency.shape[1]:
        raise CellError(f"adjacency has shape {adjacency.shape}: it must be square")
    size = adjacency.shape[0]
    if not 1 <= size <= MAX_VERTICES:
        raise CellError(f"the cell has {size} vertices: 1 to {MAX_VERTICES} are allowed")
    if len(operations) != size:
        raise CellError(f"{len(operations)} operations for {size} vertices: give one per vertex")
    if not np.isin(adjacency, (0, 1)).all():
        raise CellError("adjacency holds values other than 0 and 1")
    below = np.argwhere(np.tril(adjacency))
    if len(below):
        u, v = (int(i) for i in below[0])
        raise CellError(
            f"edge {u} -> {v} runs against the order of the vertices, so the cell may have a cycle: "
            "number the vertices so that every edge goes from a lower to a higher number"
        )
    if operations[0] != INPUT:
        raise CellError(f"vertex 0 is {operations[0]!r}: it must be {INPUT!r}")
    for vertex, name in enumerate(operations[1:], start=1):
        if name == INPUT:
            raise CellError(f"vertex {vertex} is {INPUT!r}: only vertex 0 is the input")
    check_operations(operations[1:])
