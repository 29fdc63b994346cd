"""Stochastic depth: residual branches that are left out at random while training (Huang et al. 2016)."""

import torch
from torch import Tensor, nn


class StochasticDepth(nn.Module):
    """The end of a residual branch, [B, ...] to the same shape: while training it is zero for some of the images.

    Args:
        share: of the images for which it is zero; the others are scaled up, so that the mean stays.
    """

    def __init__(self, share: float = 0.0) -> None:
        super().__init__()
        self.share = share

    def forward(self, branch: Tensor) -> Tensor:
        """Return the branch; without training, or with a share of 0, as it is and without drawing a number."""
        if not self.training or not self.share:
            return branch
        kept = torch.full((len(branch), *[1] * (branch.dim() - 1)), 1 - self.share, device=branch.device)
        return branch * (torch.bernoulli(kept) / (1 - self.share)).to(branch.dtype)

    def extra_repr(self) -> str:
        """Return what `repr` shows."""
        return f"share={self.share}"


def set_stochastic_depth(network: nn.Module, share: float) -> None:
    """Let the last residual branch of a network be left out with that share, and earlier ones with evenly less.

    Of L branches the l-th one, from 1, has share * l / L.
    """
    ends = [module for module in network.modules() if isinstance(module, StochasticDepth)]
    for number, end in enumerate(ends, start=1):
        end.share = share * number / len(ends)
