"""What `fast` knows of a traced network: what its nodes do, how many channels values have, and in which order."""

import operator
from typing import Any

import torch
from torch import nn
from torch.fx import Graph, GraphModule, Node

Layer = Any
"""A layer of torch."""


def layer_of(node: Node) -> nn.Module | None:
    """Return the layer that a node calls, None where it calls something else."""
    module = node.graph.owning_module
    return module.get_submodule(str(node.target)) if module is not None and node.op == "call_module" else None


def sources(node: Node) -> list[Node]:
    """Return the values that a node reads, in their order; a concatenation may read one twice."""
    parts: Any = node.args[0] if is_concatenation(node) else node.all_input_nodes
    return list(parts)


def is_concatenation(node: Node) -> bool:
    """Say whether a node joins values over their channels."""
    return node.target in (torch.cat, torch.concat) and [*node.args[1:], *node.kwargs.values()] == [1]


def is_depthwise(node: Node) -> bool:
    """Say whether a node is a convolution of each channel by itself."""
    layer = layer_of(node)
    return type(layer) is nn.Conv2d and 1 < layer.groups == layer.in_channels == layer.out_channels


def is_dense(node: Node) -> bool:
    """Say whether a node is a convolution of all channels together."""
    layer = layer_of(node)
    return type(layer) is nn.Conv2d and layer.groups == 1


def is_simple(node: Node) -> bool:
    """Say whether a node does the same to each channel by itself, without parameters."""
    functional = nn.functional
    layers = (nn.ReLU, nn.ReLU6, nn.Hardswish, nn.Hardsigmoid, nn.SiLU, nn.Sigmoid, nn.MaxPool2d, nn.AvgPool2d)
    functions: tuple[Any, ...] = (
        torch.relu,
        functional.relu,
        functional.relu6,
        functional.hardswish,
        functional.hardsigmoid,
    )
    functions += (functional.silu, torch.sigmoid, functional.max_pool2d, functional.avg_pool2d)
    if len(sources(node)) != 1:
        return False
    if node.target in ("mean", torch.mean):
        dimensions = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else None)
        return dimensions in ((2, 3), [2, 3], (-2, -1), [-2, -1])
    return type(layer_of(node)) in (*layers, nn.AdaptiveAvgPool2d) or node.target in functions


def keeps_channels(node: Node) -> bool:
    """Say whether channel i of what a node gives is made of the channels i of what it reads."""
    joins = (operator.add, operator.iadd, torch.add, operator.mul, operator.imul, torch.mul)
    if node.op == "call_function" and node.target in joins:
        return len(node.args) == 2 and all(isinstance(value, Node | int | float) for value in node.args)
    return is_simple(node) or is_depthwise(node) or type(layer_of(node)) is nn.BatchNorm2d


def channels_of(graph: Graph) -> dict[Node, int]:
    """Return the number of channels of each value, 0 where it is not known."""
    found: dict[Node, int] = {}
    for node in graph.nodes:
        layer: Layer = layer_of(node)
        own = [found[source] for source in sources(node)]
        if isinstance(layer, nn.Conv2d):
            found[node] = layer.out_channels
        elif type(layer) is nn.BatchNorm2d:
            found[node] = layer.num_features
        elif is_concatenation(node):
            found[node] = sum(own) if all(own) else 0
        elif node.target is torch.narrow:
            found[node] = node.args[3]
        else:
            found[node] = max(own, default=0) if keeps_channels(node) else 0
    return found


class ChannelOrders:
    """Which values must have their channels in the same order, and which may have none but their own.

    Convolutions of all channels and dense layers read and give channels in any order at no cost, because their weights
    are sorted accordingly. So the values between them, which are of one kind, can have their channels in any common
    order, unless something that is not understood reads or makes one of them.
    """

    def __init__(self, graph: Graph, counts: dict[Node, int]) -> None:
        self._parent: dict[Node, Node] = {node: node for node in graph.nodes}
        self._fixed: set[Node] = set()
        for node in graph.nodes:
            if keeps_channels(node):
                for source in sources(node):
                    self._parent[self.kind(source)] = self.kind(node)
        for node in graph.nodes:
            own = [counts[source] for source in sources(node)]
            if keeps_channels(node):
                understood = set(own) == {counts[node]}
            else:
                understood = is_dense(node) or (is_concatenation(node) and len(set(sources(node))) == len(own))
            if not understood or not counts[node]:
                self.fix(node)
            if not (understood or type(layer_of(node)) is nn.Linear):
                for source in sources(node):
                    self.fix(source)

    def kind(self, node: Node) -> Node:
        """Return the node that stands for all whose channels are in the same order."""
        while self._parent[node] is not node:
            self._parent[node] = node = self._parent[self._parent[node]]
        return node

    def fix(self, node: Node) -> bool:
        """Leave the order of a value's channels as it is; say whether that is news."""
        before = len(self._fixed)
        self._fixed.add(self.kind(node))
        return len(self._fixed) > before

    def is_fixed(self, node: Node) -> bool:
        """Say whether the order of a value's channels must stay."""
        return self.kind(node) in {self.kind(fixed) for fixed in self._fixed}


def module_of(graph: Graph) -> GraphModule:
    """Return the module that runs a graph."""
    assert graph.owning_module is not None
    return graph.owning_module
