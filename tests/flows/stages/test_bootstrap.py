import json

from flows.stages.bootstrap import METRICS_FILE, find_candidates
from flows.stages.estimator import random_stream
from tasks.stages.best_cell import read_best_cell
from tasks.stages.results import Results
from tasks.stages.trained import ESTIMATOR_FILE, TOP, read_trained


def test_the_chosen_cell_is_the_best_measured_one_of_the_search(small_search):
    results, metrics = Results(small_search.config), json.loads(METRICS_FILE.read_text())
    assert read_best_cell() == results.best_cell
    assert metrics["best_score"] == results.best["score"] and metrics["best_params"] == results.best["params"]
    assert metrics["margin_over_random"] == metrics["best_score"] - metrics["random_best_score"]


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
    assert list(results.baseline.key) == stream.keys
