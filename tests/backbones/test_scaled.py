import numpy as np
import pytest
import torch

from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.layout import TINY
from nasgem_core.backbones.scaled import mobilenet_to_budget, shared_budget
from nasgem_core.backbones.spec import MobileNetSpec, NetworkSpec
from nasgem_core.backbones.width import fit_to_budget
from nasgem_core.cells.cell import Cell
from nasgem_core.errors import DataError, ParameterError


def test_the_published_width_is_found_from_its_costs():
    spec = mobilenet_to_budget(1000, (224, 224), 300_774_272)
    assert spec.width == 1.0 and spec.stride == 32


@pytest.mark.parametrize(("size", "macs", "last"), [(64, 31_300_000, 4), (32, 31_300_000, 4)])
def test_small_images_keep_a_map_of_four_pixels(size, macs, last):
    spec = mobilenet_to_budget(20, (size, size), macs)
    network = spec.build().eval()
    assert abs(count_costs(network, (size, size)).macs - macs) <= 0.01 * macs
    with torch.no_grad():
        assert network.forward_features(torch.zeros(1, 3, size, size))[-1].shape[-1] == last
        assert network(torch.zeros(1, 3, size, size)).shape == (1, 20)


def test_a_budget_between_two_sizes_is_refused_with_both():
    with pytest.raises(ParameterError, match=r"macs = 22M cannot be met .* have 18\.97M and 25\.74M; choose"):
        mobilenet_to_budget(20, (64, 64), 22_000_000)


def test_a_cell_without_small_networks_shares_the_next_larger_size_with_mobilenet():
    wide = np.zeros((9, 9), np.int64)
    wide[0, 1:] = 1  # eight leaves of at least eight channels
    cell = Cell(wide, ("input", *["dwconv3x3"] * 8))
    with pytest.raises(ParameterError, match="cannot be met"):
        fit_to_budget("gemnet", cell, TINY, num_classes=20, image_size=(64, 64), macs=18_970_000)
    macs = shared_budget(cell, TINY, num_classes=20, image_size=(64, 64), macs=18_970_000)
    specs = (
        fit_to_budget("gemnet", cell, TINY, num_classes=20, image_size=(64, 64), macs=macs),
        mobilenet_to_budget(20, (64, 64), macs),
    )
    for spec in specs:
        assert abs(count_costs(spec.build(), (64, 64)).macs - macs) <= 0.01 * macs
    assert shared_budget(cell, TINY, 20, (64, 64), macs) == macs > 18_970_000
    with pytest.raises(ParameterError, match=r"macs = 900G: there is no budget of this size or above"):
        shared_budget(cell, TINY, 20, (64, 64), 900 * 10**9)


def test_the_specification_comes_back_and_builds_the_same():
    spec = MobileNetSpec("mobilenet_v2", 7, (64, 64), 0.35, 16)
    assert NetworkSpec.from_json(spec.to_json()) == spec
    assert spec.with_classes(9).build().classifier.out_features == 9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": "wide"}, "width = 'wide': must be of type float"),
        ({"stride": 1.5}, "stride = 1.5: must be of type int"),
        ({"width": -1}, "width = -1"),
    ],
)
def test_a_damaged_specification_is_named(change, message):
    document = MobileNetSpec("mobilenet_v2", 7, (64, 64), 0.35, 16).to_dict() | change
    with pytest.raises(DataError, match=message):
        NetworkSpec.from_dict(document)
