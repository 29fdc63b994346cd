"""Channels in another order: parts of concatenations are sorted, and the weights of what makes and reads them."""

from torch import nn
from torch.fx import Graph, Node

from nasgem_core.deployment.standalone.channels import (
    ChannelOrders,
    Layer,
    channels_of,
    is_concatenation,
    is_dense,
    keeps_channels,
    layer_of,
    sources,
)

Ranks = dict[Node, tuple[int, int]]
"""The group of a value that becomes part of a wider one, and its place in the group."""


def sort_channels(graph: Graph, ranks: Ranks) -> None:
    """Sort the parts of concatenations by groups, and the weights of all that read and make them accordingly."""
    counts = channels_of(graph)
    orders = ChannelOrders(graph, counts)
    found: dict[Node, list[int]] = {}
    conflict = True
    while conflict:
        found, conflict = _orders(graph, orders, counts, ranks)
    for node in graph.nodes:
        if is_concatenation(node) and not orders.is_fixed(node):
            node.args = (_sorted_parts(node, ranks), 1)
            node.kwargs = {}
        _sort_weights(node, found.get(orders.kind(node)), found.get(orders.kind((sources(node) or [node])[0])))


def _orders(
    graph: Graph, orders: ChannelOrders, counts: dict[Node, int], ranks: Ranks
) -> tuple[dict[Node, list[int]], bool]:
    """Return the order of channels for each kind of values, and whether one had to be fixed, which makes it void."""
    found: dict[Node, list[int]] = {}
    for node in [*graph.nodes, *graph.nodes]:  # the second time around all orders are known
        if not is_concatenation(node):
            continue
        parts, fixed = sources(node), orders.is_fixed(node)
        starts = {part: sum(counts[other] for other in parts[:place]) for place, part in enumerate(parts)}
        own: list[int] = []
        for part in parts if fixed else _sorted_parts(node, ranks):
            own += [starts[part] + place for place in found.get(orders.kind(part), range(counts[part]))]
        wanted = list(range(len(own))) if fixed else found.setdefault(orders.kind(node), own)
        if own != wanted:
            news = [orders.fix(value) for value in (node, *parts)]
            if any(news):
                return found, True
    return found, False


def _sorted_parts(node: Node, ranks: Ranks) -> list[Node]:
    """Return the parts of a concatenation, those of a group next to each other and in its order."""
    parts = sources(node)
    first: dict[int, int] = {}
    keys = {}
    for place, part in enumerate(parts):
        maker = part
        while len(sources(maker)) == 1 and keeps_channels(maker):
            (maker,) = sources(maker)
        group, rank = ranks.get(maker, (-1 - place, 0))
        keys[part] = (first.setdefault(group, place), rank)
    return sorted(parts, key=lambda part: keys[part])


def _sort_weights(node: Node, order: list[int] | None, order_before: list[int] | None) -> None:
    """Sort what a layer gives by one order of channels, for what it reads in another."""
    layer: Layer = layer_of(node)
    if layer is None:
        return
    if order_before and (is_dense(node) or type(layer) is nn.Linear):
        layer.weight.data = layer.weight.data[:, order_before].contiguous()
    if order and (isinstance(layer, nn.Conv2d) or type(layer) is nn.BatchNorm2d):
        for tensor in (*layer.parameters(), *layer.buffers()):
            if tensor.ndim:  # all but the number of batches seen
                tensor.data = tensor.data[order]
