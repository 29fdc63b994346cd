"""Multiply-adds and parameters of networks of cells by formula, for whole batches of cells at once."""

from dataclasses import dataclass

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.codes import FIRST_OPERATION_CODE
from nasgem_core.networks.layout import IMAGE_CHANNELS, STEM_KERNEL, NetworkLayout
from nasgem_core.operations.registry import OPERATIONS


@dataclass(frozen=True, eq=False)
class Costs:
    """Costs of B networks.

    Args:
        macs: [B] int64, multiply-adds of one image in convolutions and the dense layer.
        params: [B] int64, learnable numbers.
    """

    macs: np.ndarray
    params: np.ndarray


def cell_costs(cells: CellBatch, layout: NetworkLayout, num_classes: int) -> Costs:
    """Return the costs of the networks that `CellNetwork` would build from each cell.

    Args:
        cells: B cells.
        layout: widths and resolutions.
        num_classes: length of the logits.
    """
    adjacency = cells.adjacency
    from_input = adjacency[:, 0, :].astype(np.int64)
    from_vertices = adjacency[:, 1:, :].sum(axis=1, dtype=np.int64)
    own = cells.codes >= FIRST_OPERATION_CODE
    leaves = (own & ~adjacency.any(axis=2)).sum(axis=1, dtype=np.int64)

    stem_params = STEM_KERNEL**2 * IMAGE_CHANNELS * layout.width
    macs = np.full(len(cells), stem_params * layout.resolutions[0] ** 2, dtype=np.int64)
    params = np.full(len(cells), stem_params + 2 * layout.width, dtype=np.int64)
    channels = np.full(len(cells), layout.width, dtype=np.int64)
    for width, resolution in zip(layout.widths, layout.resolutions, strict=True):
        c_in = channels[:, None] * from_input + width * from_vertices
        for code, name in enumerate(cells.operation_names, start=FIRST_OPERATION_CODE):
            operation, chosen = OPERATIONS.get(name), cells.codes == code
            c_out = np.full_like(c_in, width)
            macs += np.where(chosen, operation.macs_per_pixel(c_in, c_out), 0).sum(axis=1) * resolution**2
            params += np.where(chosen, operation.params(c_in, c_out), 0).sum(axis=1)
        channels = width * leaves
    return Costs(macs + channels * num_classes, params + (channels + 1) * num_classes)
