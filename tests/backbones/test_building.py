import pytest
import torch

from nasgem_core.backbones.building import build_gemnet
from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.layout import named_layout
from nasgem_core.backbones.width import fit_to_budget
from nasgem_core.errors import ParameterError
from tests.backbones.cells import INVERTED_RESIDUAL


@pytest.mark.parametrize("macs", ["5M", 5_000_000])
def test_the_network_is_that_of_the_command(macs):
    network = build_gemnet(INVERTED_RESIDUAL, macs, num_classes=7, layout="tiny")
    stack = named_layout("tiny", "mobile")
    spec = fit_to_budget("gemnet", INVERTED_RESIDUAL, stack, num_classes=7, image_size=(64, 64), macs=5_000_000)
    costs = count_costs(network, (64, 64))
    assert costs == count_costs(spec.build(), (64, 64)) and costs.macs == pytest.approx(5e6, rel=0.01)
    assert network.eval()(torch.zeros(2, 3, 64, 64)).shape == (2, 7)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"macs": "a lot"}, "macs = 'a lot': must be a number"), ({"layout": "huge"}, "layout = 'huge': choose one of")],
)
def test_a_wrong_value_is_named(changes, message):
    with pytest.raises(ParameterError, match=message):
        build_gemnet(INVERTED_RESIDUAL, **{"macs": "5M", **changes})
