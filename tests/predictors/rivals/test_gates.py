import numpy as np
import torch

from nasgem_core.predictors.encoder import graphs_of
from nasgem_core.predictors.rivals.gates import FlowScorer, GatedFlow, gates
from nasgem_core.predictors.rivals.training import FitSettings
from tests.predictors.rivals.checks import gradient_reaches_every_parameter, tau_on_others


def test_a_layer_by_plain_loops():
    torch.manual_seed(0)
    layer = GatedFlow(3, 4)
    torch.nn.init.normal_(layer.bias)
    states, operations, adjacency = torch.rand(1, 4, 3), torch.rand(1, 4, 48), torch.triu(torch.ones(4, 4), 1)
    adjacency[0, 2] = 0
    out = layer(states, adjacency.T[None], operations)
    for v in range(4):
        sent = [layer.send.weight @ states[0, u] for u in range(4)]
        received = sum((sent[u] for u in range(v) if adjacency[u, v]), torch.zeros(4))
        gate = 1 / (1 + torch.exp(-(layer.gate.weight @ operations[0, v] + layer.gate.bias)))
        assert torch.allclose(out[0, v], gate * received + sent[v] + layer.bias, atol=1e-6)


def test_the_gradient_reaches_every_parameter(space):
    torch.manual_seed(0)
    gradient_reaches_every_parameter(FlowScorer(4, 16, 5, 0.0), graphs_of(space, np.arange(64)))


def test_it_learns(space, accuracies):
    settings = FitSettings("pairwise_hinge", rate=1e-2, decay=1e-3, steps=150)
    assert tau_on_others(gates(space, settings, width=32, layers=4, dropout=0.1), accuracies) > 0.5


def test_numbering_does_not_matter(space, renumbered):
    torch.manual_seed(0)
    network, rows = FlowScorer(4, 16, 5, 0.0), np.arange(len(space))
    scores = network(*graphs_of(space, rows))
    assert torch.allclose(scores, network(*graphs_of(renumbered, rows)), atol=1e-5)


def test_an_operation_is_felt_only_through_what_its_vertex_receives(space):
    torch.manual_seed(0)
    network = FlowScorer(4, 16, 5, 0.0)
    adjacency, kinds, mask, last = graphs_of(space, np.arange(32))
    scores = network(adjacency, kinds, mask, last)
    # The input receives nothing, so that its operation counts for nothing; that of another vertex does.
    for vertex, changes in ((0, False), (1, True)):
        other = kinds.clone()
        other[:, vertex] = other[:, vertex].roll(1, dims=1)
        assert torch.allclose(network(adjacency, other, mask, last), scores, atol=1e-6) != changes
