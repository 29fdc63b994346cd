"""Feature maps on the CPU in the layout of `nasgem_core.networks.kernels`, and matrix products on parts of them."""

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

_COLUMN_BYTES = 2**21
"""Size of the columns worked on at a time: small compared with a shared cache, large compared with a call."""
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
