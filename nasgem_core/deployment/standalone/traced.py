"""Helper of the exported Python files that list a network's layers one by one."""

from torch import Tensor, nn


def place(network: nn.Module, name: str, part: nn.Module | Tensor) -> None:
    """Put a layer, parameter or buffer at its place, such as "features.0.conv"; the modules above it are made."""
    *path, last = name.split(".")
    for step in path:
        if step not in network._modules:
            network.add_module(step, nn.Module())
        network = network.get_submodule(step)
    if isinstance(part, nn.Module):
        network.add_module(last, part)
    elif isinstance(part, nn.Parameter):
        network.register_parameter(last, part)
    else:
        network.register_buffer(last, part)
