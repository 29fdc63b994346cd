import json

import numpy as np
import pytest

from flows.stages.estimator import METRICS_FILE, estimator, random_stream
from nasgem_core.errors import DataError
from tasks.stages.predictor import read_predictor
from tasks.stages.results import Results
from tasks.stages.scorer import read_scorer, scorer_of
from tasks.stages.trained import ESTIMATOR_FILE, PREDICTED, RANDOM, read_trained
from tests.flows import in_process


def test_rounds_train_random_cells_and_picks(small_search):
    space = small_search.config.cells
    trained = read_trained(ESTIMATOR_FILE, space.operations, space.vertices)
    assert list(trained.round) == sorted(trained.round) and set(trained.round) == {0, 1}
    first = trained[trained.round == 0]
    assert set(first.origin) == {RANDOM} and list(first.key) == random_stream(small_search.session, 6).keys
    assert np.isnan(first.predicted).all()
    later = trained[trained.round == 1]
    assert (later.origin == PREDICTED).sum() == 2 and np.isfinite(later.predicted).all()
    assert len(set(trained.key)) == len(trained)


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


def test_too_many_failures_stop_it_with_their_reason(small_search, monkeypatch):
    def fail(_runner, _task, inputs, on_result):
        for place, values in enumerate(inputs):
            result = in_process.made_up_result(values["cell"])
            on_result(place, {**result, "accuracy": float("nan"), "failed": True, "reason": "the loss was nan"})

    monkeypatch.setattr("flows.stages.train_cells.run_side_by_side", fail)
    with pytest.raises(DataError, match=r"6 of 6 trainings failed \(the loss was nan\): .*estimator\.initial"):
        estimator.fn()
