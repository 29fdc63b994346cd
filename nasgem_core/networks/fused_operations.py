"""Fused CPU kernels of the layers of operations, chosen by the torch modules that a layer is made of."""

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from nasgem_core.networks import convolution_kernels as kernels
from nasgem_core.networks import window_kernels
from nasgem_core.networks.columns import Columns, Maps, Scratch


class Pointwise:
    """1x1 convolution: one matrix product for each run of neighbouring channels, which need not be copied."""

    def __init__(self, layer: nn.Conv2d, rows: Sequence[int]) -> None:
        self.weights: list[Tensor] = [layer.weight]
        breaks = [0, *(i for i in range(1, len(rows)) if rows[i] != rows[i - 1] + 1), len(rows)]
        self.runs = [
            (slice(rows[start], rows[end - 1] + 1), slice(start, end)) for start, end in itertools.pairwise(breaks)
        ]

    def forward(self, x: Maps, y: Maps, scratch: Scratch) -> None:
        """Write the convolution of x to y."""
        weight = self.weights[0].detach().flatten(1)
        for i, (rows, places) in enumerate(self.runs):
            y.flat.addmm_(weight[:, places], x.flat[rows], beta=int(i > 0))

    def backward(self, x: Maps, y_gradient: Maps, x_gradient: Maps | None, scratch: Scratch) -> list[Tensor]:
        """Add the gradient of x and return the gradients of the weights."""
        weight = self.weights[0].detach().flatten(1)
        weight_gradient = torch.empty_like(weight)
        for rows, places in self.runs:
            torch.mm(y_gradient.flat, x.flat[rows].T, out=weight_gradient[:, places])
            if x_gradient is not None:
                x_gradient.flat[rows].addmm_(weight[:, places].T, y_gradient.flat)
        return [weight_gradient.view_as(self.weights[0])]


class Separable(Columns):
    """Depthwise convolution, then 1x1 convolution."""

    def __init__(self, depthwise: nn.Conv2d, pointwise: nn.Conv2d, rows: Sequence[int]) -> None:
        self.weights: list[Tensor] = [depthwise.weight, pointwise.weight]
        self.rows, self.reach = np.asarray(rows), depthwise.kernel_size[0] // 2

    def _write(self, columns: Maps, first: int, last: int, x: Maps) -> None:
        place = x.array, x.size, x.batch, self.rows, self._depthwise
        if self.reach == 1:
            kernels.depthwise(*place, first, last, columns.array)
        else:
            window_kernels.depthwise(*place, self.reach, first, last, columns.array)

    def _add_gradient(
        self, slope: Maps, first: int, last: int, x: Maps, x_gradient: Maps, gradients: list[Tensor]
    ) -> None:
        place = slope.array, first, last, x.array, x.size, x.batch, self.rows, self._depthwise
        weight_gradient = gradients[0].flatten(1).numpy()
        if self.reach == 1:
            kernels.depthwise_backward(*place, x_gradient.array, weight_gradient)
        else:
            window_kernels.depthwise_backward(*place, self.reach, x_gradient.array, weight_gradient)

    @property
    def _depthwise(self) -> np.ndarray:
        return self.weights[0].detach().flatten(1).numpy()


class PooledPointwise(Columns):
    """Max-pooling of windows one pixel apart, then 1x1 convolution."""

    def __init__(self, pool: nn.MaxPool2d, pointwise: nn.Conv2d, rows: Sequence[int]) -> None:
        self.weights: list[Tensor] = [pointwise.weight]
        self.rows, self.reach = np.asarray(rows), _side(pool.kernel_size) // 2

    def _write(self, columns: Maps, first: int, last: int, x: Maps) -> None:
        window_kernels.max_pool(x.array, x.size, x.batch, self.rows, self.reach, first, last, columns.array)

    def _add_gradient(
        self, slope: Maps, first: int, last: int, x: Maps, x_gradient: Maps, gradients: list[Tensor]
    ) -> None:
        place = slope.array, first, last, x.array, x.size, x.batch, self.rows, self.reach
        window_kernels.max_pool_backward(*place, x_gradient.array)


class Pooling:
    """Max-pooling of windows one pixel apart; a window of one pixel is the identity."""

    def __init__(self, side: int, rows: Sequence[int]) -> None:
        self.weights: list[Tensor] = []
        self.rows, self.reach = np.asarray(rows), side // 2

    def forward(self, x: Maps, y: Maps, scratch: Scratch) -> None:
        """Write the pooling of x to y."""
        window_kernels.max_pool(x.array, x.size, x.batch, self.rows, self.reach, 0, x.size, y.array)

    def backward(self, x: Maps, y_gradient: Maps, x_gradient: Maps | None, scratch: Scratch) -> list[Tensor]:
        """Add the gradient of x; there are no weights."""
        if x_gradient is not None:
            place = y_gradient.array, 0, x.size, x.array, x.size, x.batch, self.rows, self.reach
            window_kernels.max_pool_backward(*place, x_gradient.array)
        return []


class Neighbourhoods(Columns):
    """3x3 convolution: the columns are the 9 neighbours of each pixel."""

    columns_a_row = 9

    def __init__(self, layer: nn.Conv2d, rows: Sequence[int]) -> None:
        self.weights: list[Tensor] = [layer.weight]
        self.rows = np.asarray(rows)
        self.stride = int(layer.stride[0])

    def _write(self, columns: Maps, first: int, last: int, x: Maps) -> None:
        kernels.patches(x.array, x.size, x.batch, self.rows, self.stride, first, last, columns.size, columns.array)

    def _add_gradient(
        self, slope: Maps, first: int, last: int, x: Maps, x_gradient: Maps, gradients: list[Tensor]
    ) -> None:
        kernels.patches_backward(slope.array, first, last, x.size, x.batch, self.rows, x_gradient.array)


FusedOperation = Pointwise | Columns | Pooling


def fused_operation(layer: nn.Module, rows: Sequence[int]) -> FusedOperation | None:
    """Return the operation that computes `layer` on channels `rows`, or None where there is none for its modules.

    It is chosen by the torch modules that make up the layer, so an operation need not name its kernel.
    """
    modules = [*layer] if type(layer) is nn.Sequential else [layer]
    if any(type(module) not in (nn.Conv2d, nn.MaxPool2d, nn.Identity) for module in modules):
        return None  # what a subclass computes is not known
    fused: FusedOperation | None = None
    match modules:
        case [nn.Identity()]:
            fused = Pooling(1, rows)
        case [nn.MaxPool2d() as pool] if _keeps_size(pool):
            fused = Pooling(_side(pool.kernel_size), rows)
        case [nn.Conv2d() as only] if _is_pointwise(only):
            fused = Pointwise(only, rows)
        case [nn.Conv2d() as only] if _is_convolution(only, 3):
            fused = Neighbourhoods(only, rows)
        case [nn.Conv2d() as first, nn.Conv2d() as second] if _is_depthwise(first) and _is_pointwise(second):
            fused = Separable(first, second, rows)
        case [nn.MaxPool2d() as pool, nn.Conv2d() as second] if _keeps_size(pool) and _is_pointwise(second):
            fused = PooledPointwise(pool, second, rows)
    return fused


def _side(size: int | tuple[int, ...]) -> int:
    """Return the side of a square window, 0 where it is not square."""
    sides = {size} if isinstance(size, int) else set(size)
    return sides.pop() if len(sides) == 1 else 0


def _keeps_size(pool: nn.MaxPool2d) -> bool:
    """Say whether a pooling of odd windows has an output for each pixel."""
    side = _side(pool.kernel_size)
    padded = _side(pool.padding) == side // 2 and not pool.ceil_mode and not pool.return_indices
    return side % 2 == 1 and padded and _side(pool.stride) == 1 and _side(pool.dilation) == 1


def _is_pointwise(layer: nn.Conv2d) -> bool:
    return _is_convolution(layer, 1) and layer.stride == (1, 1)


def _is_convolution(layer: nn.Conv2d, size: int) -> bool:
    """Say whether a layer is a full convolution of that kernel size, padded and without bias, of any stride."""
    return _is_plain(layer, size) and layer.groups == 1


def _is_depthwise(layer: nn.Conv2d) -> bool:
    """Say whether a layer has a kernel of odd size for each channel, and an output for each pixel."""
    size = layer.kernel_size[0]
    alone = layer.groups == layer.in_channels == layer.out_channels
    return size % 2 == 1 and alone and layer.stride == (1, 1) and _is_plain(layer, size)


def _is_plain(layer: nn.Conv2d, size: int) -> bool:
    return (
        layer.kernel_size == (size, size)
        and layer.padding == (size // 2, size // 2)
        and layer.padding_mode == "zeros"
        and layer.stride[0] == layer.stride[1]
        and layer.dilation == (1, 1)
        and layer.bias is None
    )
