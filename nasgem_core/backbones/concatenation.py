"""Layers over the channel concatenation of tensors, of which the backward pass keeps the parts alone.

In a cell of many vertices a tensor stands in the concatenations of all its successors. Kept for the backward pass,
these (and the depthwise convolutions of them, of the same size) would take most of the memory of training. The parts
are alive anyway, so the hooks here keep references to them and make concatenation and depthwise convolution again
when the backward pass asks: values and gradients are the same, at the cost of a copy and of 9 multiply-adds a number.
Networks stay plain modules: where nothing is recorded, or a network is exported or compiled, the hooks are away.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from nasgem_core.networks.operations import DepthwiseSeparable


def concatenate(tensors: Sequence[Tensor]) -> Tensor:
    """Join [B, C_i, H, W] over channels."""
    return tensors[0] if len(tensors) == 1 else torch.cat(list(tensors), dim=1)


def apply_to_concatenation(layer: nn.Module, parts: Sequence[Tensor]) -> Tensor:
    """Return `layer(concatenate(parts))`, keeping the parts alone for the backward pass."""
    whole = concatenate(parts)
    if len(parts) == 1 or not torch.is_grad_enabled() or torch.compiler.is_compiling() or torch.jit.is_tracing():
        return layer(whole)
    source = _Source(parts)
    if not isinstance(layer, DepthwiseSeparable):
        with _kept_as(source.take, whole):
            return layer(whole)
    with _kept_as(source.take, whole):
        columns = layer.depthwise(whole)
    weight, kind = _Kept(layer.depthwise.weight), columns.dtype
    with _kept_as(lambda: _depthwise(source.look(), weight.tensor(), kind), columns):
        return layer.pointwise(columns)


def concatenate_normalised(tensors: Sequence[Tensor]) -> Tensor:
    """Join what batch normalisation made, and give each its gradient as memory of its own.

    The parts of the gradient of a concatenation lie scattered in it, and over such memory the backward pass of batch
    normalisation takes several times as long on a CPU.
    """
    recorded = torch.is_grad_enabled() and not (torch.compiler.is_compiling() or torch.jit.is_tracing())
    if len(tensors) > 1 and recorded:
        for tensor in tensors:
            if tensor.requires_grad:
                tensor.register_hook(_gathered)
    return concatenate(tensors)


def _gathered(gradient: Tensor) -> Tensor:
    last = gradient.stride(1) == 1
    return gradient.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)


class _Kept:
    """A tensor that must not change before the backward pass, as autograd's own saved tensors must not."""

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor.detach()
        self._version = tensor._version

    def tensor(self) -> Tensor:
        """Return it; raises `RuntimeError`, as autograd does, where it was changed in place."""
        if self._tensor._version != self._version:
            raise RuntimeError("a tensor needed for gradient computation has been modified by an inplace operation")
        return self._tensor


class _Source:
    """The parts of a concatenation, and how to have it again."""

    def __init__(self, parts: Sequence[Tensor]) -> None:
        self._parts = [_Kept(part) for part in parts]
        self._whole: Tensor | None = None

    def look(self) -> Tensor:
        """Return the concatenation and hold it until it is taken."""
        if self._whole is None:
            self._whole = concatenate([part.tensor() for part in self._parts])
        return self._whole

    def take(self) -> Tensor:
        """Return the concatenation and let it go."""
        whole, self._whole = self.look(), None
        return whole


def _depthwise(whole: Tensor, weight: Tensor, kind: torch.dtype) -> Tensor:
    """Repeat the depthwise convolution; autocast, off in the backward pass, had cast both to `kind`."""
    with torch.no_grad():
        return nn.functional.conv2d(whole.to(kind), weight.to(kind), padding=1, groups=len(weight))


def _kept_as(remake: Callable[[], Tensor], tensor: Tensor) -> AbstractContextManager:
    """Keep `remake` for the backward pass where an operation would keep `tensor` itself."""
    # Numbers, not the tensor: the hooks live as long as the graph.
    address, shape, kind = tensor.data_ptr(), tensor.shape, tensor.dtype

    def pack(saved: Tensor) -> Callable[[], Tensor]:
        same = saved.data_ptr() == address and saved.shape == shape and saved.dtype == kind
        return remake if same else _Kept(saved).tensor

    def unpack(kept: Callable[[], Tensor]) -> Tensor:
        return kept()

    return torch.autograd.graph.saved_tensors_hooks(pack, unpack)
