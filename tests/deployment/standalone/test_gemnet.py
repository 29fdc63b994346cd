import torch
from hypothesis import given, settings

from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.deployment.specs import build_network
from nasgem_core.deployment.standalone.gemnet import GEMNet
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
    with torch.no_grad():
        torch.testing.assert_close(alone(images), ours(images))
        maps = alone.forward_stages(images)
        for stage, expected in zip(LAYOUT.feature_stages, ours.forward_features(images), strict=True):
            torch.testing.assert_close(maps[stage], expected)
