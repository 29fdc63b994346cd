"""The exponential moving average of a network's weights: the weights that are evaluated and kept."""

import copy

import torch
from torch import nn


class WeightAverage:
    """A copy of a network whose parameters and running statistics follow the trained ones slowly.

    After step k the average moves by 1 - min(decay, (k + 1) / (k + 10)), as TensorFlow's average does; with a constant
    share it would stay close to the random initial weights for many steps.

    Args:
        model: the trained network.
        decay: share of the average that remains after each step.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        # Training changes tensors in place, so it is enough to look them up once.
        pairs = list(zip(self.model.state_dict().values(), model.state_dict().values(), strict=True))
        self._averaged = [pair for pair in pairs if pair[0].is_floating_point()]
        self._copied = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Follow the weights after step `step`, counted from 0."""
        share = 1 - min(self.decay, (step + 1) / (step + 10))
        torch._foreach_lerp_([own for own, _ in self._averaged], [new for _, new in self._averaged], share)
        for own, new in self._copied:
            own.copy_(new)
