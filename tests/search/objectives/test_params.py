import numpy as np

from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.search.objective import ProxyNetworks
from nasgem_core.search.objectives.params import OBJECTIVE

NETWORKS = ProxyNetworks(NetworkLayout(width=8, stages=(1, 2), stem_stride=1, image_size=16), 10)
CELLS = sample_distinct_cells(CellsConfig(vertices=8), 6, 0)


def test_params_are_charged_in_millions_and_have_a_column_in_every_table():
    objective = OBJECTIVE.open("params", NETWORKS, 0.1)
    assert np.array_equal(objective.costs(CELLS), NETWORKS.complexity(CELLS).params)
    assert objective.costs(CELLS).dtype == np.int64
    assert objective.columns(CELLS) == {} and objective.cost_column is None
    assert objective.formula == "accuracy - 0.1 log10(params in millions)"
