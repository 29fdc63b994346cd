"""Networks without weights: their costs and shapes can be read, at a fraction of the time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

_DRAWING = frozenset(
    {Tensor.normal_, Tensor.uniform_, Tensor.fill_, Tensor.zero_}
    | {getattr(nn.init, name) for name in ("kaiming_normal_", "kaiming_uniform_", "trunc_normal_")}
)
"""What fills weights. On tensors without memory Torch spends most of the time of building a network in these."""


class _WithoutDrawing(TorchFunctionMode):
    def __torch_function__(self, function: Any, types: Any, arguments: Any = (), keywords: Any = None) -> Any:
        keywords = keywords or {}
        if function in _DRAWING:
            return arguments[0] if arguments else keywords["tensor"]
        return function(*arguments, **keywords)


@contextmanager
def shapes_only() -> Iterator[None]:
    """Have networks that are built in the block take no memory: they have shapes, and no values."""
    with torch.device("meta"), _WithoutDrawing():
        yield
