"""Params and multiply-adds of any network, counted by passing shapes without content through it."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from nasgem_core.networks.layout import IMAGE_CHANNELS

_POOLS = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
_PER_VALUE: dict[type[nn.Module], int] = {nn.BatchNorm2d: 2, nn.ReLU: 1, nn.ReLU6: 1}


@dataclass(frozen=True)
class CountedCosts:
    """Costs of one network on one image.

    Args:
        params: learned numbers, those of batch normalisation included.
        macs: multiply-adds of convolutions and dense layers; everything else is left out.
        elementwise: operations that some publications add to them, for layers that are modules: two per value that
            batch normalisation outputs, one per value that a ReLU outputs and one per value that a pool reads.
    """

    params: int
    macs: int
    elementwise: int


def count_costs(network: nn.Module, image_size: tuple[int, int]) -> CountedCosts:
    """Count the costs of a network on one image of that height and width, without computing or changing anything.

    The network may be built within `shapes_only`, so that it takes no memory and little time.
    """
    from torch.utils.flop_counter import FlopCounterMode  # which loads triton

    state = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    shapes = {name: tensor.to("meta") for name, tensor in state.items()}
    images = torch.empty(1, IMAGE_CHANNELS, *image_size, device="meta")
    training = network.training
    elementwise = 0

    def add(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        nonlocal elementwise
        elementwise += inputs[0].numel() if isinstance(module, _POOLS) else output.numel() * _PER_VALUE[type(module)]

    hooks = [
        module.register_forward_hook(add)
        for module in network.modules()
        if isinstance(module, _POOLS) or type(module) in _PER_VALUE
    ]
    network.eval()
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            torch.func.functional_call(network, shapes, (images,))
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    params = sum(parameter.numel() for parameter in network.parameters())
    # The counter counts a multiplication and an addition as two operations.
    return CountedCosts(params, counter.get_total_flops() // 2, elementwise)
