"""Multiply-adds and parameters of GEMNet by formula, for many choices of channels at once.

Each part of the network has its analytic twin here, so that a width is found without building anything.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nasgem_core.backbones.layout import GEMNetLayout
from nasgem_core.cells.cell import Cell
from nasgem_core.networks.complexity import Costs
from nasgem_core.networks.layout import IMAGE_CHANNELS, STEM_KERNEL
from nasgem_core.operations.registry import OPERATIONS

Channels = Sequence[int] | Sequence[np.ndarray] | np.ndarray
"""Channels of the stem and of a vertex in each stage; arrays that broadcast stand for many networks."""


@dataclass(frozen=True, eq=False)
class PartCosts:
    """Costs of one part of a network.

    Args:
        part: "stem", "stage 1", ..., "head" or "classifier".
        macs: multiply-adds of one image in convolutions and the dense layer.
        params: learnable numbers.
    """

    part: str
    macs: np.ndarray
    params: np.ndarray


def block_costs(cell: Cell, in_channels: np.ndarray, channels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return multiply-adds a pixel and parameters of `CellBlock`, elementwise."""
    macs, params = (np.zeros(np.broadcast_shapes(in_channels.shape, channels.shape), dtype=np.int64) for _ in range(2))
    # Vertices with the same operation and the same number of predecessors cost the same.
    kinds = Counter(
        zip(cell.operations[1:], cell.adjacency[0, 1:], cell.adjacency[1:, 1:].sum(axis=0, dtype=int), strict=True)
    )
    for (name, from_input, from_vertices), count in kinds.items():
        operation, c_in = OPERATIONS.get(name), int(from_input) * in_channels + int(from_vertices) * channels
        macs += count * operation.macs_per_pixel(c_in, channels)
        params += count * operation.params(c_in, channels)
    return macs, params


def squeeze_costs(channels: np.ndarray, squeeze: float) -> tuple[np.ndarray, np.ndarray]:
    """Return multiply-adds of one image and parameters of a block's `SqueezeExcitation`, elementwise."""
    if not squeeze:
        return np.zeros_like(channels), np.zeros_like(channels)
    squeezed = np.maximum(1, np.floor(squeeze * channels + 0.5).astype(np.int64))
    return 2 * channels * squeezed, 2 * channels * squeezed + channels + squeezed


def gemnet_part_costs(
    cell: Cell, layout: GEMNetLayout, channels: Channels, num_classes: int, image_size: tuple[int, int]
) -> list[PartCosts]:
    """Return the costs of each part of `GEMNet` for images of that height and width, in order.

    Raises:
        ParameterError: the image is too small for the layout.
    """
    stem, *widths = (np.asarray(value, dtype=np.int64) for value in channels)
    pixels = [height * width for height, width in layout.resolutions(image_size)]
    weights = STEM_KERNEL**2 * IMAGE_CHANNELS * stem
    parts = [PartCosts("stem", weights * pixels[0], weights + 2 * stem)]
    c_in = stem
    for number, (width, repeats) in enumerate(zip(widths, layout.skeleton.repeats, strict=True), start=1):
        c_out = width * len(cell.leaves)
        first_macs, first_params = block_costs(cell, c_in, width)
        later_macs, later_params = block_costs(cell, c_out, width)
        weighting_macs, weighting_params = squeeze_costs(c_out, layout.skeleton.squeeze)
        macs = (first_macs + (repeats - 1) * later_macs) * pixels[number] + repeats * weighting_macs
        params = first_params + (repeats - 1) * later_params + repeats * weighting_params
        parts.append(PartCosts(f"stage {number}", macs, params))
        c_in = c_out
    head = layout.skeleton.head_channels
    parts.append(PartCosts("head", c_in * head * pixels[-1], c_in * head + 2 * head))
    dense = np.asarray(head * num_classes, dtype=np.int64)
    parts.append(PartCosts("classifier", dense, dense + num_classes))
    return parts


def gemnet_costs(
    cell: Cell, layout: GEMNetLayout, channels: Channels, num_classes: int, image_size: tuple[int, int]
) -> Costs:
    """Return the costs of whole networks, of the shape that `channels` broadcasts to."""
    parts = gemnet_part_costs(cell, layout, channels, num_classes, image_size)
    none = np.zeros((), dtype=np.int64)
    return Costs(sum((part.macs for part in parts), none), sum((part.params for part in parts), none))
