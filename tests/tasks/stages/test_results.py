"""Readers of what stages leave behind: each refuses what is not its own, and says which stage makes it again."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flows.stages.bootstrap import BEST_CELL_FILE, read_best_cell
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig, SearchConfig
from nasgem_core.errors import DataError
from tasks.stages.encoder import GUIDED, encoder_file, read_encoder
from tasks.stages.labels import LABELLED_PAIRS_FILE, read_labels
from tasks.stages.pairs import PAIRS_FILE, read_pairs
from tasks.stages.predictor import PREDICTOR_FILE, read_predictor
from tasks.stages.results import Results, best_cells_table, found_by
from tasks.stages.trained import (
    BASELINE,
    BOOTSTRAP_FILE,
    ESTIMATOR_FILE,
    RANDOM,
    TOP,
    read_trained,
    trained_row,
    trained_table,
    with_latency,
    write_trained,
)

CELLS = list(sample_cells(CellsConfig(), 3, 0))
READERS: list[tuple[Callable[[], object], Path, str]] = [
    (read_pairs, PAIRS_FILE, "pairs"),
    (read_labels, LABELLED_PAIRS_FILE, "labels"),
    (lambda: read_encoder(GUIDED), encoder_file(GUIDED), "encoder"),
    (read_predictor, PREDICTOR_FILE, "estimator"),
    (lambda: read_trained(ESTIMATOR_FILE), ESTIMATOR_FILE, "estimator"),
    (lambda: read_trained(BOOTSTRAP_FILE), BOOTSTRAP_FILE, "bootstrap"),
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
        with pytest.raises(DataError, match=rf"^{path} is not a nasgem\.\w+/1 file .*`nasgem stage {stage}`"):
            read()


def row(number: int, origin: str, accuracy: float, key_of: int | None = None) -> dict:
    cell = CELLS[number if key_of is None else key_of]
    result = {"accuracy": accuracy, "failed": accuracy < 0, "reason": "diverged" if accuracy < 0 else ""}
    return trained_row(cell, origin, 0, float("nan"), result, (1_000_000, 1_000), 0.1)


@pytest.fixture
def results() -> Results:
    write_trained(ESTIMATOR_FILE, trained_table([row(0, RANDOM, 0.5), row(1, RANDOM, -1)]))
    write_trained(BOOTSTRAP_FILE, trained_table([row(2, TOP, 0.7), row(0, BASELINE, 0.5), row(1, BASELINE, 0.9)]))
    return Results(SearchConfig())


def test_search_and_baseline_are_told_apart(results):
    assert list(results.searched["accuracy"].dropna()) == [0.5, 0.7]
    assert list(results.baseline["accuracy"]) == [0.5, 0.9]
    assert results.distinct["key"].is_unique and len(results.distinct) == 3
    # The best of random search is not the search's own.
    assert results.best["accuracy"] == 0.7 and results.best_cell == CELLS[2]


def test_the_table_ranks_measured_cells(results):
    header, rows = best_cells_table(results.distinct)
    assert len(rows) == 2 and all(len(line) == len(header) for line in rows)
    assert [line[0] for line in rows] == ["1", "2"]
    assert [line[1] for line in rows] == [CELLS[2].canonical_key[:8], CELLS[0].canonical_key[:8]]
    assert best_cells_table(results.distinct, count=1)[1] == rows[:1]


def test_the_table_shows_latencies_where_the_score_charged_them(results):
    assert "latency ms" not in best_cells_table(results.distinct)[0]
    own = with_latency(results.distinct, np.array([1_234_567, 2, 8_000_000]), ["measurement", "model", "model"])
    header, rows = best_cells_table(own)
    shown = [dict(zip(header, line, strict=True)) for line in rows]
    assert [(line["latency ms"], line["told by"]) for line in shown] == [("8", "model"), ("1.2346", "measurement")]


def test_words_for_where_a_cell_came_from(results):
    assert [found_by(line) for _, line in results.trained.iterrows()][:3] == ["random, round 0"] * 2 + [TOP]
