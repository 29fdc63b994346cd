import numpy as np
import pandas as pd
import pytest

from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.search import CellsConfig, ScoreConfig, SearchConfig
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.networks.complexity import cell_costs
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.search.objective import ProxyNetworks
from tasks.stages.latency_table import write_latency
from tasks.stages.objective import objective_of, objective_value, open_objective
from tasks.store.fingerprint import fingerprint, source_fingerprint
from tasks.store.serialization import decode, encode

LAYOUT = NetworkLayout(width=8, stages=(1, 2), stem_stride=1, image_size=16)
NETWORKS = ProxyNetworks(LAYOUT, 10)
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


def opened(path, objective="latency"):
    return open_objective(config(path, objective), NETWORKS)


def test_multiply_adds_are_charged_without_any_table(tmp_path):
    objective = opened(tmp_path / "missing", "macs")
    assert np.array_equal(objective.costs(SAMPLE), NETWORKS.complexity(SAMPLE).macs)
    assert (objective.name, objective.penalty, objective.remark()) == ("macs", 0.1, "")


def test_measured_cells_have_their_latency_and_others_the_model_s(tmp_path):
    own = table()
    own.loc[3, "median_ms"] *= 3
    write_latency(tmp_path, own)
    objective = opened(tmp_path / "latency.parquet")
    np.testing.assert_allclose(objective.costs(SAMPLE) / 1e6, own["median_ms"][:-1], rtol=1e-6)
    assert objective.predicted_costs(SAMPLE)[3] < 0.6 * objective.costs(SAMPLE)[3]
    assert objective.remark().startswith("latency of unmeasured cells: median error")


@pytest.mark.parametrize("name", ["macs", "latency", "params", "memory"])
def test_an_objective_crosses_tasks_with_its_source(tmp_path, name):
    write_latency(tmp_path, table())
    objective = opened(tmp_path / "latency.parquet", name)
    value = objective_value(objective)
    again = objective_of(decode(encode(value)))
    assert np.array_equal(again.costs(SAMPLE), objective.costs(SAMPLE)) and again.formula == objective.formula
    assert again.columns(SAMPLE).keys() == objective.columns(SAMPLE).keys()
    assert value["source"] == source_fingerprint(f"nasgem_core.search.objectives.{name}")
    assert fingerprint(value) != fingerprint(objective_value(objective.with_penalty(0.2)))


def test_a_table_that_does_not_serve_is_named(tmp_path):
    path = tmp_path / "latency.parquet"
    with pytest.raises(ParameterError, match=r"is missing: measure cells .* `nasgem latency --sampled 40 --output "):
        opened(path)
    wide = NetworkLayout(width=16, stages=(1, 2), stem_stride=1, image_size=16)
    write_latency(tmp_path, table(layout=wide))
    with pytest.raises(DataError, match=r"measured with other proxy networks than params\.yaml has now"):
        opened(path)
    write_latency(tmp_path, table(SAMPLE[:5]))
    with pytest.raises(DataError, match="5 cells were measured: at least 10 are needed"):
        opened(path)
    mixed = table()
    mixed.loc[3, "threads"] = 2
    write_latency(tmp_path, mixed)
    with pytest.raises(DataError, match="rows of 2 different values of threads, which cannot be compared"):
        opened(path)
    path.write_bytes(b"no table")
    with pytest.raises(DataError, match=r"is not a nasgem\.latency/1 file"):
        opened(path)
