import json
import shutil
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from flows.stages import estimator as module
from flows.stages.catalogue import STAGES
from flows.stages.estimator import METRICS_FILE, estimator
from flows.stages.possible_cells import random_stream
from nasgem_core import registry
from nasgem_core.cells.known_blocks import known_blocks
from nasgem_core.errors import DataError, NasgemError
from tasks.stages.predictor import read_predictor
from tasks.stages.results import Results, best_cells_table, found_by
from tasks.stages.scorer import read_scorer, scorer_of
from tasks.stages.trained import ESTIMATOR_FILE, KNOWN, PREDICTED, RANDOM, read_trained
from tests.flows import in_process


def test_rounds_train_random_cells_and_picks(small_search):
    space = small_search.config.cells
    trained = read_trained(ESTIMATOR_FILE, space.operations, space.vertices)
    assert list(trained.round) == sorted(trained.round) and set(trained.round) == {0, 1}
    first = trained[trained.round == 0]
    known = first[first.kinds == KNOWN]
    # The draws are those of a search without known blocks, which are not trained again.
    drawn = [key for key in random_stream(small_search.session, 6).cells.keys if key not in known.key]
    assert list(first[first.origin == RANDOM].key) == drawn and len(first) == len(known) + len(drawn)
    assert np.isnan(first.predicted).all()
    later = trained[trained.round == 1]
    assert (later.origin == PREDICTED).sum() == 2 and np.isfinite(later.predicted).all()
    assert len(set(trained.key)) == len(trained)


def test_known_blocks_come_first_and_are_named(small_search):
    space, results = small_search.config.cells, Results(small_search.config)
    titles = [block.title for block in known_blocks(space)]
    assert titles == ["MobileNetV1", "MobileNetV2, expansion 3", "MobileNetV2, expansion 4", "ShuffleNetV2-like"]
    first = results.searched[: len(titles)]
    assert [found_by(row) for row in first.rows()] == [f"known: {title}" for title in titles]
    assert list(first.cells) == [block.cell.canonical_form() for block in known_blocks(space)]
    shown = {row[-1] for row in best_cells_table(results.distinct, 100)[1]}
    assert shown >= {found_by(row) for row in first.usable.rows()}
    assert results.best["score"] >= first.usable.score.max()


def test_without_known_blocks_round_0_is_random(small_search, monkeypatch):
    config = small_search.config
    monkeypatch.setattr(
        small_search.session, "config", replace(config, estimator=replace(config.estimator, known=False))
    )
    monkeypatch.setattr("flows.stages.estimator.write_trained", lambda _, trained: written.append(trained))
    for name in ("write_predictor", "write_scorer", "write_json"):
        monkeypatch.setattr(f"flows.stages.estimator.{name}", lambda *_: None)
    written = []
    estimator.fn()
    first = written[0][written[0].round == 0]
    assert set(first.origin) == {RANDOM} and list(first.key) == random_stream(small_search.session, 6).cells.keys


def run_rounds(search, monkeypatch, accuracy: Callable[[int], float], **changes) -> dict:
    """Run the stage with accuracies that depend on the number of trainings; return its metrics and what it said."""
    config, made, written = search.config, [], {"said": []}
    small = replace(config.estimator, known=False, **changes)
    monkeypatch.setattr(search.session, "config", replace(config, estimator=small))

    def train(_engine, _task, inputs, on_result, **_):
        for place, values in enumerate(inputs):
            made.append(place)
            result = {**in_process.made_up_result(values["cell"]), "failed": False, "reason": ""}
            on_result(place, {**result, "accuracy": accuracy(len(made))})

    monkeypatch.setattr("flows.stages.train_cells.run_side_by_side", train)
    for name in ("write_trained", "write_predictor", "write_scorer"):
        monkeypatch.setattr(module, name, lambda *_: None)
    monkeypatch.setattr(module, "write_json", lambda _, __, summary: written.update(summary))
    lines: list[str] = []
    monkeypatch.setattr(module, "say", lines.append)
    estimator.fn()
    of_labels = [line for line in lines if line.startswith("  too few")]  # four validation images tell nothing apart
    assert written["labels_rank"] is ("too few labels" not in "".join(of_labels))
    written["said"] = [line for line in lines if line not in of_labels]
    return written


def falling(number: int) -> float:
    return 0.9 if number <= 6 else 0.1 + number / 1000


@pytest.mark.parametrize("patience", [1, 2])
def test_rounds_that_bring_no_better_cell_end_and_say_so(small_search, monkeypatch, patience):
    found = run_rounds(small_search, monkeypatch, falling, rounds=4, patience=patience)
    assert len(found["rounds"]) == patience and all(row["gain"] < 0 for row in found["rounds"])
    (line,) = found["said"]
    assert f"the rounds end after {patience} of 4: none of the last {patience} brought a cell" in line


def test_rounds_that_bring_better_cells_go_on(small_search, monkeypatch):
    found = run_rounds(small_search, monkeypatch, lambda number: 0.02 * number, rounds=3, patience=1)
    assert len(found["rounds"]) == 3 and found["rounds"][-1]["gain"] > 0 and found["said"] == []


def test_nothing_is_said_after_the_last_round(small_search, monkeypatch):
    found = run_rounds(small_search, monkeypatch, falling, rounds=2, patience=2)
    assert len(found["rounds"]) == 2 and found["said"] == []


def test_without_patience_all_rounds_are_run(small_search, monkeypatch):
    found = run_rounds(small_search, monkeypatch, falling, rounds=3, patience=0)
    assert len(found["rounds"]) == 3 and all("gain" not in row for row in found["rounds"])


def test_what_it_reports_is_of_the_cells_that_it_trained(small_search):
    metrics, results = json.loads(METRICS_FILE.read_text()), Results(small_search.config)
    (round_1,) = metrics["rounds"]
    of_stage = results.searched[results.searched.round <= 1]
    assert metrics["trained_cells"] == len(of_stage) and metrics["failed_cells"] == of_stage.failed.sum()
    assert metrics["best_score"] == np.nanmax(of_stage.score)
    assert round_1["new_cells"] == (of_stage.usable.round == 1).sum()
    assert read_predictor().rows == len(of_stage.usable)
    scores = scorer_of(read_scorer("gaussian_process")).score(of_stage.cells, np.full(len(of_stage), 10**6), 0.1)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("kind", "section", "values"),
    [
        ("operation", "cells", {"operations": ("conv1x1", "missing")}),
        ("objective", "score", {"objective": "missing"}),
        ("block", "estimator", {"known": True}),
    ],
)
def test_a_broken_plugin_is_refused_before_a_search_runs(small_search, kind, section, values):
    metadata = small_search.root / "broken-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(f"[nasgem.{kind}s]\nmissing = no_such_module:THING\n")
    try:
        registry._plugins.cache_clear()
        config = small_search.config
        chosen = replace(getattr(config, section), **values)
        session = replace(small_search.session, config=replace(config, **{section: chosen}))
        fault = f"{kind} 'missing' of the package broken cannot be loaded .ModuleNotFoundError"
        with pytest.raises(NasgemError, match=fault):
            STAGES["estimator"].function(STAGES["estimator"].check)(session)
    finally:
        shutil.rmtree(metadata)
        registry._plugins.cache_clear()


def test_too_many_failures_stop_it_with_their_reason(small_search, monkeypatch):
    def fail(_engine, _task, inputs, on_result, **_):
        for place, values in enumerate(inputs):
            result = in_process.made_up_result(values["cell"])
            on_result(place, {**result, "accuracy": float("nan"), "failed": True, "reason": "the loss was nan"})

    monkeypatch.setattr("flows.stages.train_cells.run_side_by_side", fail)
    with pytest.raises(DataError, match=r"(\d+) of \1 trainings failed \(the loss was nan\): .*estimator\.initial"):
        estimator.fn()
