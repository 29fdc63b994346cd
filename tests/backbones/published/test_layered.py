import pytest
import torch
from torch import nn

from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.published.layered import LayeredBackbone
from nasgem_core.errors import ParameterError


def layers():
    """Return five halvings, a layer after the first and one after the last, as plain convolutions."""
    steps = [(3, 4, 2), (4, 5, 1), (5, 6, 2), (6, 7, 2), (7, 8, 2), (8, 9, 2), (9, 10, 1)]
    return nn.Sequential(*(nn.Conv2d(i, o, 3, stride, padding=1, bias=False) for i, o, stride in steps))


@pytest.mark.parametrize(("stride", "maps"), [(32, [5, 6, 7, 8, 10]), (16, [5, 6, 7, 8, 10]), (8, [6, 7, 8, 10])])
def test_the_last_layer_of_each_resolution_is_a_map(stride, maps):
    network = LayeredBackbone(layers(), 3, stride)
    assert [info.channels for info in network.feature_info] == maps
    assert network.feature_info[-1].stride == stride
    found = network.forward_features(torch.randn(1, 3, 64, 64))
    assert [tensor.shape[1:] for tensor in found] == [
        (info.channels, 64 // info.stride, 64 // info.stride) for info in network.feature_info
    ]


def test_hidden_layers_come_before_the_classifier():
    network = LayeredBackbone(layers(), 3, 32, nn.Sequential(nn.Linear(10, 6), nn.Hardswish()))
    assert network.classifier.in_features == 6 and network(torch.randn(2, 3, 33, 65)).shape == (2, 3)
    assert network.macs((33, 65)) == count_costs(network, (33, 65)).macs


def test_another_stride_is_refused():
    with pytest.raises(ParameterError, match=r"stride = 64: choose one of 32, 16, 8"):
        LayeredBackbone(layers(), 3, 64)
