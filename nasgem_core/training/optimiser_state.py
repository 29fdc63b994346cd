"""An optimiser's state as named tensors and plain numbers, and back."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

PREFIX = "optimiser."


def pack_optimiser(optimiser: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, dict[str, float]]]:
    """Return tensors by "optimiser.<parameter>.<name>", and numbers by parameter and name.

    Learning rates and other settings are not part of it: the recipe has them.
    """
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, dict[str, float]] = {}
    for index, state in optimiser.state_dict()["state"].items():
        for name, value in state.items():
            if isinstance(value, Tensor):
                tensors[f"{PREFIX}{index}.{name}"] = value
            elif value is not None:
                numbers.setdefault(str(index), {})[name] = value
    return tensors, numbers


def unpack_optimiser(
    optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor], numbers: Mapping[str, Mapping[str, float]]
) -> None:
    """Give an optimiser the state that `pack_optimiser` returned, in the memory layout of its parameters."""
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Any]] = {int(index): dict(values) for index, values in numbers.items()}
    for key, value in tensors.items():
        if key.startswith(PREFIX):
            index, name = key[len(PREFIX) :].split(".", 1)
            parameter = parameters[int(index)]
            same = value.shape == parameter.shape
            kept = torch.empty_like(parameter, dtype=value.dtype).copy_(value) if same else value
            state.setdefault(int(index), {})[name] = kept
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
