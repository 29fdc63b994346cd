"""What Gaussian processes expect of features before they see a label."""

from collections.abc import Mapping
from dataclasses import dataclass, field

SUBTREES = "wl"
"""The group of the Weisfeiler-Lehman similarities."""


@dataclass(frozen=True)
class Relevances:
    """The prior on log relevances, see `nasgem_core.predictors.gp`.

    Args:
        emphasis: added to a group's prior mean; `SUBTREES` is the similarities' group.
        otherwise: added where a group is not named.
        group_spread: standard deviation of g and w.
        feature_spread: standard deviation of r.
    """

    emphasis: Mapping[str, float] = field(default_factory=dict)
    otherwise: float = 0.0
    group_spread: float = 2.0
    feature_spread: float = 1.0

    def of(self, group: str) -> float:
        """Return what is added to the prior mean of a group."""
        return self.emphasis.get(group, self.otherwise)
