import torch
from torch import fx, nn

from nasgem_core.deployment.standalone.channels import (
    ChannelOrders,
    channels_of,
    is_concatenation,
    is_dense,
    is_depthwise,
    is_simple,
    keeps_channels,
    sources,
)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1)
        self.depthwise, self.last = nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.Conv2d(8, 8, 1)

    def forward(self, images):
        joined = torch.cat([torch.relu(self.first(images)), self.second(images)], dim=1)
        changed = self.last(self.depthwise(joined))
        return (changed + joined).mean(dim=(2, 3)), changed.reshape(-1)


def traced():
    graph = fx.GraphModule(Network(), fx.Tracer().trace(Network())).graph
    return graph, {node.name: node for node in graph.nodes}


def test_nodes_are_told_apart():
    graph, nodes = traced()
    assert [name for name, node in nodes.items() if is_dense(node)] == ["first", "second", "last"]
    assert [name for name, node in nodes.items() if is_depthwise(node)] == ["depthwise"]
    assert [name for name, node in nodes.items() if is_concatenation(node)] == ["cat"]
    assert [name for name, node in nodes.items() if is_simple(node)] == ["relu", "mean"]
    assert [name for name, node in nodes.items() if keeps_channels(node)] == ["relu", "depthwise", "add", "mean"]
    assert sources(nodes["cat"]) == [nodes["relu"], nodes["second"]]
    counts = channels_of(graph)
    assert {name: counts[nodes[name]] for name in ("images", "relu", "cat", "add", "mean", "reshape")} == {
        "images": 0,
        "relu": 4,
        "cat": 8,
        "add": 8,
        "mean": 8,
        "reshape": 0,
    }


def test_values_that_are_added_or_gone_through_one_by_one_share_an_order():
    graph, nodes = traced()
    orders = ChannelOrders(graph, channels_of(graph))
    assert orders.kind(nodes["relu"]) is orders.kind(nodes["first"]) is not orders.kind(nodes["second"])
    assert len({orders.kind(nodes[name]) for name in ("cat", "depthwise", "last", "add", "mean")}) == 1


def test_what_an_unknown_function_reads_stays_in_its_order():
    graph, nodes = traced()
    orders = ChannelOrders(graph, channels_of(graph))
    assert [name for name in nodes if orders.is_fixed(nodes[name])] == [
        *("images", "cat", "depthwise", "last", "add", "mean", "reshape", "output")
    ]
    assert orders.fix(nodes["first"]) and not orders.fix(nodes["relu"]) and orders.is_fixed(nodes["relu"])
