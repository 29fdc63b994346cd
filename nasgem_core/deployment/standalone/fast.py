"""An equal network for inference that runs faster: what deployed forms are made of.

It works on any network that torch.fx can trace. Batch normalisation is folded into the convolution before it.
Convolutions that read the same value in the same way become one wider convolution (`convolutions_to_join`), and what is
done to each of its parts alike is done to all of them at once. Channels are sorted such that a concatenation of these
parts is what the wider convolution gives, so that nothing is copied. Values are equal up to rounding.

Depthwise convolutions of one value can be joined as well, with copies of the value, and the pointwise convolutions of
several parts, in groups: PyTorch, which takes long to start a layer, is faster with it, ONNX Runtime slower.
"""

import copy
from typing import Any

import torch
from torch import nn
from torch.fx import Graph, GraphModule, Node, Tracer
from torch.nn.utils.fusion import fuse_conv_bn_eval

from nasgem_core.deployment.standalone.channels import (
    Layer,
    channels_of,
    is_concatenation,
    is_dense,
    is_depthwise,
    is_simple,
    keeps_channels,
    layer_of,
    module_of,
    sources,
)
from nasgem_core.deployment.standalone.sorting import Ranks, sort_channels


def traced(network: nn.Module) -> GraphModule:
    """Return a copy of a network in evaluation mode as a graph; raises whatever the network does where it cannot be."""
    network = copy.deepcopy(network).eval()
    with torch.no_grad():  # what a network does for its gradients alone is left out
        return GraphModule(network, Tracer().trace(network))


def fast(network: nn.Module, *, grouped: bool = True) -> GraphModule:
    """Return a network that gives the same as `network` in evaluation mode, in less time; it cannot be trained.

    Args:
        network: any that torch.fx can trace.
        grouped: join depthwise convolutions of one value, and pointwise convolutions of its parts by groups.
    """
    return made_fast(traced(network), grouped=grouped)


def made_fast(network: GraphModule, *, grouped: bool = True) -> GraphModule:
    """Return the fast form of a traced network, which it changes; `grouped` as for `fast`."""
    graph = network.graph
    with torch.no_grad():
        _separate(graph)
        _fold(graph)
        _share(graph)
        groups = convolutions_to_join(graph, grouped=grouped)
        sort_channels(graph, _ranks(groups))
        counts = channels_of(graph)
        for group in groups:
            _join(graph, group, counts)
        while _sink(graph, counts, grouped=grouped):
            pass
        _drop_concatenations(graph)
        graph.eliminate_dead_code()
    module = module_of(graph)
    module.delete_all_unused_submodules()
    module.recompile()
    return module.requires_grad_(False)


def _separate(graph: Graph) -> None:
    """Give each call of a layer a layer of its own, which can be changed."""
    called: set[str] = set()
    for node in graph.nodes:
        if node.op == "call_module" and node.target in called:
            again = f"again_{node.name}"
            module_of(graph).add_submodule(again, copy.deepcopy(module_of(graph).get_submodule(str(node.target))))
            node.target = again
        called.add(str(node.target))


def _fold(graph: Graph) -> None:
    """Fold normalisations into the convolutions before them; drop layers that do nothing in evaluation mode."""
    in_place = {torch.relu_: torch.relu, nn.functional.relu_: torch.relu}
    for node in list(graph.nodes):
        layer: Layer = layer_of(node)
        node.target = in_place.get(node.target, node.target)  # values are read by others than before
        if getattr(layer, "inplace", False):
            layer.inplace = False
        if isinstance(layer, nn.Identity | nn.Dropout):
            node.replace_all_uses_with(sources(node)[0])
            graph.erase_node(node)
        elif type(layer) is nn.BatchNorm2d:
            (source,) = sources(node)
            before: Layer = layer_of(source)
            if type(before) is nn.Conv2d and len(source.users) == 1:
                module_of(graph).set_submodule(str(source.target), fuse_conv_bn_eval(before, layer))
                node.replace_all_uses_with(source)
                graph.erase_node(node)


def _share(graph: Graph) -> None:
    """Compute once what several nodes compute of the same values."""
    found: dict[tuple[str, ...], Node] = {}
    for node in list(graph.nodes):
        if is_simple(node) or is_concatenation(node):
            layer = layer_of(node)
            key = (str(layer or node.target), str(node.args), str(node.kwargs))
            first = found.setdefault(key, node)
            if first is not node:
                node.replace_all_uses_with(first)
                graph.erase_node(node)


def convolutions_to_join(graph: Graph, *, grouped: bool = True) -> list[list[Node]]:
    """Return the groups of convolutions that become one each, in the order of their channels in it.

    They read the same value in the same way, and the same is done to what they give: a ReLU, or the pointwise
    convolution behind a depthwise one. Those that are read by the same nodes are next to each other. `grouped` as for
    `fast`.
    """
    places = {node: place for place, node in enumerate(graph.nodes)}
    groups: dict[tuple[object, ...], list[Node]] = {}
    for node in graph.nodes:
        if is_dense(node) or (grouped and is_depthwise(node)):
            key = (sources(node)[0], is_dense(node), _what(node), *map(_what, _behind(node)))
            groups.setdefault(key, []).append(node)

    def readers(node: Node) -> list[int]:
        return sorted(places[user] for user in [node, *_behind(node)][-1].users)

    return [sorted(group, key=readers) for group in groups.values() if len(group) > 1]


def _behind(node: Node) -> list[Node]:
    """Return what is done to a value, as far as it is read by one node and its parts can stay next to each other."""
    users = list(node.users)
    if len(users) != 1 or sources(users[0]) != [node]:
        return []
    stays = is_simple(users[0]) or (is_depthwise(node) and is_dense(users[0]))
    return [users[0], *_behind(users[0])] if stays else []


def _ranks(groups: list[list[Node]]) -> Ranks:
    """Return the group and the place in it of each value that becomes part of a wider one."""
    return {
        joined: (number, place)
        for number, group in enumerate(groups)
        for place, node in enumerate(group)
        for joined in (node, *_behind(node))
    }


def _join(graph: Graph, group: list[Node], counts: dict[Node, int]) -> None:
    """Replace convolutions of one value by a wider one, and what they give by parts of what that gives."""
    (source,) = sources(group[0])
    layers: list[Layer] = [layer_of(node) for node in group]
    if is_depthwise(group[0]):  # the copies cost less than several small convolutions
        with graph.inserting_after(source):
            source, width = graph.call_function(torch.cat, ([source] * len(group), 1)), counts[source]
        counts[source] = width * len(group)
    _replace(graph, group, source, _joined(layers), counts)


def _joined(layers: list[Layer], *, side_by_side: bool = False) -> nn.Module:
    """Return the layer that gives what several give, one behind the other.

    They are convolutions of one value or, `side_by_side`, of its parts; or they do something to each channel.
    """
    joined = copy.deepcopy(layers[0])
    for name, tensor in [*joined.named_parameters(), *joined.named_buffers()]:
        if tensor.ndim:
            tensor.data = torch.cat([layer.state_dict()[name] for layer in layers])
    width = len(joined.weight)
    if isinstance(joined, nn.BatchNorm2d):
        joined.num_features = width
        return joined
    if joined.groups > 1 or side_by_side:
        joined.groups *= len(layers)
        joined.in_channels *= len(layers)
    joined.out_channels = width
    return joined


def _replace(graph: Graph, nodes: list[Node], source: Node, layer: nn.Module | None, counts: dict[Node, int]) -> None:
    """Replace nodes that do the same to one value, or to its parts in their order, by one node.

    `layer` is what it calls, None where it calls what each of them does. The channels of new values are added to
    `counts`: to find those of all values again for each of hundreds of replacements would take minutes.
    """
    first = nodes[0]
    target = first.target
    if layer is not None:
        target = f"joined_{first.name}"
        module_of(graph).add_submodule(target, layer)
    with graph.inserting_after(source):
        whole = graph.create_node(first.op, target, (source, *first.args[1:]), first.kwargs)
    counts[whole] = sum(counts[node] for node in nodes)
    start = 0
    for node in nodes:
        with graph.inserting_after(whole):
            part = graph.call_function(torch.narrow, (whole, 1, start, counts[node]))
        counts[part] = counts[node]
        start += counts[node]
        node.replace_all_uses_with(part)
        graph.erase_node(node)


def _sink(graph: Graph, counts: dict[Node, int], *, grouped: bool) -> bool:
    """Do to a whole value what is done to each part of it; say whether there was anything."""
    for whole in graph.nodes:
        alike: dict[tuple[str, int], dict[int, Node]] = {}
        for part in [user for user in whole.users if user.target is torch.narrow]:
            for user in part.users:
                if sources(user) == [part] and (keeps_channels(user) or (grouped and is_dense(user))):
                    width = counts[part] if is_dense(user) else 0
                    alike.setdefault((_what(user), width), {}).setdefault(part.args[2], user)
        for group in alike.values():
            nodes = [group[start] for start in sorted(group)]
            parts = [sources(node)[0] for node in nodes]
            if len(nodes) > 1 and sum(counts[part] for part in parts) == counts[whole]:
                joined = [layer_of(node) for node in nodes]
                layer = None if is_simple(nodes[0]) else _joined(joined, side_by_side=is_dense(nodes[0]))
                _replace(graph, nodes, whole, layer, counts)
                for part in parts:
                    if not part.users:
                        graph.erase_node(part)
                return True
    return False


def _what(node: Node) -> str:
    """Return what a node does, but for its weights and, of a convolution that is not depthwise, its input channels."""
    layer: Layer = layer_of(node)
    if type(layer) is nn.Conv2d:
        shape = layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.padding_mode
        return str((shape, layer.bias is None, layer.out_channels if is_dense(node) else 0))
    if type(layer) is nn.BatchNorm2d:
        return str(layer.eps)
    return str((layer or node.target, node.args[1:], node.kwargs))


def _drop_concatenations(graph: Graph) -> None:
    """Read a value, or several channels of it, where its parts would be joined again."""
    counts = channels_of(graph)
    for node in [node for node in graph.nodes if is_concatenation(node)]:
        runs: list[tuple[Node, int, int]] = []  # a value, its first channel and how many of them
        for part in sources(node):
            slice_of: Any = part.args if part.target is torch.narrow else (part, 1, 0, counts[part])
            whole, _, start, width = slice_of
            if runs and runs[-1][0] is whole and sum(runs[-1][1:]) == start and width:
                runs[-1] = (whole, runs[-1][1], runs[-1][2] + width)
            else:
                runs.append((whole, start, width))
        with graph.inserting_before(node):
            parts = [
                whole if width == counts[whole] else graph.call_function(torch.narrow, (whole, 1, start, width))
                for whole, start, width in runs
            ]
        if len(parts) == 1:
            node.replace_all_uses_with(parts[0])
            graph.erase_node(node)
        else:
            node.args, node.kwargs = (parts, 1), {}
