"""Params and multiply-adds of any network, counted while shapes without content pass through it."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nasgem_core.networks.layout import IMAGE_CHANNELS

_POOLS = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
_PER_VALUE: dict[type[nn.Module], int] = {nn.BatchNorm2d: 2, nn.ReLU: 1, nn.ReLU6: 1}


@dataclass(frozen=True)
class CountedCosts:
    """Costs of one network on one image.

    Args:
        params: numbers that are learned, batch normalisation's among them.
        macs: multiply-adds of convolutions and dense layers; everything else is left out.
        elementwise: what some counters add to them: two for each value that a batch normalisation makes, one for each
            that a ReLU makes and one for each that a pool reads, where these are modules.
    """

    params: int
    macs: int
    elementwise: int


def count_costs(network: nn.Module, image_size: tuple[int, int]) -> CountedCosts:
    """Count what a network costs on one image of that height and width; it is left as it was, and nothing is computed.

    A network built under `torch.device("meta")` serves as well, and takes no memory.
    """
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
    # The counter takes a multiplication and an addition for two operations.
    return CountedCosts(params, counter.get_total_flops() // 2, elementwise)
