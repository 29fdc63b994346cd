import numpy as np
import pytest

from nasgem_core.backbones.frame import Frame
from nasgem_core.backbones.latency import GemnetLatency
from nasgem_core.backbones.layout import named_layout
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.errors import DataError
from nasgem_core.search.gemnet_latency import fit_gemnet_latency
from tests.backbones.cells import sampled_cells

NAMES = ("conv1x1", "dwconv3x3")
LAYOUT = named_layout("tiny", "mobile")
FRAME = Frame(LAYOUT, 10, (64, 64))
TRUE = GemnetLatency(NAMES, (5e4, 2e4, 1e3, 8e4, 3e4, 9e4, 5e4, 1e4, 1e5))


def networks(count, seed):
    rng = np.random.default_rng(seed)
    cells = sampled_cells(400)[100 * seed :][:count]
    return [GEMNetSpec("x", 10, (64, 64), cell, LAYOUT, float(rng.uniform(8, 60))) for cell in cells]


def latencies(specs):
    return np.array([TRUE.predict(spec.cell, FRAME, spec.channels) for spec in specs]) / 1e6


def test_latencies_of_other_cells_and_widths_are_predicted():
    fitted, others = networks(40, 0), networks(60, 1)
    model, error = fit_gemnet_latency(fitted, latencies(fitted), NAMES)
    predicted = [model.predict(spec.cell, FRAME, spec.channels) for spec in others]
    np.testing.assert_allclose(np.array(predicted) / 1e6, latencies(others), rtol=0.02)
    assert error.relative < 0.01 and error.kendall_tau > 0.97 and error.cells == 40
    assert all(type(time) is float and time >= 0 for time in model.times) and hash(model)


def test_too_few_networks_are_refused():
    specs = networks(9, 0)
    with pytest.raises(DataError, match="9 cells were measured: at least 10 are needed"):
        fit_gemnet_latency(specs, latencies(specs), NAMES)
    with pytest.raises(DataError, match="0 cells were measured"):
        fit_gemnet_latency([], np.empty(0), NAMES)
