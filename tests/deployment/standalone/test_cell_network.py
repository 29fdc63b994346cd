import torch
from hypothesis import given, settings

from nasgem_core.deployment.proxy_spec import ProxySpec
from nasgem_core.networks.cell_network import CellNetwork
from nasgem_core.networks.layout import NetworkLayout
from tests.cells.graphs import cells

LAYOUT = NetworkLayout(width=3, stages=(1, 2), stem_stride=2, image_size=9)


@given(cell=cells())
@settings(max_examples=20)
def test_it_is_the_network_of_any_cell(cell):
    ours = CellNetwork(cell, LAYOUT, 4).eval()
    alone = ProxySpec(cell, LAYOUT, 4).build().eval()
    assert list(alone.state_dict()) == list(ours.state_dict())
    alone.load_state_dict(ours.state_dict())
    images = torch.randn(2, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(alone(images), ours.forward_modules(images))
