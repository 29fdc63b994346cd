"""Optimisers for transfer: RMSProp in TensorFlow's form, and SGD; neither penalises biases and normalisation."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from nasgem_core.training.recipe import TrainingRecipe

RMSPROP_DECAY, RMSPROP_EPSILON = 0.9, 1e-3


class RMSprop(torch.optim.Optimizer):
    """RMSProp in TensorFlow's form, for which the recipes of mobile networks are written.

    It differs from `torch.optim.RMSprop` in three ways: the mean square starts at 1, epsilon is under the root, and the
    momentum accumulates steps that already include the learning rate:
    s <- a s + (1 - a) g^2;  m <- b m + lr g / sqrt(s + e);  w <- w - m, with g = gradient + weight decay * w.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        *,
        decay: float = RMSPROP_DECAY,
        momentum: float = 0.9,
        epsilon: float = RMSPROP_EPSILON,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "decay": decay, "momentum": momentum, "epsilon": epsilon, "weight_decay": weight_decay}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        if closure is not None:
            raise TypeError("RMSprop does not take a closure")
        for group in self.param_groups:
            params = [parameter for parameter in group["params"] if parameter.grad is not None]
            if params:
                self._step_group(params, group)

    def _step_group(self, params: list[Tensor], group: dict[str, Any]) -> None:
        for parameter in params:
            state = self.state[parameter]
            if not state:
                state["mean_square"] = torch.ones_like(parameter, memory_format=torch.preserve_format)
                state["momentum"] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
        squares = [self.state[parameter]["mean_square"] for parameter in params]
        moments = [self.state[parameter]["momentum"] for parameter in params]
        gradients = [parameter.grad for parameter in params if parameter.grad is not None]
        if group["weight_decay"]:
            gradients = list(torch._foreach_add(gradients, params, alpha=group["weight_decay"]))
        torch._foreach_mul_(squares, group["decay"])
        torch._foreach_addcmul_(squares, gradients, gradients, value=1 - group["decay"])
        roots = torch._foreach_add(squares, group["epsilon"])
        torch._foreach_sqrt_(roots)
        torch._foreach_mul_(moments, group["momentum"])
        torch._foreach_addcdiv_(moments, gradients, roots, value=group["lr"])
        torch._foreach_sub_(params, moments)


def make_optimiser(model: nn.Module, recipe: TrainingRecipe) -> torch.optim.Optimizer:
    """Return the recipe's optimiser for all parameters that require gradients."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    penalised = [parameter for parameter in trained if parameter.ndim > 1]
    others = [parameter for parameter in trained if parameter.ndim <= 1]
    groups = [
        {"params": params, "weight_decay": decay}
        for params, decay in ((penalised, recipe.weight_decay), (others, 0.0))
        if params
    ]
    if recipe.optimiser == "rmsprop":
        return RMSprop(groups, recipe.learning_rate, momentum=recipe.momentum)
    return torch.optim.SGD(groups, recipe.learning_rate, momentum=recipe.momentum, foreach=True)
