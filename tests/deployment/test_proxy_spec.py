import pytest
import torch

from nasgem_core.deployment.proxy_spec import ProxySpec
from nasgem_core.errors import DataError
from nasgem_core.networks.cell_network import CellNetwork
from tests.deployment.networks import images, proxy_spec


def test_the_network_is_the_one_that_is_trained():
    spec = proxy_spec()
    trained = CellNetwork(spec.cell, spec.layout, spec.num_classes).eval()
    plain = spec.build().eval()
    plain.load_state_dict(trained.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(plain(images(spec)), trained.forward_modules(images(spec)), rtol=0, atol=0)
    assert list(plain.state_dict()) == list(trained.state_dict())


def test_a_specification_survives_json():
    spec = proxy_spec()
    assert ProxySpec.from_dict(spec.to_dict()) == spec
    assert spec.name == f"cell {spec.cell.canonical_key[:8]}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "x"}, "field 'schema' must be 'nasgem.proxy_network/1', found 'x'"),
        ({"num_classes": 0}, "num_classes = 0: must be at least 1"),
        ({"num_classes": "3"}, "num_classes = '3': must be of type int"),
        ({"layout": {}}, r"layout\.width is missing"),
        ({"layout": {"width": 0, "stages": [1], "stem_stride": 1, "image_size": 8}}, "width = 0: must be at least 1"),
        ({"cell": {}}, "not a cell: field 'schema'"),
        ({"more": 1}, "more is unknown"),
    ],
)
def test_a_damaged_document_is_refused(change, message):
    with pytest.raises(DataError, match=f"^not a proxy network: {message}.*; export it again$"):
        ProxySpec.from_dict(proxy_spec().to_dict() | change)
    with pytest.raises(DataError, match=r"not a proxy network: .* found 'NoneType'"):
        ProxySpec.from_dict(None)
