"""Layers over the channel concatenation of tensors, of which the backward pass keeps the parts alone.

In a cell of many vertices a tensor is part of the concatenations of all its successors. Kept for the backward pass,
these (and their depthwise convolutions or poolings, of the same size) would take most of the memory of training. The
parts are alive anyway, so the hooks here keep references to them and repeat the concatenation and the depthwise
convolution or pooling when the backward pass asks: values and gradients are the same, at the cost of a copy and of a
few multiply-adds per number. Which layers are repeated is read off the torch modules, so operations need not say it.
Networks stay plain modules: where nothing is recorded, or a network is exported or compiled, there are no hooks.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from nasgem_core.networks.cell_block import concatenate


def apply_to_concatenation(layer: nn.Module, parts: Sequence[Tensor]) -> Tensor:
    """Return `layer(concatenate(parts))`, keeping the parts alone for the backward pass."""
    whole = concatenate(parts)
    if len(parts) == 1 or not torch.is_grad_enabled() or torch.compiler.is_compiling() or torch.jit.is_tracing():
        return layer(whole)
    source = _Source(parts)
    if not (isinstance(layer, nn.Sequential) and len(layer) == 2 and _is_cheap(layer[0])):
        with _kept_as(source.take, whole):
            return layer(whole)
    first, second = layer
    with _kept_as(source.take, whole):
        columns = first(whole)
    with _kept_as(_repeated(first, source, columns.dtype), columns):
        return second(columns)


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


def _is_cheap(layer: nn.Module) -> bool:
    """Say whether a layer takes little time: one that works on each channel alone."""
    if type(layer) is nn.Conv2d:
        return layer.groups == layer.in_channels and layer.bias is None and layer.padding_mode == "zeros"
    return type(layer) is nn.MaxPool2d


def _repeated(layer: nn.Module, source: _Source, kind: torch.dtype) -> Callable[[], Tensor]:
    """Return what repeats a cheap layer; autocast, off in the backward pass, had cast what a convolution takes."""
    if not isinstance(layer, nn.Conv2d):
        return torch.no_grad()(lambda: layer(source.look()))
    kept = _Kept(layer.weight)
    return torch.no_grad()(lambda: layer._conv_forward(source.look().to(kind), kept.tensor().to(kind), None))


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
