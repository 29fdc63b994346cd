"""Parameters and multiply-adds of the networks of NAS-Bench-201 on CIFAR-10, by formula.

A 3x3 stem with 16 channels, then three stages of five cells with 16, 32 and 64 channels at 32, 16 and 8 pixels; a
residual block of two 3x3 convolutions and a 1x1 shortcut opens the second and the third stage. At the end batch
normalisation, global average pooling and a dense layer. The benchmark builds and runs all six operations of a cell,
also those whose result is never used, and so they count.
"""

import numpy as np

_CHANNELS, _CELLS_A_STAGE, _RESOLUTIONS = (16, 32, 64), 5, (32, 16, 8)
_IMAGE_CHANNELS, _CLASSES = 3, 10


def nasbench201_costs(operations: np.ndarray, kernel_sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return params and MACs of each network, both [B] int64.

    Args:
        operations: [B, 6] operations of the edges.
        kernel_sizes: side of the convolution behind each operation, 0 where it is none.
    """
    stem = 9 * _IMAGE_CHANNELS * _CHANNELS[0]
    fixed_params, fixed_macs = stem + 2 * _CHANNELS[0], stem * _RESOLUTIONS[0] ** 2
    params, macs = np.zeros((2, len(operations)), dtype=np.int64)
    taps = (kernel_sizes[operations].astype(np.int64) ** 2).sum(axis=1)
    convolutions = (kernel_sizes[operations] > 0).sum(axis=1)
    for channels, resolution in zip(_CHANNELS, _RESOLUTIONS, strict=True):
        params += _CELLS_A_STAGE * (taps * channels**2 + 2 * channels * convolutions)
        macs += _CELLS_A_STAGE * taps * channels**2 * resolution**2
    for before, channels, resolution in zip(_CHANNELS, _CHANNELS[1:], _RESOLUTIONS[1:], strict=False):
        block = 9 * before * channels + 9 * channels**2 + before * channels
        fixed_params += block + 4 * channels
        fixed_macs += block * resolution**2
    dense = _CHANNELS[-1] * _CLASSES
    return params + fixed_params + 2 * _CHANNELS[-1] + dense + _CLASSES, macs + fixed_macs + dense
