"""What a named predictor is made of: label-free work on a space, done once, and the predictor built on its result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from nasgem_core.predictors.predictor import Predictor
from nasgem_core.predictors.relevances import Relevances
from nasgem_core.predictors.space import Space

Pretrained = Mapping[str, np.ndarray]
"""Arrays by name, flat, so that they can be stored as a plain file."""


@dataclass(frozen=True)
class Recipe:
    """A predictor by name; it ends the module of the predictor, and `nasgem_core.predictors.catalogue` names it.

    Args:
        build: from the space, the result of `pretrain` (empty without one) and the prior of processes, which most
            predictors do not read, to a predictor that can be fitted any number of times.
        pretrain: from a space and a seed to what the predictor knows before any label; None where that is nothing.
        pretrainings: over how many independent results of `pretrain` a benchmark should spread its splits.
        needs: metrics of the table, such as `params`, without which it cannot work.
    """

    build: Callable[[Space, Pretrained, Relevances], Predictor]
    pretrain: Callable[[Space, int], dict[str, np.ndarray]] | None = None
    pretrainings: int = 1
    needs: tuple[str, ...] = ()
