"""Costs and layers of our own operations by hand; what holds for every operation is in `test_everywhere.py`."""

import numpy as np
import pytest
import torch
from torch import nn

from nasgem_core.operations.registry import OPERATIONS


def costs(name, c_in, c_out):
    operation = OPERATIONS.get(name)
    return operation.macs_per_pixel(c_in, c_out), operation.params(c_in, c_out)


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("conv1x1", 128),
        ("conv3x3", 1152),
        ("dwconv3x3", 9 * 8 + 128),
        ("dwconv5x5", 25 * 8 + 128),
        ("maxpool3x3", 128),
        ("skip", 128),
    ],
)
def test_costs_by_hand(name, weights):
    # 8 channels in, 16 out; two more numbers per channel: scale and offset of the batch normalisation.
    assert costs(name, 8, 16) == (weights, weights + 32)


@pytest.mark.parametrize("name", ["maxpool3x3", "skip"])
def test_what_keeps_its_channels_has_no_weights(name):
    assert costs(name, 8, 8) == (0, 16)
    assert not list(OPERATIONS.get(name).layer(8, 8).parameters())


@pytest.mark.parametrize("size", [3, 5])
def test_a_depthwise_then_a_pointwise_convolution(size):
    layer = OPERATIONS.get(f"dwconv{size}x{size}").layer(2, 3)
    assert list(layer.state_dict()) == ["depthwise.weight", "pointwise.weight"]
    x = torch.randn(1, 2, 5, 5)
    each = [
        nn.functional.conv2d(x[:, c : c + 1], layer.depthwise.weight[c : c + 1], padding=size // 2)[:, 0]
        for c in range(2)
    ]
    expected = torch.einsum("oi,bihw->bohw", layer.pointwise.weight[:, :, 0, 0], torch.stack(each, 1))
    torch.testing.assert_close(layer(x), expected)


def test_pooling_takes_the_largest_of_the_neighbours():
    images = torch.randn(1, 2, 5, 5)
    padded = nn.functional.pad(images, (1, 1, 1, 1), value=-np.inf)
    expected = torch.stack([padded[:, :, i : i + 5, j : j + 5] for i in range(3) for j in range(3)]).amax(dim=0)
    assert torch.equal(OPERATIONS.get("maxpool3x3").layer(2, 2)(images), expected)
    wider = OPERATIONS.get("maxpool3x3").layer(2, 3)
    torch.testing.assert_close(wider(images), nn.functional.conv2d(expected, wider.pointwise.weight))


def test_skip_hands_on_what_it_reads():
    images = torch.randn(1, 2, 5, 5)
    assert torch.equal(OPERATIONS.get("skip").layer(2, 2)(images), images)
    wider = OPERATIONS.get("skip").layer(2, 3)
    torch.testing.assert_close(wider(images), nn.functional.conv2d(images, wider.weight))
