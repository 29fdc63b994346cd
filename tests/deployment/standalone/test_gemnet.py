import torch
from hypothesis import given, settings

from nasgem_core.backbones.gemnet import GEMNet
from nasgem_core.deployment.standalone.gemnet import GEMNetMaps
from nasgem_core.networks.cell_block import graph_of
from tests.cells.graphs import cells
from tests.deployment.networks import LAYOUT


@given(cell=cells())
@settings(max_examples=10)
def test_its_maps_are_those_of_the_gemnet_of_any_cell(cell):
    channels = LAYOUT.skeleton.channels(16.0)
    ours = GEMNet(cell, LAYOUT, channels, 4).eval()
    numbers = {"channels": channels, **LAYOUT.numbers(cell), "feature_stages": LAYOUT.feature_stages}
    maps = GEMNetMaps(*graph_of(cell), **numbers).eval()
    state = {name: tensor for name, tensor in ours.state_dict().items() if "classifier" not in name}
    assert list(maps.state_dict()) == list(state)
    maps.load_state_dict(state)
    images = torch.randn(2, 3, 17, 17, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for found, expected in zip(maps.forward_features(images), ours.forward_features(images), strict=True):
            assert torch.equal(found, expected)
