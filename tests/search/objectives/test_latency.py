import numpy as np
import pytest

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import DataError
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.search.latency_model import LatencyError
from nasgem_core.search.objective import MeasuredLatency, ProxyNetworks, read_objective
from nasgem_core.search.objectives.latency import OBJECTIVE, error_words
from nasgem_core.search.score import efficiency_score

SPACE = CellsConfig(vertices=10, edge_probability=(0.1, 0.5))
NETWORKS = ProxyNetworks(NetworkLayout(width=8, stages=(1, 2), stem_stride=1, image_size=16), 10)
CELLS = sample_distinct_cells(SPACE, 30, 0)
MS = 0.5 + NETWORKS.complexity(CELLS).macs / 1e5


def opened():
    return OBJECTIVE.open("latency", NETWORKS, 0.1, MeasuredLatency(CELLS, MS))


def test_measured_cells_have_their_latency_and_others_the_model_s():
    objective = opened()
    np.testing.assert_allclose(objective.costs(CELLS) / 1e6, MS, rtol=1e-6)
    others = sample_distinct_cells(SPACE, 60, 7)
    new = CellBatch.from_cells(
        [cell for cell in others if cell.canonical_key not in set(CELLS.keys)], SPACE.operations, SPACE.vertices
    )
    assert len(new) > 10 and np.array_equal(objective.costs(new), objective.predicted_costs(new))
    assert objective.costs(new).dtype == objective.costs(CELLS).dtype == np.int64
    assert objective.sources(new) == ["model"] * len(new) and set(objective.sources(CELLS)) == {"measurement"}
    # log10 of nanoseconds in millions is log10 of milliseconds.
    assert objective.formula == "accuracy - 0.1 log10(latency in ms)"
    np.testing.assert_allclose(efficiency_score(0.7, 2_000_000, 0.1), 0.7 - 0.1 * np.log10(2.0))


def test_tables_get_milliseconds_and_where_they_come_from():
    columns = opened().columns(CELLS[:3])
    assert list(columns) == ["latency_ms", "latency_from"]
    np.testing.assert_allclose(columns["latency_ms"], MS[:3], rtol=1e-6)
    assert columns["latency_from"].tolist() == ["measurement"] * 3


def test_plain_values_give_it_back():
    objective = opened()
    again = read_objective(objective.to_dict())
    assert np.array_equal(again.costs(CELLS), objective.costs(CELLS))
    assert np.array_equal(again.predicted_costs(CELLS), objective.predicted_costs(CELLS))
    assert again.remark() == objective.remark() and again.sources(CELLS) == objective.sources(CELLS)


def test_a_model_that_is_far_off_comes_with_what_to_do():
    good, bad = (error_words(LatencyError(relative, 0.75, 40)) for relative in (0.2, 0.21))
    assert good.startswith("latency of unmeasured cells: median error 20 %, Kendall's tau 0.75, on 40 measured cells")
    assert good.endswith("left out of the fit in turn")
    assert bad.endswith("; that is much: measure more cells (--sampled), with more --repeats, on an idle machine")


def test_too_few_measured_cells_are_refused():
    with pytest.raises(DataError, match="5 cells were measured: at least 10 are needed"):
        OBJECTIVE.open("latency", NETWORKS, 0.1, MeasuredLatency(CELLS[:5], MS[:5]))
