"""Parameters and multiply-adds of the networks of NAS-Bench-101, by formula (`model_builder.py` of the benchmark).

A 3x3 stem with 128 channels, then three stacks of three cells; before the second and the third stack, max pooling
halves the resolution and the channels double. At the end global average pooling and a dense layer. A convolution has no
bias and is followed by batch normalisation. A cell's output channels are divided among the vertices before it.
"""

import numpy as np

from nasgem_core.cells.batch import CellBatch

_STEM_CHANNELS, _IMAGE_CHANNELS, _CLASSES = 128, 3, 10
_STACKS, _CELLS_A_STACK, _RESOLUTION = 3, 3, 32


def nasbench101_costs(cells: CellBatch, kernel_sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return params and MACs of each network, both [B] int64.

    Args:
        cells: B cells; the last vertex of each is its output.
        kernel_sizes: [codes] side of the convolution behind each code, 0 where it is none.
    """
    stem = 9 * _IMAGE_CHANNELS * _STEM_CHANNELS
    params = np.full(len(cells), stem + 2 * _STEM_CHANNELS, dtype=np.int64)
    macs = np.full(len(cells), stem * _RESOLUTION**2, dtype=np.int64)
    taps = kernel_sizes[cells.codes].astype(np.int64) ** 2
    output = cells.num_vertices - 1
    rows = np.arange(len(cells))
    from_input = cells.adjacency[:, 0, :].astype(np.int64)
    c_in = channels = _STEM_CHANNELS
    for stack in range(_STACKS):
        area = (_RESOLUTION >> stack) ** 2
        widths = vertex_channels(cells, channels)
        for _ in range(_CELLS_A_STACK):
            # Tensors from the input are projected to the width of the vertex that they enter, the output's included.
            projected = from_input * widths
            weights = taps * widths**2 + c_in * projected
            weights[rows, output] = c_in * projected[rows, output]
            normalised = np.where(taps > 0, widths, 0) + projected
            params += weights.sum(axis=1) + 2 * normalised.sum(axis=1)
            macs += weights.sum(axis=1) * area
            c_in = channels
        channels *= 2
    dense = c_in * _CLASSES
    return params + dense + _CLASSES, macs + dense


def vertex_channels(cells: CellBatch, channels: int) -> np.ndarray:
    """Return the channels of each vertex, [B, V] int64, 0 for the input, which keeps its own.

    Vertices before the output share its channels evenly, the first ones get one more where a remainder is left; any
    other vertex is as wide as the widest that it feeds.
    """
    batch, width = cells.codes.shape
    rows = np.arange(batch)
    output = cells.num_vertices - 1
    before_output = cells.adjacency[rows, :, output].astype(np.int64)
    before_output[:, 0] = 0
    shares = np.maximum(before_output.sum(axis=1), 1)
    extra = np.cumsum(before_output, axis=1) <= (channels % shares)[:, None]
    widths = before_output * ((channels // shares)[:, None] + extra)
    widths[rows, output] = channels
    inner = cells.adjacency.astype(np.int64)
    inner[rows, :, output] = 0
    for v in range(width - 2, 0, -1):
        widest = (inner[:, v, :] * widths).max(axis=1)
        widths[:, v] = np.where((before_output[:, v] > 0) | (output == v), widths[:, v], widest)
    return widths
