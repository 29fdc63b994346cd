"""What an operation is: its costs by formula, its layer and its looks in drawings, all in one place."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import numpy as np

from nasgem_core.errors import CellError

if TYPE_CHECKING:
    from torch import nn

MAX_OPERATIONS = 24
"""Operations that a search space may have, or a table that predictors read: features grow with their square."""
INPUT = "input"
"""Name of the operation of vertex 0, the cell's input."""

Count = np.ndarray
"""Numbers of channels, of any shape; costs are computed elementwise."""

LayerBuilder = Callable[[int, int], "nn.Module"]
"""From (input channels, output channels) to a layer that keeps height and width."""


@dataclass(frozen=True)
class Operation:
    """An operation that a vertex can carry. Batch normalisation and ReLU follow every operation by themselves.

    Args:
        name: the word used in cells, parameters and files.
        macs_per_pixel: multiply-adds per output pixel, from (input channels, output channels), elementwise.
        params: learnable numbers, from the same, including those of the batch normalisation that follows.
        layer: builds the torch module, from the same as whole numbers. Exported Python files hold its source where that
            is a function or class of a module that uses torch alone. The CPU kernels of
            `nasgem_core.networks.fused_operations` serve layers made of the torch modules that they know.
        peak_channels: channels of the maps that the layer keeps at its peak, its output included and its input not,
            from the same, elementwise; by default the output alone.
        colour: fill colour in drawings.
        marker: matplotlib's marker in drawings, so that operations differ in more than colour.

    Raises:
        CellError: the name is reserved.
    """

    name: str
    _: KW_ONLY
    macs_per_pixel: Callable[[Count, Count], Count]
    params: Callable[[Count, Count], Count]
    layer: LayerBuilder
    peak_channels: Callable[[Count, Count], Count] = lambda c_in, c_out: c_out
    colour: str = "#d9d9d9"
    marker: str = "D"

    def __post_init__(self) -> None:
        check_not_reserved(self.name)


def check_not_reserved(name: str) -> None:
    """Raise `CellError` for a name that no operation can have."""
    if name in ("", INPUT):
        raise CellError(f"operation name {name!r} is reserved: choose another name")
