"""Files of NASGEM-Bench from trainings that are made up."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from nasgem_core.benchmarks.nasgem_bench import OPERATION, draw_cells, enumerate_cells
from nasgem_core.benchmarks.table import read_table
from nasgem_core.config.search import NasgemBenchConfig, ProxyConfig
from nasgem_core.errors import DataError
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.search.objective import ProxyNetworks, objective_class
from nasgem_core.seeding import derive_seed
from tasks.stages.nasgem_bench import (
    FOLDER,
    METRICS_FILE,
    RUNS_FILE,
    TABLE_FILE,
    bench_summary,
    bench_table,
    write_bench,
)
from tasks.stages.trained import TrainedCells, read_trained
from tasks.store.artifacts import read_json

ROOT = Path(__file__).parents[3]
EXISTING = enumerate_cells(5)
CELLS = draw_cells(EXISTING, 6, 0)
ACCURACIES = {0: [0.4, 0.5, 0.6, 0.3, 0.45, None], 1: [0.42, None, 0.5]}
"""By run, None where the training failed."""


NETWORKS = ProxyNetworks(NetworkLayout(width=4, stages=(1, 2), stem_stride=1, image_size=16), 10)
MACS = objective_class("macs").open("macs", NETWORKS, 0.1)


def runs(accuracies=ACCURACIES) -> TrainedCells:
    parts = []
    for run, values in accuracies.items():
        results = [{"failed": v is None, "accuracy": v, "reason": "" if v else "the loss was nan"} for v in values]
        parts.append(TrainedCells.of(CELLS[: len(values)], results, MACS, origin=f"run {run}", number=run))
    return TrainedCells.concatenate(parts)


def test_the_table_has_a_row_for_each_cell_whose_first_run_succeeded():
    table = bench_table(runs())
    assert list(table.cells) == list(CELLS)[:5] and table.cells.width == 5
    assert (table.label, table.truth) == ("accuracy", "accuracy_mean")
    np.testing.assert_allclose(table.metrics["accuracy"], [0.4, 0.5, 0.6, 0.3, 0.45])
    np.testing.assert_allclose(table.metrics["accuracy_mean"], [0.41, 0.5, 0.55, 0.3, 0.45])
    assert table.metrics["runs"].tolist() == [2, 1, 2, 1, 1]
    costs = NETWORKS.complexity(CELLS[:5])
    assert table.metrics["macs"].tolist() == costs.macs.tolist()
    assert table.metrics["params"].tolist() == costs.params.tolist()
    assert [row.tobytes().hex() for row in table.hashes] == CELLS.keys[:5]


def test_the_summary_counts_and_tells_the_noise():
    training = NasgemBenchConfig(width=3, epochs=7).training(ProxyConfig(image_size=32))
    found = bench_summary(runs(), EXISTING, training, "abc", 5)
    assert found["existing_by_vertices"] == {"2": 1, "3": 3, "4": 16, "5": 164} and found["existing_cells"] == 184
    assert (found["cells"], found["repeated_cells"], found["trainings"], found["failed_trainings"]) == (5, 2, 9, 2)
    assert (found["lowest_accuracy"], found["highest_accuracy"]) == (0.3, 0.6)
    # Two cells have two runs, 0.02 and 0.1 apart: variances 0.0002 and 0.005.
    assert found["repeat_noise"] == pytest.approx(np.sqrt(0.0026))
    assert found["standard_deviation"] == pytest.approx(np.std([0.4, 0.5, 0.6, 0.3, 0.45], ddof=1))
    assert 0 < found["noise_share"] < 1 and 0 < found["tau_ceiling"] < 1
    assert (found["training"]["width"], found["training"]["epochs"], found["seed"]) == (3, 7, 5)


def test_without_repetitions_the_noise_is_not_known():
    found = bench_summary(runs({0: [0.4, 0.5]}), EXISTING, ProxyConfig(), "abc", 0)
    assert np.isnan(found["repeat_noise"]) and np.isnan(found["tau_ceiling"]) and found["repeated_cells"] == 0


def test_what_is_written_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = bench_table(runs())
    write_bench(runs(), table, bench_summary(runs(), EXISTING, ProxyConfig(), "abc", 0))
    again = read_table(TABLE_FILE)
    assert again.name == "nasgem_bench" and list(again.cells) == list(table.cells)
    assert str(read_trained(RUNS_FILE, (OPERATION,), 5).rows()) == str(runs().rows())


def test_a_table_of_failures_is_refused():
    with pytest.raises(DataError, match=r"all 2 trainings failed \(the loss was nan\): lower nasgem_bench.learning"):
        bench_table(runs({0: [None, None]}))


def test_the_published_files_are_those_that_dvc_has_recorded(monkeypatch):
    monkeypatch.chdir(ROOT)
    (stage,) = YAML(typ="safe").load((FOLDER / "dvc.lock").read_text())["stages"].values()
    for out in stage["outs"]:
        assert hashlib.md5(Path(out["path"]).read_bytes()).hexdigest() == out["md5"]
    assert {Path(out["path"]) for out in stage["outs"]} >= {TABLE_FILE, RUNS_FILE, METRICS_FILE}


def test_the_published_table_holds_the_first_cells_of_the_draw_and_follows_from_its_runs(monkeypatch):
    monkeypatch.chdir(ROOT)
    table, trained = read_table(TABLE_FILE), read_trained(RUNS_FILE, (OPERATION,), 6)
    summary = read_json(METRICS_FILE, "nasgem.metrics/1")
    first = trained[trained.round == 0]
    drawn = draw_cells(enumerate_cells(6), len(first), derive_seed(summary["seed"], "nasgem_bench"))
    assert sorted(first.key) == sorted(drawn.keys)
    assert summary["cells"] == len(table) and summary["trainings"] == len(trained)
    made = bench_table(trained)
    assert np.array_equal(made.hashes, table.hashes)
    for name, values in made.metrics.items():
        np.testing.assert_allclose(values, table.metrics[name], rtol=1e-6)
