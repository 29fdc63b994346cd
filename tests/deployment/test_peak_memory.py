import pytest
import torch
from torch import nn

from nasgem_core.deployment.peak_memory import peak_memory

MAP = 2 * 16 * 16 * 4
"""Bytes a channel of a feature map of two images of 16 x 16 pixels."""


def convolution(c_in, c_out):
    return nn.Conv2d(c_in, c_out, 1, bias=False)


def weights(network):
    return sum(4 * parameter.numel() for parameter in network.parameters())


class Kept(nn.Module):
    """Two maps that live until both are there and are then concatenated."""

    def __init__(self):
        super().__init__()
        self.first, self.second = convolution(3, 8), convolution(3, 16)

    def forward(self, images):
        return torch.cat([self.first(images), self.second(images)], dim=1)


def peak(network):
    with torch.inference_mode():
        return peak_memory(network.eval(), torch.zeros(2, 3, 16, 16))


def test_a_chain_needs_two_maps_at_once():
    network = nn.Sequential(convolution(3, 8), convolution(8, 32), convolution(32, 4))
    assert peak(network) == weights(network) + MAP * (3 + 8 + 32)


def test_what_is_kept_for_a_concatenation_counts():
    network = Kept()
    assert peak(network) == weights(network) + MAP * (3 + 8 + 16 + 24)


def test_maps_computed_in_place_and_views_count_once():
    network = nn.Sequential(convolution(3, 8), nn.ReLU(inplace=True), nn.Flatten())
    assert peak(network) == weights(network) + MAP * (3 + 8)


def test_buffers_count():
    network = nn.BatchNorm2d(3)
    assert peak(network) == 4 * 3 * 4 + 8 + MAP * (3 + 3)


def test_gradients_keep_maps_alive():
    network = nn.Sequential(convolution(3, 8), nn.Sigmoid(), convolution(8, 8), nn.Sigmoid())
    with torch.no_grad():
        without = peak_memory(network, torch.zeros(2, 3, 16, 16))
    assert peak_memory(network, torch.zeros(2, 3, 16, 16)) > without


@pytest.mark.gpu
def test_on_cuda_the_maps_are_a_lower_bound():
    network = Kept().eval().cuda()
    with torch.inference_mode():
        network(torch.zeros(2, 3, 16, 16, device="cuda"))
        measured = peak_memory(network, torch.zeros(2, 3, 16, 16, device="cuda"))
    assert measured >= weights(network) + MAP * (3 + 8 + 16 + 24)
