import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nasgem_core.benchmarks.judging import MEASURES
from nasgem_core.benchmarks.table import write_table
from nasgem_core.cells.cell import Cell
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.predictors.catalogue import PREDICTORS
from nasgem_core.predictors.embedding_report import REPORTED
from tasks.benchmark import trial as module
from tasks.benchmark.table_import import import_table
from tasks.benchmark.tables import table_path
from tasks.benchmark.trial import Split, Trial, pretrain_predictor, trial_of, try_predictor
from tasks.store import fingerprint
from tests.benchmarks.small101 import small_nasbench101
from tests.benchmarks.synthetic import synthetic_table

ROOT = Path(__file__).parents[3]
SPLIT = Split(training=40, ranked=100, seed=7)


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module._opened_table.cache_clear()


@pytest.fixture
def table():
    table = synthetic_table(200, name="mine")
    write_table(table, table_path("mine"))
    return table


def tried(trial: Trial, split: Split = SPLIT, seed: int = 0) -> dict[str, float]:
    found = try_predictor.fn(trial, pretrain_predictor.fn(trial, 0), split, seed)
    return {name: value for name, value in found.items() if "seconds" not in name}


def test_a_trial_ranks_other_cells_than_it_learned_from_and_repeats(table):
    trees, chance = (tried(trial_of("mine", name)) for name in ("boosted_trees", "random"))
    assert trees.keys() == {*MEASURES, *REPORTED, "bias"}
    assert trees["kendall_tau"] > 0.4 > 0.2 > abs(chance["kendall_tau"])
    assert np.isnan([trees[name] for name in REPORTED]).all()
    repeated = tried(trial_of("mine", "boosted_trees"))
    assert repeated == pytest.approx(trees, nan_ok=True, rel=0, abs=0)
    assert tried(trial_of("mine", "boosted_trees"), replace(SPLIT, seed=8)) != trees


def test_what_needs_no_label_is_done_once_for_all_trials(table, monkeypatch):
    recipe = replace(PREDICTORS.get("random"), pretrain=lambda space, seed: {"cells": np.array([len(space), seed])})
    monkeypatch.setattr(PREDICTORS, "_added", {"mine": recipe})
    assert pretrain_predictor.fn(trial_of("mine", "mine"), 5)["cells"].tolist() == [200, 5]
    assert pretrain_predictor.fn(trial_of("mine", "boosted_trees"), 5) == {}


def test_unknown_names_and_tables_that_change_are_refused(table):
    with pytest.raises(ParameterError, match="unknown predictor 'oracle': known are"):
        trial_of("mine", "oracle")
    with pytest.raises(DataError, match=r"data/tables/other\.parquet is missing"):
        trial_of("other", "random")
    with pytest.raises(DataError, match="the table mine changed while the benchmark was running"):
        tried(replace(trial_of("mine", "random"), table_hash="0"))


def test_a_table_with_operations_of_its_own_is_tried_as_any_other(tmp_path):
    table = synthetic_table(120)
    names = {"conv1x1": "their pooling", "dwconv3x3": "their convolution"}
    cells = [cell.to_json() for cell in table.cells]
    for old, new in names.items():
        cells = [text.replace(old, new) for text in cells]
    pd.DataFrame({"cell": cells, "found": table.metrics["label"]}).to_parquet(tmp_path / "theirs.parquet")
    space = import_table("theirs", tmp_path / "theirs.parquet", label="found").table
    assert set(space.cells.operation_names) == set(names.values())
    assert all(isinstance(cell, Cell) for cell in space.cells)
    assert tried(trial_of("theirs", "nas_bowl"))["kendall_tau"] > 0.3


def test_a_published_table_counts_by_its_source_and_is_read_as_its_benchmark_says():
    write_table(small_nasbench101(), table_path("nasbench101"))
    write_table(synthetic_table(30, name="mine"), table_path("mine"))
    published, own = trial_of("nasbench101", "parameters"), trial_of("mine", "parameters")
    assert len(published.table_source) == 40 and not own.table_source
    _, space, benchmark = module.opened_table(published)
    assert benchmark.runs == 3 and space.cells.operation_names[-1] == "nb101_output"


def test_one_more_rival_repeats_no_fit_of_another(tmp_path, monkeypatch):
    """Two files: the module of the rival, and a line of the catalogue."""
    for package in ("nasgem_core", "tasks"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(fingerprint, "_ROOT", tmp_path)

    def sources() -> dict[str, str]:
        for function in vars(fingerprint).values():
            if hasattr(function, "cache_clear"):
                function.cache_clear()
        tasks = {
            name: fingerprint.source_fingerprint(name) for name in ("tasks.benchmark.trial", "tasks.stages.scorer")
        }
        return tasks | {name: fingerprint.registered_source(PREDICTORS, name) for name in PREDICTORS.names()}

    before = sources()
    folder = tmp_path / "nasgem_core" / "predictors"
    shutil.copy(folder / "rivals" / "gcn.py", folder / "rivals" / "mine.py")
    catalogue = (folder / "catalogue.py").read_text()
    line = '        "gcn": f"{_ROOM}.rivals.gcn:RECIPE",\n'
    (folder / "catalogue.py").write_text(catalogue.replace(line, line + line.replace("gcn", "mine")))
    assert catalogue.count(line) == 1
    assert sources() == before
    with (folder / "rivals" / "gcn.py").open("a") as file:
        file.write("\nX = 1\n")
    changed = sources()
    assert [name for name in before if changed[name] != before[name]] == ["gcn"]
    monkeypatch.undo()
    sources()
