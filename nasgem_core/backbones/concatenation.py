"""Layers over the channel concatenation of tensors."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def concatenate(tensors: Sequence[Tensor]) -> Tensor:
    """Join [B, C_i, H, W] over channels."""
    return tensors[0] if len(tensors) == 1 else torch.cat(list(tensors), dim=1)


def apply_to_concatenation(layer: nn.Module, parts: Sequence[Tensor]) -> Tensor:
    """Return `layer(concatenate(parts))`."""
    return layer(concatenate(parts))
