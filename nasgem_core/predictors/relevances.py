"""What Gaussian processes expect of features before they see a label."""

from collections.abc import Mapping
from dataclasses import dataclass, field

SUBTREES = "wl"
"""The group of the Weisfeiler-Lehman similarities."""


@dataclass(frozen=True)
class Relevances:
    """The prior on log relevances, see `nasgem_core.predictors.gp`.

    Args:
        emphasis: added to a group's prior mean, 0 where it is not named; `SUBTREES` is the similarities' group.
        group_spread: standard deviation of g and w.
        feature_spread: standard deviation of r.
    """

    emphasis: Mapping[str, float] = field(default_factory=dict)
    group_spread: float = 2.0
    feature_spread: float = 1.0
