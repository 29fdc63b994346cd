"""The exponential moving average of a network's weights, which is what is evaluated and handed on."""

import copy

import torch
from torch import nn


class WeightAverage:
    """A copy of a network whose parameters and running statistics follow the trained ones slowly.

    After step k the average moves by 1 - min(decay, (k + 1) / (k + 10)), as TensorFlow's average does: in the first
    steps it would else stay with the random weights that training began from.

    Args:
        model: the trained network.
        decay: share of the average that stays at each step.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.model = copy.deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Follow the weights after step `step`, counted from 0."""
        share = 1 - min(self.decay, (step + 1) / (step + 10))
        own, new = self.model.state_dict(), model.state_dict()
        floating = [name for name, value in own.items() if value.is_floating_point()]
        torch._foreach_lerp_([own[name] for name in floating], [new[name] for name in floating], share)
        for name in own.keys() - set(floating):
            own[name].copy_(new[name])
