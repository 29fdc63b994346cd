"""From the cells of NAS-Bench-201 (Dong and Yang 2020), whose operations sit on edges, to cells of labelled vertices.

A cell of the benchmark has four nodes and an operation on each of the six edges u -> v with u < v; a node is the sum of
what its edges bring, node 0 the input, node 3 the output. Here an edge becomes a vertex labelled by its operation, fed
by what makes up node u; the output is one more vertex. Two forms:

- **raw**: all six operations, `nb201_none` too: one graph of 8 vertices with 15,625 labellings.
- **contracted**: what the network computes. Edges with `none` are gone, and with them what is no longer between the
  input and the output; a `skip_connect` is gone too, and what it brought feeds its receivers directly. A sum may hold
  the same tensor several times (x + x through two skips); a graph has one edge for it, and for each further time a
  vertex `nb201_skip_connect` fed by the tensor, so that x and x + x stay different cells. Where nothing reaches the
  output the network computes zero: this is the one cell input -> `nb201_none` -> output.
"""

from collections.abc import Sequence

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.codes import FIRST_OPERATION_CODE, INPUT_CODE
from nasgem_core.errors import DataError
from nasgem_core.operations.registry import register_tabular

OFFICIAL_NAMES = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
OPERATIONS = (
    "nb201_none",
    "nb201_skip_connect",
    "nb201_conv1x1",
    "nb201_conv3x3",
    "nb201_avgpool3x3",
    "nb201_output",
)
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""The edges in the benchmark's order: by their end, then by their start."""
NODES = 4
_NONE, _SKIP = OFFICIAL_NAMES.index("none"), OFFICIAL_NAMES.index("skip_connect")
_OUTPUT_CODE = FIRST_OPERATION_CODE + OPERATIONS.index("nb201_output")
_SOURCES = 1 + len(EDGES)
"""Tensors that a node may sum: the cell's input, then the value of each edge."""
_WIDTH = 8
_ROOM = 4
"""Most times that one tensor occurs in a sum: by skips alone, node 3 is four times the input."""

for _name in OPERATIONS:
    register_tabular(_name)


def parse_architectures(texts: Sequence[str]) -> np.ndarray:
    """Return the operations of the six edges, [B, 6] uint8 indices of `OFFICIAL_NAMES`.

    Args:
        texts: B cells as the benchmark writes them: "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|none~2|".

    Raises:
        DataError: a text is not such a cell; it names the text.
    """
    operations = np.zeros((len(texts), len(EDGES)), dtype=np.uint8)
    for row, text in enumerate(texts):
        try:
            edges = {}
            for end, node in enumerate(text.split("+"), start=1):
                for edge in node.strip("|").split("|"):
                    name, start = edge.split("~")
                    if (int(start), end) in edges:
                        raise ValueError(f"it has the edge {int(start)} -> {end} twice")
                    edges[int(start), end] = OFFICIAL_NAMES.index(name)
            if set(edges) != set(EDGES):
                raise ValueError("it must have six edges")
        except (ValueError, AttributeError) as error:
            raise DataError(f"{text!r:.200} is not a cell of NAS-Bench-201: {error}") from None
        operations[row] = [edges[edge] for edge in EDGES]
    return operations


def raw_cells(operations: np.ndarray) -> CellBatch:
    """Return cells that keep all six operations, from [B, 6] indices of `OFFICIAL_NAMES`."""
    batch = len(operations)
    graph = np.zeros((_WIDTH, _WIDTH), dtype=np.uint8)
    for e, (start, end) in enumerate(EDGES, start=1):
        graph[0, e] |= start == 0
        graph[e, _WIDTH - 1] |= end == NODES - 1
        for later, (next_start, _) in enumerate(EDGES, start=1):
            graph[e, later] |= next_start == end
    codes = np.full((batch, _WIDTH), _OUTPUT_CODE, dtype=np.uint8)
    codes[:, 0] = INPUT_CODE
    codes[:, 1:-1] = operations + FIRST_OPERATION_CODE
    return CellBatch(np.repeat(graph[None], batch, axis=0), codes, OPERATIONS)


def contracted_cells(operations: np.ndarray) -> CellBatch:
    """Return cells without dead edges and without skips, from [B, 6] indices of `OFFICIAL_NAMES`."""
    batch = len(operations)
    received = _received(operations)
    # Slots: each tensor followed by its further copies, in topological order, then the output.
    slots = _SOURCES * _ROOM + 1
    graph = np.zeros((batch, slots, slots), dtype=np.uint8)
    codes = np.zeros((batch, slots), dtype=np.uint8)
    most = received.max(axis=1)
    for source in range(_SOURCES):
        first = source * _ROOM
        code = np.full(batch, INPUT_CODE) if source == 0 else operations[:, source - 1] + FIRST_OPERATION_CODE
        codes[:, first] = np.where((most[:, source] > 0) | (source == 0), code, 0)
        for copy in range(1, _ROOM):
            needed = most[:, source] > copy
            codes[:, first + copy] = needed * (FIRST_OPERATION_CODE + _SKIP)
            graph[:, first, first + copy] = needed
        for consumer in range(_SOURCES):
            place = slots - 1 if consumer == _SOURCES - 1 else (consumer + 1) * _ROOM
            for copy in range(_ROOM):
                graph[:, first + copy, place] = received[:, consumer, source] > copy
    codes[:, -1] = _OUTPUT_CODE
    zero = received.sum(axis=(1, 2)) == 0
    codes[zero, 1] = FIRST_OPERATION_CODE + _NONE
    graph[zero, 0, 1] = graph[zero, 1, -1] = 1
    order = np.argsort(codes == 0, axis=1, kind="stable")[:, :_WIDTH]
    rows = np.arange(batch)[:, None]
    return CellBatch(graph[rows[:, :, None], order[:, :, None], order[:, None, :]], codes[rows, order], OPERATIONS)


def _received(operations: np.ndarray) -> np.ndarray:
    """Return how often each live operation, and the output, receives each tensor, [B, consumer, tensor] int64.

    Consumers are the six edges and the output, tensors the input and the six edges.
    """
    batch = len(operations)
    sums = np.zeros((batch, NODES, _SOURCES), dtype=np.int64)
    sums[:, 0, 0] = 1
    computes = ~np.isin(operations, (_NONE, _SKIP))
    for e, (start, end) in enumerate(EDGES):
        fed = sums[:, start].any(axis=1)
        sums[:, end, e + 1] = computes[:, e] & fed
        sums[:, end] += np.where((operations[:, e] == _SKIP)[:, None], sums[:, start], 0)
    starts = [start for start, _ in EDGES]
    received = np.concatenate([sums[:, starts] * computes[:, :, None], sums[:, -1:]], axis=1)
    for e in range(len(EDGES) - 1, -1, -1):
        # An edge lives if the output or a later, living operation receives it.
        received[:, e] *= (received[:, :, e + 1].sum(axis=1) > 0)[:, None]
    return received
