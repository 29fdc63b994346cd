import torch
from torch import fx, nn

from nasgem_core.deployment.standalone.sorting import sort_channels


class Network(nn.Module):
    """Two concatenations whose sum is read by a convolution; the first is copied before it is sorted where asked to."""

    def __init__(self, *, copied=False):
        super().__init__()
        self.copied = copied
        self.parts = nn.ModuleList(nn.Conv2d(3, width, 1) for width in (1, 2, 1, 1, 2, 1))
        self.norm, self.depthwise, self.last = nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1, groups=4), nn.Conv2d(4, 2, 1)

    def forward(self, x):
        a, b, c, d, e, f = (part(x) for part in self.parts)
        first, second = torch.cat([torch.relu(a), b, c], 1), torch.cat([d, e, f], 1)
        if self.copied:
            first = first.clone()
        return self.last(self.norm(first + self.depthwise(second)))


def sorted_graph(network, *ranks):
    """Return the graph, sorted, and whether the network gives the same as before."""
    network = network.double().eval()
    nn.init.uniform_(network.norm.running_mean)
    images = torch.randn(2, 3, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network(images)
        module = fx.GraphModule(network, fx.Tracer().trace(network))
        makers = {node: rank for node, rank in zip(module.graph.nodes, (None, *ranks), strict=False) if rank}
        sort_channels(module.graph, makers)
        module.recompile()
        torch.testing.assert_close(module(images), expected, rtol=1e-12, atol=1e-12)
    return [[part.name for part in node.args[0]] for node in module.graph.nodes if node.target is torch.cat]


def test_parts_of_a_group_come_next_to_each_other():
    ranks = [(0, 0), None, (0, 1), (1, 0), None, (1, 1)]
    assert sorted_graph(Network(), *ranks) == [["relu", "parts_2", "parts_1"], ["parts_3", "parts_5", "parts_4"]]


def test_concatenations_that_would_be_sorted_apart_stay():
    ranks = [(0, 0), None, (0, 1), None, (1, 0), (1, 1)]
    assert sorted_graph(Network(), *ranks) == [["relu", "parts_1", "parts_2"], ["parts_3", "parts_4", "parts_5"]]


def test_what_an_unknown_function_reads_stays():
    ranks = [(0, 0), None, (0, 1), (1, 0), None, (1, 1)]
    found = sorted_graph(Network(copied=True), *ranks)
    assert found == [["relu", "parts_1", "parts_2"], ["parts_3", "parts_4", "parts_5"]]
