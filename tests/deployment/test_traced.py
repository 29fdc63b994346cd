import operator

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from nasgem_core.backbones.published.catalogue import published_names, published_network
from nasgem_core.backbones.published.mobile import SCALABLE
from nasgem_core.deployment.traced import traced_file
from nasgem_core.errors import DataError
from tests.deployment.networks import card, gemnet_spec, loaded


class Everything(nn.Module):
    """Layers, functions, methods, parameters and buffers of its own, a branch and reused values."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(3, 4, (3, 1), stride=2, padding=(1, 0), bias=bias), nn.BatchNorm2d(4, eps=0.1))
            for bias in (False, True)
        )
        self.pool = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        self.scale = nn.Parameter(torch.randn(4, 1, 1))
        self.register_buffer("shift", torch.randn(1))
        self.last = nn.Sequential(nn.Dropout(0.3), nn.Linear(8, 3))

    def forward(self, images):
        first, second = (block(images) for block in self.blocks)
        gate = torch.sigmoid(self.pool(first)) * self.scale
        joined = torch.cat([gate - second, nn.functional.relu6(first) / 2 + self.shift], dim=1)
        halves = joined.chunk(2, dim=1)
        joined = torch.cat((halves[1], halves[0]), 1)
        return self.last(joined.mean(dim=(2, 3)))


def rebuilt(network, folder):
    text = traced_file(network, card(gemnet_spec()))
    save_file(network.state_dict(), folder / "weights.safetensors")
    return text, loaded(text, folder).build()


@pytest.mark.parametrize(
    "build",
    [Everything, lambda: torchvision.models.mobilenet_v2(num_classes=3), torchvision.models.mnasnet1_3],
    ids=["everything", "mobilenet", "mnasnet"],
)
def test_a_file_gives_the_networks_outputs(build, tmp_path):
    network = build().eval()
    text, again = rebuilt(network, tmp_path)
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(again(images), network(images), rtol=0, atol=0)
    assert set(again.state_dict()) == set(network.state_dict())
    assert {name for name, _ in again.named_parameters()} == {name for name, _ in network.named_parameters()}
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("name", [*published_names(), *SCALABLE])
def test_every_published_network_can_be_written(name, tmp_path):
    network = SCALABLE[name](0.3, 3) if name in SCALABLE else published_network(name, num_classes=3)
    network.eval()
    _, again = rebuilt(network, tmp_path)
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(again(images), network(images), rtol=0, atol=0)


def test_lines_read_like_code(tmp_path):
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.ReLU(inplace=True), nn.Flatten())
    text, _ = rebuilt(network, tmp_path)
    assert 'place(self, "0", nn.Conv2d(3, 4, 3, padding=1, bias=False))' in text
    assert 'x1 = layer("0")(images)\n        x1 = layer("1")(x1)\n' in text


class Cutting(nn.Module):
    """Indices of all kinds, and a line that is too long."""

    def forward(self, images):
        parts = images[:, :, 1:, ::2], images[..., 1:, :-1:2], images[0], images[1:,]
        again = [torch.relu(images) for _ in range(30)]
        return torch.cat([part.mean(dim=(-2, -1)).flatten() for part in (*parts, *again)])


def test_indices_and_long_lines_read_like_code(tmp_path):
    images = torch.randn(2, 3, 8, 8)
    text, again = rebuilt(Cutting(), tmp_path)
    torch.testing.assert_close(again(images), Cutting()(images), rtol=0, atol=0)
    assert "images[:, :, 1:, ::2]" in text and "images[..., 1:, :-1:2]" in text and "operator" not in text
    assert ".mean(dim=(-2, -1))" in text and max(map(len, text.splitlines())) <= 120


class Branching(nn.Module):
    def forward(self, images):
        return images if images.sum() > 0 else -images


class Foreign(nn.Module):
    def forward(self, images):
        return operator.xor(images, torchvision.ops.nms)


def test_what_cannot_be_written_is_named():
    with pytest.raises(DataError, match=r"GEMNet-S cannot be written as Python: .*control flow"):
        traced_file(Branching(), card(gemnet_spec()))
    with pytest.raises(DataError, match="layer 0 is a PReLU, which cannot be written as Python"):
        traced_file(nn.Sequential(nn.PReLU()), card(gemnet_spec()))
    reflecting = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect"))
    with pytest.raises(DataError, match="layer 0 is a Conv2d"):
        traced_file(reflecting, card(gemnet_spec()))
