import numpy as np
import pandas as pd
import pytest

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.search import CellsConfig, ScoreConfig, SearchConfig
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.networks.complexity import cell_costs
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.search.latency_model import LatencyError
from nasgem_core.search.score import efficiency_score
from tasks.stages.latency_table import write_latency
from tasks.stages.score_cost import error_words, open_cost

LAYOUT = NetworkLayout(width=8, stages=(1, 2), stem_stride=1, image_size=16)
CELLS = CellsConfig(vertices=10, operations=("conv1x1", "dwconv3x3"), edge_probability=(0.1, 0.5))
SAMPLE = sample_distinct_cells(CELLS, 30, 0)


def config(path, objective="latency"):
    return SearchConfig(cells=CELLS, score=ScoreConfig(objective=objective, latency_table=str(path)))


def table(cells=SAMPLE, layout=LAYOUT):
    macs = cell_costs(cells, layout, 10).macs
    found = [
        {"key": cell.canonical_key, "cell": cell.to_json(), "macs": int(cost), "median_ms": 0.5 + int(cost) / 1e5}
        for cell, cost in zip(cells, macs, strict=True)
    ]
    rows = pd.DataFrame([*found, {"key": "", "cell": "", "macs": 10**9, "median_ms": 100.0}])
    return rows.assign(device="a processor", threads=1, batch=1)


def test_multiply_adds_are_charged_without_any_table(tmp_path):
    cost = open_cost(config(tmp_path / "missing", "macs"), LAYOUT, 10)
    assert cost.value is None
    assert cost.sources(SAMPLE) == [""] * len(SAMPLE)
    for costs in (cost.of(SAMPLE), cost.told(SAMPLE)):
        assert np.array_equal(costs, cell_costs(SAMPLE, LAYOUT, 10).macs) and costs.dtype == np.int64


def test_measured_cells_have_their_latency_and_others_what_the_model_tells(tmp_path):
    own = table()
    own.loc[3, "median_ms"] *= 3
    write_latency(tmp_path, own)
    cost = open_cost(config(tmp_path / "latency.parquet"), LAYOUT, 10)
    np.testing.assert_allclose(cost.of(SAMPLE) / 1e6, own["median_ms"][:-1], rtol=1e-6)
    assert cost.told(SAMPLE)[3] < 0.6 * cost.of(SAMPLE)[3]
    others = sample_distinct_cells(CELLS, 60, 7)
    new = [cell for cell in others if cell.canonical_key not in set(own["key"])]
    batch = CellBatch.from_cells(new, CELLS.operations, CELLS.vertices)
    assert np.array_equal(cost.of(batch), cost.told(batch)) and len(batch) > 10
    assert cost.of(batch).dtype == np.int64
    assert cost.sources(batch) == ["model"] * len(batch) and set(cost.sources(SAMPLE)) == {"measurement"}
    # log10 of nanoseconds in millions is log10 of milliseconds.
    np.testing.assert_allclose(efficiency_score(0.7, 2_000_000, 0.1), 0.7 - 0.1 * np.log10(2.0))


def test_a_model_that_is_far_off_comes_with_what_to_do():
    good, bad = (error_words(LatencyError(relative, 0.75, 40)) for relative in (0.2, 0.21))
    assert good.startswith("latency of unmeasured cells: median error 20 %, Kendall's tau 0.75, on 40 measured cells")
    assert good.endswith("left out of the fit in turn")
    assert bad.endswith("; that is much: measure more cells (--sampled), with more --repeats, on an idle machine")


def test_a_table_that_does_not_serve_is_named(tmp_path):
    path = tmp_path / "latency.parquet"
    with pytest.raises(ParameterError, match=r"is no file: measure cells .* `nasgem latency --sampled 40 --output "):
        open_cost(config(path), LAYOUT, 10)
    wide = NetworkLayout(width=16, stages=(1, 2), stem_stride=1, image_size=16)
    write_latency(tmp_path, table(layout=wide))
    with pytest.raises(DataError, match=r"measured with other proxy networks than params\.yaml has now"):
        open_cost(config(path), LAYOUT, 10)
    write_latency(tmp_path, table(SAMPLE[:5]))
    with pytest.raises(DataError, match="5 cells were measured: at least 10 are needed"):
        open_cost(config(path), LAYOUT, 10)
    mixed = table()
    mixed.loc[3, "threads"] = 2
    write_latency(tmp_path, mixed)
    with pytest.raises(DataError, match="rows of 2 different values of threads, which cannot be compared"):
        open_cost(config(path), LAYOUT, 10)
    path.write_bytes(b"no table")
    with pytest.raises(DataError, match=r"is not a nasgem\.latency/1 file"):
        open_cost(config(path), LAYOUT, 10)
