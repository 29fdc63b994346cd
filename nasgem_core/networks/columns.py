"""Operations as matrix products on the CPU, forward and backward, in the layout of `nasgem_core.networks.kernels`."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from nasgem_core.networks import convolution_kernels as kernels

_COLUMN_BYTES = 2**21
"""Size of the columns worked on at a time: small beside a shared cache, large beside the cost of a call."""
_LINE = 16
"""Rows are an odd number of times this long: at a power of two apart they would share few places of a cache."""


class Maps:
    """Feature maps [channels, height, width, B], a channel a row, as the kernels and as torch see them.

    Args:
        array: [channels, row], each row at least as long as a channel.
        size: the width, and the height of whole maps.
        batch: B.
        height: image rows, where these are a part of the map.
    """

    def __init__(self, array: np.ndarray, size: int, batch: int, height: int | None = None) -> None:
        self.array = array
        self.size = size
        self.batch = batch
        self.count = (size if height is None else height) * size * batch
        self.flat = torch.from_numpy(array)[:, : self.count]

    def rows(self, rows: slice) -> "Maps":
        """Return some channels of whole maps, on the same memory."""
        return Maps(self.array[rows], self.size, self.batch)


class Scratch:
    """Memory by name that grows to the largest request and is then used again."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self._memory: dict[str, Tensor] = {}

    def take(self, name: str, channels: int, size: int, batch: int, height: int | None = None) -> Maps:
        """Return uninitialised maps; the next request of the same name may overwrite them."""
        lines = -(-(size if height is None else height) * size * batch // _LINE)
        row = _LINE * (lines | 1)
        if name not in self._memory or len(self._memory[name]) < channels * row:
            self._memory[name] = torch.empty(channels * row, dtype=self.dtype)
        return Maps(self._memory[name][: channels * row].view(channels, row).numpy(), size, batch, height)


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


class Columns(ABC):
    """An operation that first makes columns [K, part, W, B] of its input, then multiplies them by a matrix.

    A part of the image's rows at a time, so that columns stay in the cache; the backward pass makes them again.
    """

    weights: list[Tensor]
    rows: np.ndarray
    columns_a_row = 1

    def forward(self, x: Maps, y: Maps, scratch: Scratch) -> None:
        """Write the operation on x to y."""
        matrix = self.weights[-1].detach().flatten(1)
        for first, last, part in self._parts(y):
            columns = self._columns(x, y, first, last, scratch)
            torch.mm(matrix, columns.flat, out=y.flat[:, part])

    def backward(self, x: Maps, y_gradient: Maps, x_gradient: Maps | None, scratch: Scratch) -> list[Tensor]:
        """Add the gradient of x and return the gradients of the weights."""
        matrix = self.weights[-1].detach().flatten(1)
        gradients = [torch.zeros_like(weight, memory_format=torch.contiguous_format) for weight in self.weights]
        for first, last, part in self._parts(y_gradient):
            slope = y_gradient.flat[:, part]
            columns = self._columns(x, y_gradient, first, last, scratch)
            gradients[-1].flatten(1).addmm_(slope, columns.flat.T)
            if x_gradient is not None:
                # The columns have served; their memory takes their gradient.
                torch.mm(matrix.T, slope, out=columns.flat)
                self._add_gradient(columns, first, last, x, x_gradient, gradients)
        return gradients

    def _parts(self, y: Maps) -> list[tuple[int, int, slice]]:
        row = y.size * y.batch
        row_bytes = len(self.rows) * self.columns_a_row * row * y.array.itemsize
        height = min(y.size, max(1, _COLUMN_BYTES // row_bytes))
        parts = [(first, min(first + height, y.size)) for first in range(0, y.size, height)]
        return [(first, last, slice(first * row, last * row)) for first, last in parts]

    def _columns(self, x: Maps, y: Maps, first: int, last: int, scratch: Scratch) -> Maps:
        columns = scratch.take("columns", len(self.rows) * self.columns_a_row, y.size, y.batch, last - first)
        self._write(columns, first, last, x)
        return columns

    @abstractmethod
    def _write(self, columns: Maps, first: int, last: int, x: Maps) -> None:
        """Make the columns of some rows of the image."""

    @abstractmethod
    def _add_gradient(
        self, slope: Maps, first: int, last: int, x: Maps, x_gradient: Maps, gradients: list[Tensor]
    ) -> None:
        """Add what the gradient of the columns gives for x and for the weights before the product."""


class Separable(Columns):
    """3x3 depthwise convolution, then 1x1 convolution."""

    def __init__(self, depthwise: nn.Conv2d, pointwise: nn.Conv2d, rows: Sequence[int]) -> None:
        self.weights: list[Tensor] = [depthwise.weight, pointwise.weight]
        self.rows = np.asarray(rows)

    def _write(self, columns: Maps, first: int, last: int, x: Maps) -> None:
        kernels.depthwise(x.array, x.size, x.batch, self.rows, self._depthwise, first, last, columns.array)

    def _add_gradient(
        self, slope: Maps, first: int, last: int, x: Maps, x_gradient: Maps, gradients: list[Tensor]
    ) -> None:
        weight_gradient = gradients[0].flatten(1).numpy()
        kernels.depthwise_backward(
            slope.array,
            first,
            last,
            x.array,
            x.size,
            x.batch,
            self.rows,
            self._depthwise,
            x_gradient.array,
            weight_gradient,
        )

    @property
    def _depthwise(self) -> np.ndarray:
        return self.weights[0].detach().flatten(1).numpy()


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


def fused_operation(layer: nn.Module, rows: Sequence[int]) -> Pointwise | Columns | None:
    """Return the operation that computes `layer` on channels `rows`, or None where there is none for its modules.

    It is chosen by the torch modules that make up the layer, so an operation need not name its kernel.
    """
    match [*layer] if type(layer) is nn.Sequential else [layer]:
        case [nn.Conv2d() as first] if _is_convolution(first, 1):
            return Pointwise(first, rows)
        case [nn.Conv2d() as first] if _is_convolution(first, 3):
            return Neighbourhoods(first, rows)
        case [nn.Conv2d() as first, nn.Conv2d() as second] if _is_depthwise(first, 3) and _is_convolution(second, 1):
            return Separable(first, second, rows)
    return None


def _is_convolution(layer: nn.Conv2d, size: int) -> bool:
    """Say whether a layer is a full convolution of that kernel size; a 3x3 one may have a stride."""
    return _is_plain(layer, size) and layer.groups == 1 and (size > 1 or layer.stride == (1, 1))


def _is_depthwise(layer: nn.Conv2d, size: int) -> bool:
    return _is_plain(layer, size) and layer.groups == layer.in_channels == layer.out_channels and layer.stride == (1, 1)


def _is_plain(layer: nn.Conv2d, size: int) -> bool:
    return (
        type(layer) is nn.Conv2d
        and layer.kernel_size == (size, size)
        and layer.padding == (size // 2, size // 2)
        and layer.padding_mode == "zeros"
        and layer.stride[0] == layer.stride[1]
        and layer.dilation == (1, 1)
        and layer.bias is None
    )
