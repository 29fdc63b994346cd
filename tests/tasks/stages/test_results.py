"""Readers of what stages leave behind: each refuses what is not its own, and says which stage makes it again."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig, SearchConfig
from nasgem_core.errors import DataError
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.search.objective import ProxyNetworks, objective_class
from tasks.stages.best_cell import BEST_CELL_FILE, read_best_cell, write_best_cell
from tasks.stages.encoder import GUIDED, encoder_file, read_encoder
from tasks.stages.labels import LABELLED_PAIRS_FILE, read_labels
from tasks.stages.pairs import PAIRS_FILE, read_pairs
from tasks.stages.predictor import PREDICTOR_FILE, read_predictor
from tasks.stages.results import Results, best_cells_table, charged_words, column_words, found_by
from tasks.stages.trained import (
    BASELINE,
    BOOTSTRAP_FILE,
    ESTIMATOR_FILE,
    RANDOM,
    TOP,
    TrainedCells,
    read_trained,
    write_trained,
)

SPACE = CellsConfig()
CELLS = sample_cells(SPACE, 3, 0)
NETWORKS = ProxyNetworks(NetworkLayout(width=4, stages=(1, 2), stem_stride=1, image_size=16), 10)
MACS = objective_class("macs").open("macs", NETWORKS, 0.1)
READERS: list[tuple[Callable[[], object], Path, str]] = [
    (read_pairs, PAIRS_FILE, "pairs"),
    (read_labels, LABELLED_PAIRS_FILE, "labels"),
    (lambda: read_encoder(GUIDED), encoder_file(GUIDED), "encoder"),
    (read_predictor, PREDICTOR_FILE, "estimator"),
    (lambda: read_trained(ESTIMATOR_FILE, SPACE.operations, 30), ESTIMATOR_FILE, "estimator"),
    (lambda: read_trained(BOOTSTRAP_FILE, SPACE.operations, 30), BOOTSTRAP_FILE, "bootstrap"),
    (read_best_cell, BEST_CELL_FILE, "bootstrap"),
    (lambda: Results(SearchConfig()).metrics("encoder"), Path("data/metrics/encoder.json"), "encoder"),
]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("read", "path", "stage"), READERS, ids=[str(path) for _, path, _ in READERS])
def test_a_missing_or_foreign_file_is_named_with_the_stage_that_makes_it(read, path, stage):
    with pytest.raises(DataError, match=rf"^{path} is missing: .*`nasgem stage {stage}`$"):
        read()
    path.parent.mkdir(parents=True)
    for content in (b"", b"something else", b'{"schema": "nasgem.other/1"}'):
        path.write_bytes(content)
        with pytest.raises(DataError, match=rf"^{path} is not a nasgem\.\w+/\d file .*`nasgem stage {stage}`"):
            read()


def trained(origin: str, accuracies: dict[int, float]) -> TrainedCells:
    """Give cells by their numbers with accuracies, below 0 where the training failed."""
    results = [{"accuracy": a, "failed": a < 0, "reason": "diverged" if a < 0 else ""} for a in accuracies.values()]
    return TrainedCells.of(CELLS[list(accuracies)], results, MACS, origin=origin)


@pytest.fixture
def results() -> Results:
    write_trained(ESTIMATOR_FILE, trained(RANDOM, {0: 0.5, 1: -1}))
    write_trained(
        BOOTSTRAP_FILE, TrainedCells.concatenate([trained(TOP, {2: 0.7}), trained(BASELINE, {0: 0.5, 1: 0.9})])
    )
    write_best_cell(trained(TOP, {2: 0.7}).cells.cell(0))
    return Results(SearchConfig())


def test_search_and_baseline_are_told_apart(results):
    assert results.searched.usable.accuracy.tolist() == [0.5, 0.7]
    assert results.baseline.accuracy.tolist() == [0.5, 0.9]
    assert sorted(results.distinct.key) == sorted(CELLS.keys)
    # The best of random search is not the search's own.
    assert results.best["accuracy"] == 0.7 and results.best_cell == CELLS.cell(2)


def test_a_chosen_cell_of_another_search_is_reported(results):
    write_best_cell(CELLS.cell(1).pruned([[0, 1], [0, 0]], ("input", "maxpool3x3")))
    with pytest.raises(
        DataError, match=r"best_cell\.json holds a cell that this search has not trained: .* search` again"
    ):
        _ = results.best


def test_the_table_ranks_measured_cells(results):
    header, rows = best_cells_table(results.distinct)
    assert len(rows) == 2 and all(len(line) == len(header) for line in rows)
    assert [line[0] for line in rows] == ["1", "2"]
    assert [line[1] for line in rows] == [CELLS.keys[2][:8], CELLS.keys[0][:8]]
    assert best_cells_table(results.distinct, count=1)[1] == rows[:1]


def test_the_table_shows_the_columns_of_the_objective(results):
    assert "latency ms" not in best_cells_table(results.distinct)[0]
    sources = np.array(["measurement", "model", "model"], dtype=object)
    columns = {"latency_ms": np.array([1.234567, 2e-6, 8]), "latency_from": sources}
    own = replace(results.distinct, columns=columns)
    header, rows = best_cells_table(own)
    shown = [dict(zip(header, line, strict=True)) for line in rows]
    assert [(line["latency ms"], line["latency from"]) for line in shown] == [("8", "model"), ("1.2346", "measurement")]
    assert column_words("memory_MB") == "memory MB"
    assert charged_words(own.row(0)) == {"latency": "1.2346 ms, from the measurement"}
    assert charged_words({"memory_MB": 3.5, "macs": 5}) == {"memory": "3.5 MB"}
    assert charged_words({"latency_ms": float("nan"), "latency_from": ""}) == charged_words(results.best) == {}


def test_words_for_where_a_cell_came_from(results):
    assert [found_by(row) for row in results.trained.rows()][:3] == ["random, round 0"] * 2 + [TOP]
