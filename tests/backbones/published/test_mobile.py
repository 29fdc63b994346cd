import pytest
import torch
from torch import nn
from torchvision.models import MNASNet, MobileNetV2, efficientnet_b0, mobilenet_v3_large, mobilenet_v3_small

from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.published.mobile import SCALABLE, mnasnet, mobilenet_v2


@pytest.mark.parametrize(
    ("ours", "theirs", "layers"),
    [
        (mobilenet_v2(0.35, 5), MobileNetV2(num_classes=5, width_mult=0.35), "features"),
        (mnasnet(0.5, 5), MNASNet(0.5, num_classes=5), "layers"),
        (SCALABLE["mobilenet_v3_small"](0.5, 5), mobilenet_v3_small(width_mult=0.5, num_classes=5), "features"),
        (SCALABLE["mobilenet_v3_large"](0.75, 5), mobilenet_v3_large(width_mult=0.75, num_classes=5), "features"),
        (SCALABLE["efficientnet_b0"](1.0, 5), efficientnet_b0(num_classes=5, stochastic_depth_prob=0.0), "features"),
    ],
)
def test_logits_are_those_of_torchvision(ours, theirs, layers):
    ours.layers.load_state_dict(getattr(theirs, layers).state_dict())
    *hidden, last = (module for module in theirs.classifier if not isinstance(module, nn.Dropout))
    ours.hidden.load_state_dict(nn.Sequential(*hidden).state_dict())
    ours.classifier.load_state_dict(last.state_dict())
    # While training, normalisation keeps the values of fresh weights from vanishing.
    ours.dropout.p = next(module for module in theirs.classifier if isinstance(module, nn.Dropout)).p = 0.0
    images = torch.randn(8, 3, 64, 64)
    logits = ours.train()(images)
    assert logits.std() > 1e-3
    assert torch.allclose(logits, theirs.train()(images), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "params", "macs"),
    [
        ("mobilenet_v2", 3_504_872, 0.301),
        ("mobilenet_v3_small", 2_542_856, 0.057),
        ("mobilenet_v3_large", 5_483_032, 0.217),
        ("efficientnet_b0", 5_288_548, 0.386),
    ],
)
def test_params_and_multiply_adds_are_those_that_torchvision_documents(name, params, macs):
    costs = count_costs(SCALABLE[name](1.0, 1000), (224, 224))
    assert costs.params == params and round(costs.macs / 1e9, 3) == macs


@pytest.mark.parametrize("build", [*SCALABLE.values(), mnasnet])
def test_multiply_adds_are_known_without_running_the_network(build):
    for stride, size in ((32, (65, 97)), (8, (32, 32))):
        network = build(0.35, 5, stride)
        assert network.macs(size) == count_costs(network, size).macs


@pytest.mark.parametrize("build", SCALABLE.values())
def test_channels_are_rounded_to_the_multiple(build):
    for multiple in (8, 2):
        channels = [info.channels for info in build(0.3, 5, 16, multiple).feature_info[:-1]]
        assert all(value % multiple == 0 for value in channels)
    assert any(value % 8 for value in channels)


@pytest.mark.parametrize("build", [*SCALABLE.values(), mnasnet])
@pytest.mark.parametrize(("stride", "strides"), [(32, [2, 4, 8, 16, 32]), (16, [1, 2, 4, 8, 16]), (8, [1, 2, 4, 8])])
def test_maps_are_as_announced(build, stride, strides):
    network = build(0.35, 5, stride).eval()
    assert [info.stride for info in network.feature_info] == strides
    for size in ((64, 64), (33, 47)):
        maps = network.forward_features(torch.randn(2, 3, *size))
        for tensor, info in zip(maps, network.feature_info, strict=True):
            assert tensor.shape == (2, info.channels, *(-(-side // info.stride) for side in size))


@pytest.mark.parametrize("build", [*SCALABLE.values(), mnasnet])
def test_every_parameter_gets_a_gradient(build):
    torch.manual_seed(0)
    network = build(0.35, 5)
    nn.functional.cross_entropy(network(torch.randn(8, 3, 64, 64)), torch.arange(8) % 5).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all() and parameter.grad.any(), name


@pytest.mark.parametrize("build", [*SCALABLE.values(), mnasnet])
def test_running_statistics_follow_a_short_training(build):
    layers = [layer for layer in build(0.35, 5).modules() if isinstance(layer, nn.BatchNorm2d)]
    assert layers and {layer.momentum for layer in layers} == {0.1}
