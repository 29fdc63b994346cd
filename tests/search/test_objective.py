import numpy as np
import pytest

from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.networks.complexity import cell_costs
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.search.objective import Objective, ProxyNetworks, objective_class, read_objective
from nasgem_core.search.score import efficiency_score

LAYOUT = NetworkLayout(width=8, stages=(1, 2), stem_stride=1, image_size=16)
NETWORKS = ProxyNetworks(LAYOUT, 10)
CELLS = sample_distinct_cells(CellsConfig(vertices=8), 6, 0)


class Vertices(Objective):
    """Charges vertices, in tens."""

    label, unit = "vertices", "tens"

    def costs(self, cells):
        return 10**5 * cells.num_vertices.astype(np.int64)


def test_networks_have_the_costs_of_their_layout():
    found, expected = NETWORKS.complexity(CELLS), cell_costs(CELLS, LAYOUT, 10)
    assert np.array_equal(found.macs, expected.macs) and np.array_equal(found.params, expected.params)


def test_a_new_objective_needs_no_more_than_its_costs():
    own = Vertices.open("vertices", NETWORKS, 0.2)
    assert own.formula == "accuracy - 0.2 log10(vertices in tens)"
    assert (own.cost_column, own.remark(), own.sources(CELLS)) == ("vertices_tens", "", [""] * 6)
    assert list(own.columns(CELLS)) == ["vertices_tens"]
    assert own.columns(CELLS)["vertices_tens"].tolist() == (CELLS.num_vertices / 10).tolist()
    assert np.array_equal(own.predicted_costs(CELLS), own.costs(CELLS))
    accuracy = np.linspace(0.3, 0.8, 6)
    assert np.array_equal(own.score(accuracy, own.costs(CELLS)), efficiency_score(accuracy, own.costs(CELLS), 0.2))
    measured = own.measured(CELLS, accuracy)
    assert np.array_equal(measured.scores, own.score(accuracy, own.costs(CELLS)))
    with pytest.raises(DataError, match="must be a fraction"):
        own.score(np.array([2.0]), np.array([1]))


def test_another_penalty_makes_another_objective_of_the_same_costs():
    macs = objective_class("macs").open("macs", NETWORKS, 0.1)
    other = macs.with_penalty(0.3)
    assert (macs.penalty, other.penalty, type(other)) == (0.1, 0.3, type(macs))
    assert np.array_equal(other.costs(CELLS), macs.costs(CELLS))


@pytest.mark.parametrize("name", ["macs", "params", "memory"])
def test_plain_values_give_it_back(name):
    objective = objective_class(name).open(name, NETWORKS, 0.1)
    again = read_objective(objective.to_dict())
    assert (type(again), again.name, again.networks, again.penalty) == (type(objective), name, NETWORKS, 0.1)


def test_an_unknown_objective_is_refused():
    with pytest.raises(ParameterError, match="unknown objective 'energy': known are latency, macs"):
        objective_class("energy")
