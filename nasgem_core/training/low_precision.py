"""Weights in 16 bits next to those that an optimiser changes: all are cast together, once per step.

Autocast casts each weight when a layer needs it and each gradient on its way back. On a GPU every cast is a kernel of
its own, in networks of cells more of them than of any other kind. The numbers are the same either way.
"""

import torch
from torch import nn

_CAST = (nn.Conv2d, nn.Linear)
"""Layers that autocast computes in 16 bits, with all of their parameters."""


class LowPrecisionWeights:
    """Gives the layers of a network weights in 16 bits, and keeps those in 32 bits for the optimiser.

    Args:
        network: its parameters are float32; those of convolutions and dense layers are replaced.
        dtype: the type of 16 bits.
    """

    def __init__(self, network: nn.Module, dtype: torch.dtype) -> None:
        self._exact: list[nn.Parameter] = []
        self._cast: list[nn.Parameter] = []
        for layer in network.modules():
            if isinstance(layer, _CAST):
                for name, exact in list(layer.named_parameters(recurse=False)):
                    cast = nn.Parameter(exact.detach().to(dtype))
                    setattr(layer, name, cast)
                    self._exact.append(exact)
                    self._cast.append(cast)
        replaced = set(map(id, self._cast))
        others = [parameter for parameter in network.parameters() if id(parameter) not in replaced]
        self.parameters = [*others, *self._exact]
        """What the optimiser changes, all in 32 bits."""

    def take_gradients(self) -> None:
        """Give the exact weights the gradients of the cast ones, as float32, in place of those they have."""
        exact, gradients = [], []
        for weight, cast in zip(self._exact, self._cast, strict=True):
            weight.grad = None
            if cast.grad is not None:
                weight.grad = torch.empty_like(weight)
                exact.append(weight.grad)
                gradients.append(cast.grad)
        torch._foreach_copy_(exact, gradients)

    @torch.no_grad()
    def cast(self) -> None:
        """Cast the weights again, after a step of the optimiser."""
        torch._foreach_copy_([*self._cast], [*self._exact])
