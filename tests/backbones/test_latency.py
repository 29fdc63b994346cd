"""What of a GEMNet takes time in its fast form, by formula."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nasgem_core.backbones.channels import Budget, fit_channels, smallest_cost
from nasgem_core.backbones.costs import gemnet_costs
from nasgem_core.backbones.frame import Frame
from nasgem_core.backbones.gemnet import GEMNet
from nasgem_core.backbones.latency import GemnetLatency, latency_features
from nasgem_core.backbones.layout import named_layout
from nasgem_core.cells.known_blocks import BLOCKS, MOBILENET_V2_6
from nasgem_core.deployment.fast_form import fast_form
from nasgem_core.errors import ParameterError
from tests.backbones.cells import sampled_cells

NAMES = ("conv1x1", "dwconv3x3")
FRAME = Frame(named_layout("tiny", "mobile"), 10, (64, 64))
BLOCK_CELLS = [BLOCKS.get(name).cell for name in BLOCKS.names()]
CELLS = [*sampled_cells(100), *(cell for cell in BLOCK_CELLS if set(cell.operations[1:]) <= set(NAMES))]
MODEL = GemnetLatency(NAMES, (5e4, 2e4, 1e3, 8e4, 3e4, 9e4, 5e4, 1e4, 1e5))
LATENCY = Budget(0, "latency", MODEL)


@given(st.sampled_from(CELLS), st.lists(st.integers(1, 40), min_size=6, max_size=6))
def test_multiply_adds_are_those_of_the_network(cell, multiples):
    channels = [4 * value for value in multiples]
    features = latency_features(cell, FRAME, channels, NAMES)
    macs = gemnet_costs(cell, FRAME.layout, channels, 10, (64, 64)).macs
    assert (features[1] + features[4] + features[-2]) * 1e6 == pytest.approx(float(macs))


def test_vertices_alike_are_one_layer_as_in_the_fast_form():
    channels = (16, 8, 16, 24, 48, 96)
    features = latency_features(MOBILENET_V2_6.cell, FRAME, channels, NAMES)
    network = fast_form(GEMNet(MOBILENET_V2_6.cell, FRAME.layout, channels, 10))
    layers = [module for module in network.modules() if isinstance(module, torch.nn.Conv2d)]
    blocks = sum(FRAME.layout.skeleton.repeats)
    assert (features[0], features[3]) == (blocks, blocks), "six convolutions of the input are one"
    assert len(layers) == 2 + 3 * blocks, "stem, head, and of each block a wide, a depthwise and a pointwise one"


@given(st.sampled_from(CELLS), st.floats(1.2, 20.0))
def test_a_wider_network_is_never_faster_and_a_budget_is_met(cell, factor):
    narrow = np.array([8, 4, 8, 16, 32, 64])
    times = LATENCY.costs(cell, FRAME, np.stack([narrow, 2 * narrow, 3 * narrow]).T)
    assert times.shape == (3,) and (np.diff(times) > 0).all()
    budget = Budget(round(factor * smallest_cost(cell, FRAME, LATENCY)), "latency", MODEL)
    try:
        _, found = fit_channels(cell, FRAME, budget)
    except ParameterError as error:
        assert str(error).startswith("latency = ") and " ms" in str(error)
        return
    assert MODEL.predict(cell, FRAME, found) == pytest.approx(budget.amount, rel=0.01)


def test_budgets_of_time_have_words():
    budget = Budget(2_000_000, "latency", MODEL)
    assert (budget.words, budget.text(625_000)) == ("2 ms latency", "0.625 ms")
    with pytest.raises(ParameterError, match=r"latency = 0\.001 ms cannot be met: .* have at least .* ms; choose"):
        fit_channels(MOBILENET_V2_6.cell, FRAME, Budget(1000, "latency", MODEL))
