import torch
from hypothesis import given, settings

from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.deployment.specs import build_network
from nasgem_core.deployment.standalone.gemnet import GEMNet, GEMNetMaps
from tests.cells.graphs import cells
from tests.deployment.networks import LAYOUT


@given(cell=cells())
@settings(max_examples=10)
def test_it_is_the_gemnet_of_any_cell(cell):
    spec = GEMNetSpec("g", 4, (17, 17), cell, LAYOUT, 16.0)
    ours, graph = build_network(spec), cell.to_dict()
    numbers = LAYOUT.repeats, LAYOUT.reduces, LAYOUT.stem_stride, LAYOUT.head_channels, 4
    alone = GEMNet(graph["operations"], graph["edges"], spec.channels, *numbers).eval()
    assert list(alone.state_dict()) == list(ours.state_dict())
    alone.load_state_dict(ours.state_dict())
    images = torch.randn(2, 3, 17, 17, generator=torch.Generator().manual_seed(0))
    maps = GEMNetMaps(graph["operations"], graph["edges"], spec.channels, *numbers[:-1], LAYOUT.feature_stages).eval()
    maps.load_state_dict({name: tensor for name, tensor in alone.state_dict().items() if "classifier" not in name})
    with torch.no_grad():
        torch.testing.assert_close(alone(images), ours(images))
        for found, expected in zip(maps.forward_features(images), ours.forward_features(images), strict=True):
            torch.testing.assert_close(found, expected)
