"""Losses that a network can be fitted by: errors of the targets, or of the order of all pairs of a batch.

Every loss takes scores [B] and targets [B] and returns a scalar.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import mse_loss, relu, softplus

from nasgem_core.errors import ParameterError

MARGIN = 0.1
"""How much better than the worse cell of a pair the better one is to be scored (as in GATES, Ning et al. 2020)."""

Loss = Callable[[Tensor, Tensor], Tensor]


def squared_error(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of (s - t)^2."""
    return mse_loss(scores, targets)


def weighted_squared_error(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of w (s - t)^2, where w = 2 r / (B + 1) rises with the target's rank r from 1 to B.

    So errors on good cells count most. The weights' mean is 1; equal targets share their mean rank.
    """
    below, equal = (targets[:, None] > targets).sum(1), (targets[:, None] == targets).sum(1)
    weights = 2 * (below + (equal + 1) / 2) / (len(targets) + 1)
    return (weights * (scores - targets).square()).mean()


def pairwise_hinge(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of max(0, margin - (s_i - s_j)) over the pairs with t_i > t_j; 0 where there is none."""
    return _mean_over_pairs(relu(MARGIN - (scores[:, None] - scores)), targets)


def pairwise_bce(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of -log sigmoid(s_i - s_j) over the pairs with t_i > t_j (Burges et al. 2005); 0 without any."""
    return _mean_over_pairs(softplus(scores - scores[:, None]), targets)


LOSSES: dict[str, Loss] = {
    "squared_error": squared_error,
    "weighted_squared_error": weighted_squared_error,
    "pairwise_hinge": pairwise_hinge,
    "pairwise_bce": pairwise_bce,
}


def loss_named(name: str) -> Loss:
    """Return the loss; raises `ParameterError` where there is none of this name."""
    if name not in LOSSES:
        raise ParameterError(f"loss = {name!r}: must be one of {', '.join(LOSSES)}")
    return LOSSES[name]


def _mean_over_pairs(losses: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of losses [B, B] where the row's target is above the column's."""
    ordered = (targets[:, None] > targets).to(losses.dtype)
    return (losses * ordered).sum() / torch.clamp(ordered.sum(), min=1)
