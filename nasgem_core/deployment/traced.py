"""The Python file of any network that torch.fx can trace: its layers as a table, its forward pass line by line."""

import inspect
import operator
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn

from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.python_file import python_file
from nasgem_core.deployment.standalone.traced import place
from nasgem_core.errors import DataError

_ARGUMENTS: dict[type[nn.Module], tuple[str, ...]] = {
    nn.Conv2d: ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias"),
    nn.Linear: ("in_features", "out_features", "bias"),
    nn.BatchNorm2d: ("num_features", "eps", "momentum", "affine"),
    nn.ReLU: ("inplace",),
    nn.ReLU6: ("inplace",),
    nn.Hardswish: ("inplace",),
    nn.Hardsigmoid: ("inplace",),
    nn.SiLU: ("inplace",),
    nn.Sigmoid: (),
    nn.Identity: (),
    nn.Dropout: ("p", "inplace"),
    nn.MaxPool2d: ("kernel_size", "stride", "padding", "dilation", "ceil_mode"),
    nn.AvgPool2d: ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"),
    nn.AdaptiveAvgPool2d: ("output_size",),
    nn.ZeroPad2d: ("padding",),
    nn.Flatten: ("start_dim", "end_dim"),
}
"""What rebuilds a layer; other layers cannot be written."""
_SYMBOLS: dict[Any, str] = {
    **dict.fromkeys((operator.add, operator.iadd, torch.add), "+"),
    **dict.fromkeys((operator.mul, operator.imul, torch.mul), "*"),
    operator.sub: "-",
    operator.truediv: "/",
}
"""Functions of two arguments that have a sign."""


def traced_file(network: nn.Module, card: NetworkCard) -> str:
    """Return a Python file of a network in evaluation mode.

    Raises:
        DataError: the network's forward pass depends on its inputs, or holds something that is not torch's own.
    """
    return python_file(card, network, {}, [place, traced_class(network, card.name)], "Network()")


def traced_class(network: nn.Module, known_as: str, method: str = "forward") -> str:
    """Return the source of the class `Network`, with one method of a network in evaluation mode.

    It is next to `place`.

    Args:
        network: its layers, parameters and buffers keep their names.
        known_as: what it is called in messages.
        method: `forward`, or `forward_features` of a backbone.

    Raises:
        DataError: what the method does depends on its inputs, or holds something that is not torch's own.
    """
    network.eval()
    tracer = fx.Tracer()
    tracer.traced_func_name = method
    try:
        with torch.no_grad():  # what a network does for its gradients alone is left out
            graph = tracer.trace(network)
    except Exception as error:  # tracing runs the network's own code, which may fail in any way
        raise DataError(f"{known_as} cannot be written as Python: {error}") from None
    modules = dict(network.named_modules())
    called = {str(node.target) for node in graph.nodes if node.op == "call_module"}
    layers = [
        f'        place(self, "{name}", {_constructor(name, modules[name])})' for name in modules if name in called
    ]
    tensors = {name: tensor for name, tensor in network.state_dict().items() if name.rpartition(".")[0] not in called}
    for name, tensor in tensors.items():
        buffer = name in dict(network.named_buffers())
        layers.append(f'        place(self, "{name}", {_tensor(tensor, buffer)})')
    lines = [f"        {line}" for line in _Lines(graph).lines]
    returns, what = ("Tensor", "logits") if method == "forward" else ("list[Tensor]", "maps, finest first")
    return _CLASS.format(
        layers=_wrapped(layers),
        body=_wrapped(lines),
        method=method,
        returns=returns,
        what=what,
        many=[_LONG_METHOD if 1 + len(statements) > _MOST_STATEMENTS else "" for statements in (layers, lines)],
    )


_MOST_STATEMENTS, _LONG_METHOD = 50, "  # noqa: PLR0915"
"""Statements that linters allow in a method, and what exempts a longer one."""
_CLASS = '''class Network(nn.Module):
    """The layers, under the names that their weights have in the file, and the order in which they run."""

    def __init__(self) -> None:{many[0]}
        super().__init__()
{layers}

    def {method}(self, images: Tensor) -> {returns}:{many[1]}
        """Map normalised images [B, 3, H, W] to {what}."""
        layer = self.get_submodule
{body}
'''


def _wrapped(statements: Sequence[str]) -> str:
    """Return statements as lines; long ones, which are calls, are broken between their arguments."""
    indent = " " * 12
    return "\n".join(
        textwrap.fill(line, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        if len(line) > 120
        else line
        for line in statements
    )


def _constructor(name: str, module: nn.Module) -> str:
    if type(module) not in _ARGUMENTS or getattr(module, "padding_mode", "zeros") != "zeros":
        raise DataError(f"layer {name} is a {type(module).__name__}, which cannot be written as Python by itself")
    words = []
    for argument in _ARGUMENTS[type(module)]:
        default = inspect.signature(type(module)).parameters[argument].default
        value = module.bias is not None if argument == "bias" else getattr(module, argument)
        if isinstance(value, tuple) and len(set(value)) == 1:
            value = value[0]
        if default is inspect.Parameter.empty:
            words.append(repr(value))
        elif value != default:
            words.append(f"{argument}={value!r}")
    return f"nn.{type(module).__name__}({', '.join(words)})"


def _tensor(tensor: Tensor, buffer: bool) -> str:
    empty = f"torch.empty({tuple(tensor.shape)!r}, dtype={tensor.dtype})"
    return empty if buffer else f"nn.Parameter({empty})"


class _Lines:
    """The forward pass as assignments; a variable is used again as soon as nothing reads its value any more."""

    def __init__(self, graph: fx.Graph) -> None:
        self.lines: list[str] = []
        self._names: dict[fx.Node, str] = {}
        self._free: list[str] = []
        self._taken = 0
        readers = {node: len(node.users) for node in graph.nodes}
        for node in graph.nodes:
            text = self._expression(node)
            for source in node.all_input_nodes:
                readers[source] -= 1
                if not readers[source] and source.op != "placeholder":
                    self._free.append(self._names[source])
            if node.op == "placeholder":
                self._names[node] = "images"
            elif node.op == "output":
                self.lines.append(f"return {text}")
            else:
                self._names[node] = self._free.pop() if self._free else self._new()
                self.lines.append(f"{self._names[node]} = {text}")

    def _new(self) -> str:
        self._taken += 1
        return f"x{self._taken}"

    def _expression(self, node: fx.Node) -> str:
        words = [self._word(value) for value in node.args]
        words += [f"{name}={self._word(value)}" for name, value in node.kwargs.items()]
        if node.op == "call_module":
            return f'layer("{node.target}")({", ".join(words)})'
        if node.op == "get_attr":
            return f"self.{node.target}" if _plain(str(node.target)) else f'self.get_parameter("{node.target}")'
        if node.op == "call_method":
            return f"{words[0]}.{node.target}({', '.join(words[1:])})"
        if node.op == "call_function":
            return self._call(node, words)
        return words[0] if node.op == "output" else ""

    def _call(self, node: fx.Node, words: Sequence[str]) -> str:
        if node.target in _SYMBOLS and len(words) == 2:
            return f"{words[0]} {_SYMBOLS[node.target]} {words[1]}"
        if node.target is operator.getitem:
            return f"{words[0]}[{self._index(node.args[1])}]"
        assert callable(node.target)
        return f"{_function(node.target)}({', '.join(words)})"

    def _word(self, value: Any) -> str:
        if isinstance(value, fx.Node):
            return self._names[value]
        if isinstance(value, list | tuple):
            inner = ", ".join(self._word(item) for item in value)
            if isinstance(value, list):
                return f"[{inner}]"
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        if isinstance(value, Mapping | Tensor | nn.Module):
            raise DataError(f"an argument of type {type(value).__name__} cannot be written as Python")
        return repr(value)

    def _index(self, value: Any) -> str:
        """Return what is in the brackets behind a tensor or a tuple."""
        if isinstance(value, tuple) and value:
            return ", ".join(map(self._index, value)) + ("," if len(value) == 1 else "")
        if isinstance(value, slice):
            ends = ["" if end is None else self._word(end) for end in (value.start, value.stop, value.step)]
            return ":".join(ends if ends[2] else ends[:2])
        return "..." if value is Ellipsis else self._word(value)


def _plain(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _function(function: Callable[..., Any]) -> str:
    module, name = getattr(function, "__module__", "") or "", getattr(function, "__name__", "")
    if module in ("_operator", "operator"):
        return f"operator.{name}"
    for space, prefix in ((nn.functional, "nn.functional"), (torch, "torch")):
        if getattr(space, name, None) is function:
            return f"{prefix}.{name}"
    raise DataError(f"the function {module}.{name} is not torch's own, so it cannot be written as Python")
