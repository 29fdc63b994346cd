import numpy as np
import pytest

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import DataError
from nasgem_core.networks.complexity import cell_costs
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.search.latency_model import LatencyModel, fit_latency, nanoseconds

CELLS = CellsConfig(vertices=12, operations=("conv1x1", "dwconv3x3"), edge_probability=(0.1, 0.5))
LAYOUT = NetworkLayout(width=8, stages=(1, 2), stem_stride=1, image_size=16)


def measured(cells, noise=0.0):
    """Return made-up latencies: a constant, a time a vertex by its operation, and one for multiply-adds."""
    macs = cell_costs(cells, LAYOUT, 10).macs
    kinds = [(cells.codes == code).sum(axis=1) for code in (2, 3)]
    time = 0.3 + 0.02 * kinds[0] + 0.05 * kinds[1] + 0.4 * macs / 1e6
    return time * np.exp(noise * np.random.default_rng(0).standard_normal(len(cells)))


def test_latencies_of_other_cells_are_told():
    model = fit_latency(sample_cells(CELLS, 40, 0), measured(sample_cells(CELLS, 40, 0)), LAYOUT)
    others = sample_cells(CELLS, 200, 1)
    np.testing.assert_allclose(model.predict(others) / 1e6, measured(others), rtol=0.02)
    assert model.error.relative < 0.01 and model.error.kendall_tau > 0.97 and model.error.cells == 40


def test_the_error_is_that_of_cells_left_out():
    cells = sample_cells(CELLS, 60, 0)
    model = fit_latency(cells, measured(cells, noise=0.2), LAYOUT)
    assert 0.08 < model.error.relative < 0.25
    shuffled = fit_latency(cells, np.random.default_rng(1).permutation(measured(cells)), LAYOUT)
    assert shuffled.error.kendall_tau < 0.4 and shuffled.error.relative > 3 * model.error.relative / 2


def test_no_part_takes_less_than_nothing():
    cells = sample_cells(CELLS, 30, 0)
    falling = fit_latency(cells, 1 / measured(cells), LAYOUT)
    assert (falling.times >= 0).all() and (falling.predict(cells) > 0).all()


def test_a_model_survives_its_plain_values():
    cells = sample_cells(CELLS, 20, 0)
    model = fit_latency(cells, measured(cells), LAYOUT)
    again = LatencyModel.from_dict(model.to_dict())
    assert np.array_equal(again.predict(cells), model.predict(cells)) and again.error == model.error


def test_batches_may_name_their_operations_otherwise():
    cells = sample_cells(CELLS, 20, 0)
    model = fit_latency(cells, measured(cells), LAYOUT)
    turned = CellBatch.from_cells(list(cells), ("dwconv3x3", "conv1x1"))
    assert np.array_equal(model.predict(turned), model.predict(cells))
    with pytest.raises(DataError, match="operation 'conv3x3' was not measured"):
        model.predict(sample_cells(CellsConfig(4, ("conv3x3",), (0.5, 0.9)), 3, 0))


def test_nanoseconds_are_whole():
    assert nanoseconds(np.array([1.5, 0.0])).tolist() == [1_500_000, 1]


def test_too_few_or_wrong_measurements_are_refused():
    cells = sample_cells(CELLS, 12, 0)
    with pytest.raises(DataError, match="9 cells were measured: at least 10 are needed"):
        fit_latency(cells[:9], np.ones(9), LAYOUT)
    for wrong in (0.0, np.nan, -1.0):
        with pytest.raises(DataError, match="a measured latency is not above 0"):
            fit_latency(cells, np.where(np.arange(12) == 3, wrong, 1.0), LAYOUT)
