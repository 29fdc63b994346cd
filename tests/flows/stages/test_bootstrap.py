import json
from dataclasses import replace

import pytest

from flows.stages import bootstrap as module
from flows.stages.bootstrap import METRICS_FILE, find_candidates
from flows.stages.possible_cells import random_stream
from tasks.stages.best_cell import read_best_cell
from tasks.stages.results import Results
from tasks.stages.trained import ESTIMATOR_FILE, KNOWN, REPEATS_FILE, TOP, read_trained


def test_the_chosen_cell_is_the_finalist_with_the_highest_mean(small_search):
    results, metrics = Results(small_search.config), json.loads(METRICS_FILE.read_text())
    assert read_best_cell() == results.best_cell and results.best["key"] == results.best_cell.canonical_key
    assert metrics["best_score"] == results.best["score"] and metrics["best_params"] == results.best["params"]
    assert metrics["margin_over_random"] == metrics["best_score"] - metrics["random_best_score"]
    finalists = metrics["finalists"]
    assert finalists[0]["key"] == results.best["key"] and finalists[0]["chosen"]
    ranked = results.searched.ranked
    assert {row["key"] for row in finalists} >= set(ranked.key[:3]) and {row["trainings"] for row in finalists} == {3}
    known = ranked[ranked.kinds == KNOWN]
    assert known.key[0] in {row["key"] for row in finalists}


def test_what_to_expect_is_from_trainings_that_did_not_decide(small_search):
    metrics, space = json.loads(METRICS_FILE.read_text()), small_search.config.cells
    repeats = read_trained(REPEATS_FILE, space.operations, space.vertices)
    for name, kind in (("expected_score", "chosen cell"), ("random_expected_score", "random search chosen cell")):
        again = repeats[repeats.kinds == kind]
        assert len(again) == 3 and len(set(again.key)) == 1
        assert metrics[name] == again.score.mean() and metrics[f"{name}_half_width"] > 0
    assert (repeats.kinds == "finalist").sum() == 2 * len(metrics["finalists"])
    # Random search has as many trainings, and chooses in the same way.
    assert (repeats.kinds == "random search finalist").sum() == 2 * len(metrics["finalists"])
    assert metrics["expected_margin"] == pytest.approx(metrics["expected_score"] - metrics["random_expected_score"])
    assert metrics["repeated_trainings"] == 2 * len(metrics["finalists"]) + 3


def test_where_single_trainings_decide_the_best_measured_cell_is_chosen(small_search, monkeypatch):
    config = small_search.config
    monkeypatch.setattr(small_search.session, "config", replace(config, bootstrap=replace(config.bootstrap, repeats=1)))
    written = {}
    monkeypatch.setattr(module, "write_trained", lambda path, trained: written.update({path: trained}))
    monkeypatch.setattr(module, "write_best_cell", lambda cell: written.update(best=cell))
    monkeypatch.setattr(module, "write_json", lambda path, _, summary: written.update(summary=summary))
    module.bootstrap.fn()
    searched = Results(config).searched
    assert written["best"] == searched.cells.cell(searched.best) and len(written[REPEATS_FILE]) == 0
    assert written["summary"]["best_score"] == searched.score[searched.best]
    assert not {"finalists", "expected_score", "expected_margin"} & set(written["summary"])


def test_candidates_were_not_trained_before(small_search):
    space, results = small_search.config.cells, Results(small_search.config)
    known = read_trained(ESTIMATOR_FILE, space.operations, space.vertices)
    found = find_candidates(small_search.session, known)
    assert not set(found.cells.keys) & set(known.key)
    top = results.searched[results.searched.origin == TOP]
    assert list(top.key) == found.cells.keys and top.predicted.tolist() == found.predicted.tolist()


def test_random_search_trains_as_many_cells_of_the_same_stream(small_search):
    results = Results(small_search.config)
    stream = random_stream(small_search.session, len(results.searched))
    assert list(results.baseline.key) == stream.cells.keys
