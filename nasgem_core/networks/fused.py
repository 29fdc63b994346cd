"""The trunk of a network of cells on the CPU, forward and backward, without a copy for any concatenation.

Computes what the modules of `CellNetwork` compute, from the same parameters. All vertices of a stage are rows of one
buffer, leaves last: what a vertex reads are rows, and what the stage gives are the last rows. The backward pass walks
the vertices in reverse and adds gradients in place. Buffers are used again by the next step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nasgem_core.networks import normalisation_kernels as kernels
from nasgem_core.networks.columns import Maps, Scratch
from nasgem_core.networks.fused_operations import FusedOperation


@dataclass(eq=False)
class Triplet:
    """One Conv-BN-ReLU, and the rows [first, last) of the stage's buffer that it writes."""

    operation: FusedOperation
    norm: nn.BatchNorm2d
    first: int
    last: int

    @property
    def parameters(self) -> list[Tensor]:
        """The learned tensors, in the order of the gradients that `backward` returns."""
        return [*self.operation.weights, self.norm.weight, self.norm.bias]

    def forward(self, x: Maps, y: Maps, out: Maps, statistics: np.ndarray, scratch: Scratch) -> None:
        """Write the convolution of x to y, its normalised and rectified form to `out`, mean and 1/std to [2, C]."""
        self.operation.forward(x, y, scratch)
        norm = self.norm
        assert norm.running_mean is not None and norm.running_var is not None and norm.num_batches_tracked is not None
        running = norm.running_mean.numpy(), norm.running_var.numpy()
        scale, offset = norm.weight.detach().numpy(), norm.bias.detach().numpy()
        if norm.training:
            kernels.normalise(y.array, y.count, scale, offset, norm.eps, norm.momentum, *running, out.array, statistics)
            norm.num_batches_tracked += 1
        else:
            kernels.normalise_frozen(y.array, y.count, scale, offset, norm.eps, *running, out.array, statistics)

    def backward(
        self, x: Maps, y: Maps, slope: Maps, x_gradient: Maps | None, statistics: np.ndarray, scratch: Scratch
    ) -> list[Tensor]:
        """Add the gradient of x and return those of the parameters.

        `slope` is the gradient of the output; it is overwritten. `x_gradient` None: the input needs no gradient.
        """
        scale, offset = self.norm.weight.detach(), self.norm.bias.detach()
        gradients = torch.empty_like(scale), torch.empty_like(offset)
        kernels.normalise_backward(
            slope.array,
            y.array,
            y.count,
            scale.numpy(),
            offset.numpy(),
            statistics,
            not self.norm.training,
            *(gradient.numpy() for gradient in gradients),
        )
        return [*self.operation.backward(x, slope, x_gradient, scratch), *gradients]


@dataclass(eq=False)
class FusedStage:
    """One copy of the cell.

    Args:
        triplets: in topological order.
        input_channels: rows of vertex 0, the first ones.
        channels: rows of all vertices.
        output: first row of the leaves, which come last.
        size: height and width.
        reduce: whether vertex 0 is a max-pool.
    """

    triplets: list[Triplet]
    input_channels: int
    channels: int
    output: int
    size: int
    reduce: bool


class Buffers:
    """The feature maps of one pass through the trunk, for any number of images."""

    def __init__(self, stages: Sequence[FusedStage], dtype: torch.dtype) -> None:
        self.scratch = Scratch(dtype)
        self.dtype = dtype
        self._stages = stages
        self._batch = 0

    def resize(self, batch: int) -> None:
        """Make the maps hold `batch` images."""
        if batch == self._batch:
            return
        self._batch = batch
        self.convolved, self.outputs, self.gradients = (
            [
                self.scratch.take(f"{name} {i}", stage.channels, stage.size, batch)
                for i, stage in enumerate(self._stages)
            ]
            for name in ("convolved", "output", "gradient")
        )
        self.statistics = [np.empty((2, stage.channels)) for stage in self._stages]


class FusedTrunk:
    """Stem, stages and global average pooling; maps images [B, 3, H, W] to features [B, C].

    Args:
        stem: the triplet that makes the input of the first stage from the images.
        stages: the copies of the cell.
    """

    def __init__(self, stem: Triplet, stages: Sequence[FusedStage]) -> None:
        self.stem = stem
        self.stages = list(stages)
        self.triplets = [stem, *(triplet for stage in stages for triplet in stage.triplets)]
        self._parameters = [parameter for triplet in self.triplets for parameter in triplet.parameters]
        self._idle: list[Buffers] = []

    def serves(self, images: Tensor) -> bool:
        """Tell whether this trunk can stand for the modules: on the CPU, in one type and one mode, no autocast."""
        weight = self._parameters[0]
        return (
            images.device.type == weight.device.type == "cpu"
            and images.dtype == weight.dtype
            and images.dtype in (torch.float32, torch.float64)
            and not images.requires_grad
            and not torch.is_autocast_enabled("cpu")
            and len({triplet.norm.training for triplet in self.triplets}) == 1
        )

    def __call__(self, images: Tensor) -> Tensor:
        """Return the features [B, C] of images [B, 3, H, W]."""
        return _TrunkFunction.apply(images, self, torch.is_grad_enabled(), *self._parameters)

    def take_buffers(self, dtype: torch.dtype) -> Buffers:
        """Return buffers that no pending backward pass needs."""
        if self._idle and self._idle[-1].dtype == dtype:
            return self._idle.pop()
        return Buffers(self.stages, dtype)

    def give_buffers(self, buffers: Buffers) -> None:
        """Let the next pass use these buffers again."""
        self._idle = [buffers]

    def forward(self, images: Maps, buffers: Buffers) -> Tensor:
        """Fill the buffers and return the features."""
        _forward_triplet(self.stem, images, 0, buffers)
        for i, stage in enumerate(self.stages):
            maps = buffers.outputs[i]
            if stage.reduce:
                before = buffers.outputs[i - 1].rows(slice(self.stages[i - 1].output, None))
                kernels.max_pool(before.array, before.size, before.batch, maps.array[: stage.input_channels])
            for triplet in stage.triplets:
                _forward_triplet(triplet, maps, i, buffers)
        last = self.stages[-1]
        leaves = buffers.outputs[-1].flat[last.output :]
        return leaves.unflatten(1, (last.size**2, -1)).mean(dim=1).T.contiguous()

    def backward(self, images: Maps, slope: Tensor, buffers: Buffers) -> list[Tensor]:
        """Return the gradients of the parameters, given that of the features."""
        last = self.stages[-1]
        buffers.gradients[-1].flat[last.output :].unflatten(1, (last.size**2, -1)).copy_(
            (slope.T / last.size**2).unsqueeze(1)
        )
        gradients: list[list[Tensor]] = []
        for i in reversed(range(len(self.stages))):
            stage, maps = self.stages[i], buffers.gradients[i]
            maps.flat[: stage.output].zero_()
            for triplet in reversed(stage.triplets):
                gradients.append(_backward_triplet(triplet, buffers.outputs[i], maps, i, buffers))
            if stage.reduce:
                rows, pooled = slice(self.stages[i - 1].output, None), slice(stage.input_channels)
                before = buffers.outputs[i - 1].rows(rows)
                kernels.max_pool_backward(
                    maps.array[pooled],
                    before.array,
                    before.size,
                    before.batch,
                    buffers.outputs[i].array[pooled],
                    buffers.gradients[i - 1].array[rows],
                )
        gradients.append(_backward_triplet(self.stem, images, None, 0, buffers))
        return [gradient for of_triplet in reversed(gradients) for gradient in of_triplet]


def _forward_triplet(triplet: Triplet, x: Maps, stage: int, buffers: Buffers) -> None:
    rows = slice(triplet.first, triplet.last)
    y, out = buffers.convolved[stage].rows(rows), buffers.outputs[stage].rows(rows)
    triplet.forward(x, y, out, buffers.statistics[stage][:, rows], buffers.scratch)


def _backward_triplet(triplet: Triplet, x: Maps, x_gradient: Maps | None, stage: int, buffers: Buffers) -> list[Tensor]:
    rows = slice(triplet.first, triplet.last)
    y, slope = buffers.convolved[stage].rows(rows), buffers.gradients[stage].rows(rows)
    return triplet.backward(x, y, slope, x_gradient, buffers.statistics[stage][:, rows], buffers.scratch)


class _TrunkFunction(torch.autograd.Function):
    """The trunk as one step of autograd."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, trunk: FusedTrunk, differentiable: bool, *parameters: Tensor) -> Tensor:
        buffers = trunk.take_buffers(images.dtype)
        buffers.resize(len(images))
        features = trunk.forward(_as_maps(images), buffers)
        if differentiable:
            # Saved so that autograd notices when one of them is changed before the backward pass.
            ctx.save_for_backward(images, *parameters)
            ctx.trunk, ctx.buffers = trunk, buffers
        else:
            trunk.give_buffers(buffers)
        return features

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        images = ctx.saved_tensors[0]
        if ctx.buffers is None:
            raise RuntimeError("the network's buffers were freed by the first backward pass: call forward again")
        gradients = ctx.trunk.backward(_as_maps(images), slopes[0], ctx.buffers)
        ctx.trunk.give_buffers(ctx.buffers)
        ctx.buffers = None
        return (None, None, None, *gradients)


def _as_maps(images: Tensor) -> Maps:
    """Return images [B, 3, H, W] as maps; no copy where their batch is innermost already."""
    return Maps(images.permute(1, 2, 3, 0).flatten(1).contiguous().numpy(), images.shape[2], len(images))
