from functools import cache

import pytest
import torch
from torch import nn

from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.published.catalogue import published_names, published_network, reported_network
from nasgem_core.backbones.published.reported import REPORTED, TOLERANCE
from nasgem_core.backbones.shapes import shapes_only
from nasgem_core.errors import ParameterError

EXPLAINED = {"darts", "p_darts", "pc_darts", "pc_darts_imagenet", "snas", "bayesnas", "naonet"}
"""Where params or multiply-adds differ by more; the note says why."""


@cache
def costs_at_imagenet_size(name):
    with shapes_only():
        network = published_network(name, 1000)
    return count_costs(network, (224, 224))


def differ(measured, *given):
    return any(abs(measured / (figure * 1e6) - 1) > TOLERANCE for figure in given if figure is not None)


def test_every_row_can_be_built_or_says_why_not():
    assert [row.name for row in REPORTED if not row.missing] == list(published_names())
    assert {row.name for row in REPORTED if row.missing} == {"milenas", "nge", "gates"}


@pytest.mark.parametrize("name", published_names())
def test_costs_are_those_of_paper_and_publication_or_explained(name):
    row, costs = reported_network(name), costs_at_imagenet_size(name)
    off = differ(costs.params, row.params, row.own_params) or differ(costs.macs, row.macs, row.own_macs)
    assert off == (name in EXPLAINED) == bool(row.note)
    if name != "bayesnas":
        assert not differ(costs.params, row.own_params or row.params)


@pytest.mark.parametrize("name", ["p_darts", "pc_darts", "pc_darts_imagenet"])
def test_elementwise_operations_explain_the_published_count(name):
    costs = costs_at_imagenet_size(name)
    row = reported_network(name)
    assert costs.macs + costs.elementwise == pytest.approx(1e6 * (row.own_macs or row.macs), rel=0.001)


@pytest.mark.parametrize("name", published_names())
def test_a_small_image_runs(name):
    network = published_network(name, 7).eval()
    images = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        maps, logits = network.forward_features(images), network(images)
    assert logits.shape == (1, 7) and logits.isfinite().all()
    assert [info.stride for info in network.feature_info] == [2, 4, 8, 16, 32]
    for tensor, info in zip(maps, network.feature_info, strict=True):
        assert tensor.shape == (1, info.channels, 32 // info.stride, 32 // info.stride)


@pytest.mark.slow
@pytest.mark.parametrize("name", published_names())
def test_every_parameter_gets_a_gradient(name):
    torch.manual_seed(0)
    network = published_network(name, 4, stride=16)
    nn.functional.cross_entropy(network(torch.randn(4, 3, 64, 64)), torch.arange(4)).backward()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all() and parameter.grad.any(), parameter_name


def test_a_name_gives_the_same_network_again():
    for name in ("randwire_ws", "naonet"):
        with shapes_only():
            first, second = published_network(name, 3), published_network(name, 3)
        shapes = [{key: value.shape for key, value in network.state_dict().items()} for network in (first, second)]
        assert shapes[0] == shapes[1]


def test_wrong_requests_are_refused():
    with pytest.raises(ParameterError, match=r"'resnet': it is unknown; choose one of mobilenet_v2_1_4, mnasnet_1_3"):
        published_network("resnet", 10)
    with pytest.raises(ParameterError, match=r"'gates': no public source gives its cells; choose one of"):
        published_network("gates", 10)
    with pytest.raises(ParameterError, match=r"num_classes = 0: must be at least 1"):
        published_network("darts", 0)
    with pytest.raises(ParameterError, match=r"stride = 3: choose one of 32, 16, 8"):
        published_network("darts", 10, stride=3)
    with pytest.raises(ParameterError, match=r"'resnet' is unknown: choose one of .*gates"):
        reported_network("resnet")
