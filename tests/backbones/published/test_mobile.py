import pytest
import torch
from torch import nn
from torchvision.models import MNASNet, MobileNetV2

from nasgem_core.backbones.published.mobile import mnasnet, mobilenet_v2


@pytest.mark.parametrize(
    ("ours", "theirs", "layers"),
    [
        (mobilenet_v2(0.35, 5), MobileNetV2(num_classes=5, width_mult=0.35), "features"),
        (mnasnet(0.5, 5), MNASNet(0.5, num_classes=5), "layers"),
    ],
)
def test_logits_are_those_of_torchvision(ours, theirs, layers):
    ours.layers.load_state_dict(getattr(theirs, layers).state_dict())
    ours.classifier.load_state_dict(theirs.classifier[1].state_dict())
    # While training, normalisation keeps the values of fresh weights from vanishing.
    ours.dropout.p = theirs.classifier[0].p = 0.0
    images = torch.randn(8, 3, 64, 64)
    logits = ours.train()(images)
    assert logits.std() > 1e-3
    assert torch.allclose(logits, theirs.train()(images), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("build", [mobilenet_v2, mnasnet])
@pytest.mark.parametrize(("stride", "strides"), [(32, [2, 4, 8, 16, 32]), (16, [1, 2, 4, 8, 16]), (8, [1, 2, 4, 8])])
def test_maps_are_as_announced(build, stride, strides):
    network = build(0.35, 5, stride).eval()
    assert [info.stride for info in network.feature_info] == strides
    for size in ((64, 64), (33, 47)):
        maps = network.forward_features(torch.randn(2, 3, *size))
        for tensor, info in zip(maps, network.feature_info, strict=True):
            assert tensor.shape == (2, info.channels, *(-(-side // info.stride) for side in size))


@pytest.mark.parametrize("build", [mobilenet_v2, mnasnet])
def test_every_parameter_gets_a_gradient(build):
    torch.manual_seed(0)
    network = build(0.35, 5)
    nn.functional.cross_entropy(network(torch.randn(8, 3, 64, 64)), torch.arange(8) % 5).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all() and parameter.grad.any(), name


@pytest.mark.parametrize("build", [mobilenet_v2, mnasnet])
def test_running_statistics_follow_a_short_training(build):
    layers = [layer for layer in build(0.35, 5).modules() if isinstance(layer, nn.BatchNorm2d)]
    assert layers and {layer.momentum for layer in layers} == {0.1}
