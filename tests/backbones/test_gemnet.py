from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from torch.nn import functional

from nasgem_core.backbones import gemnet
from nasgem_core.backbones.backbone import FeatureInfo
from nasgem_core.backbones.gemnet import GEMNet
from nasgem_core.backbones.layout import CIFAR, IMAGENET, LAYOUTS, TINY
from nasgem_core.deployment.peak_memory import peak_memory
from nasgem_core.errors import ParameterError
from tests.backbones.cells import SMALL, random_cell, sampled_cells, skeletons
from tests.cells.graphs import cells

CHANNELS = (16, 8, 24)


def reference_logits(cell, layout, state, x):
    """GEMNet in training, written from the method as a function of its weights."""

    def triplet(x, name, linear, **convolution):
        if f"{name}.layer.weight" in state:
            weight = state[f"{name}.layer.weight"]
            x = functional.conv2d(x, weight, **({"padding": weight.shape[-1] // 2} | convolution))
        else:
            x = functional.conv2d(x, state[f"{name}.layer.depthwise.weight"], padding=1, groups=x.shape[1])
            x = functional.conv2d(x, state[f"{name}.layer.pointwise.weight"])
        x = functional.batch_norm(x, None, None, state[f"{name}.norm.weight"], state[f"{name}.norm.bias"], True)
        return x if linear else x.clamp(min=0)

    leaves = [v for v in range(cell.num_vertices) if not cell.adjacency[v].any()]
    x = triplet(x, "stem", False, stride=layout.stem_stride)
    for stage, repeats in enumerate(layout.skeleton.repeats):
        for repeat in range(repeats):
            halve = layout.reduces[stage] and repeat == 0
            tensors = [functional.max_pool2d(x, 2, 2) if halve else x]
            for v in range(1, cell.num_vertices):
                inputs = torch.cat([tensors[u] for u in range(v) if cell.adjacency[u, v]], dim=1)
                tensors.append(triplet(inputs, f"stages.{stage}.{repeat}.vertices.{v - 1}", v in leaves))
            outputs = torch.cat([tensors[v] for v in leaves], dim=1)
            x = (outputs + x if repeat else outputs).clamp(min=0)
    x = triplet(x, "head", False).mean((2, 3))
    return functional.linear(x, state["classifier.weight"], state["classifier.bias"])


@pytest.mark.parametrize("seed", range(4))
def test_logits_and_gradients_equal_the_reference(seed):
    cell = random_cell(seed)
    torch.manual_seed(seed)
    network = GEMNet(cell, SMALL, CHANNELS, 5).double()
    images = torch.randn(3, 3, 18, 21, dtype=torch.float64)
    state = dict(network.named_parameters())
    logits, expected = network(images), reference_logits(cell, SMALL, state, images)
    torch.testing.assert_close(logits, expected)
    slope = torch.randn_like(logits)
    for ours, theirs in zip(
        torch.autograd.grad(logits, list(state.values()), slope),
        torch.autograd.grad(expected, list(state.values()), slope),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_every_parameter_gets_a_gradient(seed):
    network = GEMNet(sampled_cells(3)[seed], TINY, (8,) * 6, 4)
    network(torch.randn(4, 3, 64, 64)).square().sum().backward()
    assert not [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]


@given(cell=cells(), skeleton=skeletons())
@settings(max_examples=25)
def test_every_parameter_of_any_block_gets_a_gradient(cell, skeleton):
    torch.manual_seed(0)
    network = GEMNet(cell, replace(SMALL, skeleton=skeleton), CHANNELS, 4)
    network(torch.randn(6, 3, 17, 20)).square().sum().backward()
    assert not [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=lambda layout: layout.name)
def test_feature_list_is_what_the_features_are(layout):
    cell = random_cell(3)
    network = GEMNet(cell, layout, (8, 8, 8, 16, 16, 24), 4).eval()
    with torch.no_grad():
        features = network.forward_features(torch.randn(1, 3, 64, 96))
        assert network(torch.randn(2, 3, 64, 96)).shape == (2, 4)
    assert network.feature_info == tuple(
        FeatureInfo(features[i].shape[1], 64 // features[i].shape[2]) for i in range(len(features))
    )
    assert [96 // feature.shape[3] for feature in features] == [info.stride for info in network.feature_info]
    assert len({info.stride for info in network.feature_info}) == len(network.feature_info)


def test_weights_of_small_images_go_on_with_large_ones():
    cell, channels = random_cell(1), (8, 8, 8, 16, 16, 24)
    state = GEMNet(cell, TINY, channels, 4).state_dict()
    for layout in (IMAGENET, CIFAR):
        GEMNet(cell, layout, channels, 4).load_state_dict(state)


def test_classifier_can_be_exchanged():
    network = GEMNet(random_cell(0), SMALL, CHANNELS, 5)
    network.classifier = torch.nn.Linear(network.classifier.in_features, 7)
    assert network(torch.randn(2, 3, 16, 16)).shape == (2, 7)


def test_channels_last_and_autocast_stay_what_they_are():
    network = GEMNet(random_cell(2), SMALL, CHANNELS, 5).to(memory_format=torch.channels_last)
    images = torch.randn(2, 3, 16, 16).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        features = network.forward_features(images)
        loss = network(images).float().square().sum()
    assert {feature.dtype for feature in features} == {torch.bfloat16}
    assert all(feature.is_contiguous(memory_format=torch.channels_last) for feature in features)
    loss.backward()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())


def test_gradients_are_bitwise_those_of_the_plain_version(monkeypatch):
    network, images = GEMNet(sampled_cells(1)[0], TINY, (8,) * 6, 4), torch.randn(2, 3, 64, 64)

    def gradients():
        return torch.autograd.grad(network(images).square().sum(), list(network.parameters()))

    ours = gradients()
    monkeypatch.setattr(gemnet, "apply_to_concatenation", lambda layer, parts: layer(torch.cat(parts, dim=1)))
    assert all(torch.equal(mine, plain) for mine, plain in zip(ours, gradients(), strict=True))


@pytest.mark.slow
def test_training_needs_less_than_half_the_memory_of_the_plain_version(monkeypatch):
    class Step(torch.nn.Module):
        """A forward and a backward pass, as the counter of memory wants it."""

        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, images):
            self.network(images).square().sum().backward()

    cell = next(cell for cell in sampled_cells(200) if cell.num_vertices == 30)
    network, images = GEMNet(cell, SMALL, (16, 8, 8), 4), torch.randn(8, 3, 64, 64)
    ours = peak_memory(Step(network), images)
    network.zero_grad(set_to_none=True)
    monkeypatch.setattr(gemnet, "apply_to_concatenation", lambda layer, parts: layer(torch.cat(parts, dim=1)))
    assert 2 * ours < peak_memory(Step(network), images)


def test_export_sees_plain_operations():
    network = GEMNet(random_cell(1), SMALL, CHANNELS, 5).eval()
    images = torch.randn(2, 3, 16, 16)
    program = torch.export.export(network, (images,))
    torch.testing.assert_close(program.module()(images), network(images))


def test_channels_must_go_with_the_layout():
    with pytest.raises(ParameterError, match="skeleton 'small' takes 3 multiples of 8"):
        GEMNet(random_cell(0), SMALL, (8, 8), 5)
