import torch
from hypothesis import given, settings

from nasgem_core.networks.cell_block import graph_of
from nasgem_core.networks.cell_network import CellNetwork
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.networks.proxy_network import ProxyNetwork
from tests.cells.graphs import cells

LAYOUT = NetworkLayout(width=3, stages=(1, 2), stem_stride=2, image_size=9)


@given(cell=cells())
@settings(max_examples=20)
def test_it_is_the_trained_network_of_any_cell(cell):
    ours = CellNetwork(cell, LAYOUT, 4).eval()
    plain = ProxyNetwork(*graph_of(cell), **LAYOUT.numbers(), num_classes=4).eval()
    assert list(plain.state_dict()) == list(ours.state_dict())
    plain.load_state_dict(ours.state_dict())
    images = torch.randn(2, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(plain(images), ours.forward_modules(images))
        torch.testing.assert_close(plain(images), ours(images), rtol=1e-3, atol=1e-4)
