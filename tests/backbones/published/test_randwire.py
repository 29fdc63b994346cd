import pytest
import torch
from torch import nn

from nasgem_core.backbones.published.randwire import RandWire, WiredStage, WiredVertex


def test_a_vertex_sums_with_positive_weights_that_are_learned():
    vertex = WiredVertex(3, 4, 2, 1).eval()
    first, second = torch.randn(2, 3, 5, 5), torch.randn(2, 3, 5, 5)
    with torch.no_grad():
        vertex.weights.copy_(torch.tensor([-1.0, 2.0]))
        total = torch.sigmoid(vertex.weights[0]) * first + torch.sigmoid(vertex.weights[1]) * second
        expected = vertex.norm(vertex.convolution(total.clamp(min=0)))
        assert torch.allclose(vertex([first, second]), expected)
    assert WiredVertex(3, 4, 1, 1).weights is None


def test_a_stage_averages_the_vertices_that_lead_nowhere():
    stage = WiredStage([(), (), (0, 1), (0,)], 3, 4).eval()
    images = torch.randn(2, 3, 7, 6)
    assert stage.outputs == (2, 3)
    zero, one = stage.vertices[0]([images]), stage.vertices[1]([images])
    expected = (stage.vertices[2]([zero, one]) + stage.vertices[3]([zero])) / 2
    assert torch.allclose(stage(images), expected)
    assert stage(images).shape == (2, 4, 4, 3)


def test_maps_and_logits():
    network = RandWire(8, 5, 0).eval()
    for size in ((64, 64), (33, 47), (1, 1)):
        maps = network.forward_features(torch.randn(2, 3, *size))
        for tensor, info in zip(maps, network.feature_info, strict=True):
            assert tensor.shape == (2, info.channels, *(-(-side // info.stride) for side in size))
    assert [info.stride for info in network.feature_info] == [2, 4, 8, 16, 32]
    assert network(torch.randn(2, 3, 32, 32)).shape == (2, 5)


@pytest.mark.parametrize(("stride", "strides"), [(16, [1, 2, 4, 8, 16]), (8, [1, 2, 4, 8])])
def test_fewer_halvings_have_the_same_weights(stride, strides):
    network = RandWire(8, 5, 0, stride=stride).eval()
    network.load_state_dict(RandWire(8, 5, 0).state_dict())
    assert [info.stride for info in network.feature_info] == strides
    assert network.forward_features(torch.randn(1, 3, 32, 32))[-1].shape[-1] == 32 // stride


def test_every_parameter_gets_a_gradient():
    torch.manual_seed(0)
    network = RandWire(8, 5, 1)
    nn.functional.cross_entropy(network(torch.randn(4, 3, 64, 64)), torch.tensor([0, 1, 2, 3])).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all() and parameter.grad.any(), name


def test_stages_and_seeds_have_graphs_of_their_own():
    graphs = [stage.predecessors for seed in (0, 1) for stage in RandWire(8, 5, seed).stages]
    assert len(set(graphs)) == 6
    assert [stage.predecessors for stage in RandWire(8, 5, 1).stages] == graphs[3:]
