import numpy as np
import torch

from nasgem_core.predictors.encoder import graphs_of
from nasgem_core.predictors.rivals.gcn import DirectedConvolution, GraphConvolution, neural_predictor
from nasgem_core.predictors.rivals.training import FitSettings
from tests.predictors.rivals.checks import gradient_reaches_every_parameter, tau_on_others


def test_a_layer_by_plain_loops():
    torch.manual_seed(0)
    layer = DirectedConvolution(3, 4)
    states, adjacency = torch.rand(1, 5, 3), torch.triu(torch.ones(5, 5), 1)
    adjacency[0, 3] = adjacency[1, 4] = 0
    looped = adjacency + torch.eye(5)
    out = layer(states, (looped / looped.sum(1, keepdim=True))[None], (looped.T / looped.T.sum(1, keepdim=True))[None])
    for v in range(5):
        successors = [u for u in range(5) if looped[v, u]]
        predecessors = [u for u in range(5) if looped[u, v]]
        after = torch.stack([states[0, u] for u in successors]).mean(0) @ layer.along.weight.T
        before = torch.stack([states[0, u] for u in predecessors]).mean(0) @ layer.against.weight.T
        assert torch.allclose(out[0, v], (after.clamp(min=0) + before.clamp(min=0)) / 2, atol=1e-6)


def test_the_gradient_reaches_every_parameter(space):
    torch.manual_seed(0)
    gradient_reaches_every_parameter(GraphConvolution(4, 16, 3, 0.0), graphs_of(space, np.arange(64)))


def test_it_learns(space, accuracies):
    settings = FitSettings("pairwise_hinge", rate=1e-2, decay=1e-3, steps=150)
    assert tau_on_others(neural_predictor(space, settings, width=32, layers=3, dropout=0.1), accuracies) > 0.6


def test_neither_numbering_nor_padding_matters(space, renumbered):
    torch.manual_seed(0)
    network, rows = GraphConvolution(4, 16, 3, 0.0), np.arange(len(space))
    scores = network(*graphs_of(space, rows))
    assert torch.allclose(scores, network(*graphs_of(renumbered, rows)), atol=1e-5)
    adjacency, kinds, mask, last = graphs_of(space, rows)
    wider = [torch.nn.functional.pad(part, (0, 2, 0, 2)) for part in (adjacency, mask)]
    kinds = torch.nn.functional.pad(kinds, (0, 0, 0, 2))
    assert torch.allclose(scores, network(wider[0], kinds, wider[1][: len(rows)], last), atol=1e-5)
