"""Peak memory of one forward pass of the proxy network on one image, by formula.

The network runs in the order of `nasgem_core.networks.proxy_network`: vertex after vertex, without gradients, in
float32. What is alive at the same moment is counted:

- always: the weights, the buffers of the normalisations, the image; once it is there, the output of the stem;
- in a stage: its input, vertex 0 and every vertex so far, since all of them are kept until the leaves are joined;
- while vertex 0 halves its input: the positions of the maxima, 8 bytes each;
- while a vertex is computed: the concatenation of its predecessors where it has several, with what the operation's
  layer keeps at its peak (`Operation.peak_channels`); then the output of the layer and the normalised one;
- at the end of a stage: the concatenation of its leaves where it has several.

The peak is the largest of these sums. Workspaces inside one torch operation are left out, as on the CPU in
`nasgem_core.deployment.peak_memory`, which measures the same.
"""

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.codes import FIRST_OPERATION_CODE
from nasgem_core.networks.layout import IMAGE_CHANNELS
from nasgem_core.operations.registry import OPERATIONS
from nasgem_core.search.objective import Objective, ProxyNetworks

_FLOAT = 4
_POSITION = 8 // _FLOAT
"""Floats that take as much room as the position of a maximum."""


class Memory(Objective):
    """Charges peak memory, in megabytes (millions of bytes)."""

    networks: ProxyNetworks
    label, unit = "memory", "MB"

    def costs(self, cells: CellBatch) -> np.ndarray:
        """Return bytes of the networks of the canonical forms, whose vertices come in one order, int64 [B]."""
        canonical = [cell.canonical_form() for cell in cells]
        return peak_bytes(CellBatch.from_cells(canonical, cells.operation_names, cells.width), self.networks)

    def predicted_costs(self, cells: CellBatch) -> np.ndarray:
        """Return bytes, int64 [B], with the vertices in the order that they have."""
        return peak_bytes(cells, self.networks)


def peak_bytes(cells: CellBatch, networks: ProxyNetworks) -> np.ndarray:
    """Return the bytes that a pass of the network of each of B cells needs at its peak, int64 [B]."""
    layout = networks.layout
    own = cells.codes >= FIRST_OPERATION_CODE
    leaves = (own & ~cells.adjacency.any(axis=2)).sum(axis=1, dtype=np.int64)
    area = layout.resolutions[0] ** 2
    held = IMAGE_CHANNELS * layout.image_size**2 + layout.width * area
    peak = np.full(len(cells), held + layout.width * area, dtype=np.int64)
    channels = np.full(len(cells), layout.width, dtype=np.int64)
    for number, (width, resolution) in enumerate(zip(layout.widths, layout.resolutions, strict=True)):
        alive = np.full(len(cells), held, dtype=np.int64)
        if number:
            alive += channels * area
            area = resolution**2
            alive += channels * area
            peak = np.maximum(peak, alive + channels * area * _POSITION)
        for vertex, inside in enumerate(_inside(cells, channels, width).T, start=1):
            peak = np.where(own[:, vertex], np.maximum(peak, alive + inside * area), peak)
            alive += own[:, vertex] * width * area
        channels = width * leaves
        peak = np.where(leaves > 1, np.maximum(peak, alive + channels * area), peak)
    return _FLOAT * peak + _weights(own.sum(axis=1, dtype=np.int64), cells, networks)


def _inside(cells: CellBatch, channels: np.ndarray, width: int) -> np.ndarray:
    """Return the channels that are alive while each vertex but the input is computed, int64 [B, V - 1].

    Args:
        cells: B cells.
        channels: [B] channels of vertex 0.
        width: channels of every other vertex.
    """
    adjacency, codes = cells.adjacency[:, :, 1:], cells.codes[:, 1:]
    degree = adjacency.sum(axis=1, dtype=np.int64)
    from_input = adjacency[:, 0, :].astype(np.int64)
    c_in = channels[:, None] * from_input + width * (degree - from_input)
    c_out, layer = np.full_like(c_in, width), np.zeros_like(c_in)
    for code, name in enumerate(cells.operation_names, start=FIRST_OPERATION_CODE):
        layer = np.where(codes == code, OPERATIONS.get(name).peak_channels(c_in, c_out), layer)
    return np.maximum(np.where(degree > 1, c_in, 0) + layer, 2 * width)


def _weights(vertices: np.ndarray, cells: CellBatch, networks: ProxyNetworks) -> np.ndarray:
    """Return the bytes of weights and of the buffers of normalisations: mean, variance and a counter of 8 bytes."""
    layout = networks.layout
    normalised = layout.width + vertices * sum(layout.widths)
    counters = 1 + vertices * len(layout.stages)
    return _FLOAT * (networks.complexity(cells).params + 2 * normalised) + 8 * counters


OBJECTIVE = Memory
