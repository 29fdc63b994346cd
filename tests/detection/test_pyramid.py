import pytest
import torch
from torch import nn
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7

from nasgem_core.detection.pyramid import (
    PyramidBackbone,
    freeze_normalisation,
    remove_unused,
)
from nasgem_core.errors import DataError
from tests.detection.networks import SmallBackbone


def test_maps_have_the_strides_asked_for():
    pyramid = PyramidBackbone(SmallBackbone(), (4, 8, 16, 32), 12, LastLevelMaxPool())
    maps = pyramid(torch.zeros(2, 3, 128, 64))
    assert [tuple(tensor.shape) for tensor in maps.values()] == [
        (2, 12, 128 // stride, 64 // stride) for stride in (4, 8, 16, 32, 64)
    ]
    coarse = PyramidBackbone(SmallBackbone(), (8, 16, 32), 12, LastLevelP6P7(12, 12))(torch.zeros(1, 3, 128, 128))
    assert [tensor.shape[2] for tensor in coarse.values()] == [16, 8, 4, 2, 1]


def test_p6_is_made_of_p5():
    coarser = LastLevelP6P7(12, 12)
    maps = PyramidBackbone(SmallBackbone(), (8, 16, 32), 12, coarser)(torch.rand(1, 3, 128, 128))
    assert torch.equal(maps["p6"], coarser.p6(maps["2"]))


def test_what_no_map_depends_on_goes_and_the_weights_of_a_trained_network_fit():
    trained = SmallBackbone()
    pyramid = PyramidBackbone(SmallBackbone(), (8, 16, 32), 12, LastLevelMaxPool())
    assert {name.split(".")[1] for name, _ in pyramid.named_parameters() if name.startswith("body")} == {"stages"}
    pyramid.load_backbone(trained.state_dict())
    images = torch.rand(1, 3, 64, 64)
    for mine, its in zip(pyramid.body.forward_features(images), trained.forward_features(images), strict=True):
        assert torch.equal(mine, its)


@pytest.mark.parametrize("training", [True, False])
def test_looking_for_what_is_unused_changes_nothing_else(training):
    backbone = SmallBackbone().train(training)
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    remove_unused(backbone)
    assert backbone.training is training and all(module.training is training for module in backbone.modules())
    after = backbone.state_dict()
    assert set(before) - set(after) == {"classifier.weight", "classifier.bias"}
    assert all(torch.equal(value, before[name]) for name, value in after.items())
    assert all(parameter.grad is None for parameter in backbone.parameters())


def test_weights_of_another_network_are_named():
    pyramid = PyramidBackbone(SmallBackbone(8), (8, 16, 32), 12, LastLevelMaxPool())
    with pytest.raises(DataError, match=r"another network: stages.0.0.weight has shape \[16, 3, 3, 3\], and must have"):
        pyramid.load_backbone(SmallBackbone(16).state_dict())
    with pytest.raises(DataError, match=r"stages.0.0.weight is missing"):
        pyramid.load_backbone({})


def test_all_kinds_of_batch_normalisation_are_frozen():
    module = nn.Sequential(nn.BatchNorm2d(2), nn.SyncBatchNorm(2), nn.Conv2d(2, 2, 1)).train()
    freeze_normalisation(module)
    assert [layer.training for layer in module] == [False, False, True]
    assert [next(layer.parameters()).requires_grad for layer in module] == [False, False, True]
