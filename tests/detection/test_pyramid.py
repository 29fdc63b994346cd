import torch
from torch import nn
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7

from nasgem_core.detection.pyramid import PyramidBackbone, backbone_weights, freeze_normalisation
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


def test_the_classifier_goes_and_the_weights_of_a_trained_network_fit():
    trained = SmallBackbone()
    weights = dict(trained.state_dict())
    pyramid = PyramidBackbone(SmallBackbone(), (8, 16, 32), 12, LastLevelMaxPool())
    assert not any(name.startswith("body.classifier") for name in pyramid.state_dict())
    pyramid.body.load_state_dict(backbone_weights(weights), strict=True)
    images = torch.rand(1, 3, 64, 64)
    for mine, its in zip(pyramid.body.forward_features(images), trained.forward_features(images), strict=True):
        assert torch.equal(mine, its)


def test_all_kinds_of_batch_normalisation_are_frozen():
    module = nn.Sequential(nn.BatchNorm2d(2), nn.SyncBatchNorm(2), nn.Conv2d(2, 2, 1)).train()
    freeze_normalisation(module)
    assert [layer.training for layer in module] == [False, False, True]
    assert [next(layer.parameters()).requires_grad for layer in module] == [False, False, True]
