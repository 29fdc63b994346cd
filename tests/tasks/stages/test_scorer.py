import numpy as np
import pytest

from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.search import CellsConfig, PredictorConfig, SearchConfig
from nasgem_core.errors import DataError
from nasgem_core.predictors.process_scorer import fit_process
from nasgem_core.search.score import Measured
from tasks.stages.scorer import (
    SCORER_FILE,
    fit_scorer,
    predict_task,
    pretrain_task,
    read_scorer,
    scorer_of,
    write_scorer,
)
from tasks.store.fingerprint import fingerprint

SPACE = CellsConfig(vertices=8)


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_process_that_is_written_scores_as_the_one_that_was_fitted():
    cells = sample_distinct_cells(SPACE, 40, 0)
    macs = 10**6 * (1 + cells.adjacency.sum((1, 2), dtype=np.int64))
    accuracy = np.random.default_rng(0).uniform(0.3, 0.6, 40)
    process = fit_process(cells[:20], Measured(accuracy, macs, 0.1)[:20], SPACE, "score", 1)
    arrays, metadata = process.to_arrays()
    write_scorer({"process": {"weights": arrays, "metadata": metadata}})
    again = scorer_of(read_scorer("gaussian_process"))
    assert np.array_equal(again.score(cells, None, 0.1), process.score(cells, None, 0.1))


def test_any_predictor_of_the_catalogue_is_written_and_read(monkeypatch):
    monkeypatch.setattr("tasks.stages.scorer.pretrain_task", pretrain_task.fn)
    cells = sample_distinct_cells(SPACE, 40, 0)
    macs = 10**6 * (1 + cells.adjacency.sum((1, 2), dtype=np.int64))
    accuracy = np.random.default_rng(0).uniform(0.3, 0.6, 40)
    config = SearchConfig(cells=SPACE, predictor=PredictorConfig(kind="nas_bowl", target="score"))
    value = fit_scorer(config, cells[:20], Measured(accuracy, macs, 0.1)[:20], encoder={}, seed=5)
    write_scorer(value)
    again = read_scorer("nas_bowl")
    assert fingerprint(again) == fingerprint(value)
    assert np.array_equal(scorer_of(again).score(cells, None, 0.1), scorer_of(value).score(cells, None, 0.1))
    predicted = predict_task.fn(value, cells, macs, 0.1)["predicted"]
    assert np.array_equal(predicted, scorer_of(value).score(cells, macs, 0.1))
    with pytest.raises(DataError, match=r"is of kind 'nas_bowl' and predictor\.kind is 'gcn': run stage estimator"):
        read_scorer("gcn")


def test_where_the_perceptron_picks_no_older_scorer_is_left():
    SCORER_FILE.parent.mkdir(parents=True)
    SCORER_FILE.write_bytes(b"older")
    write_scorer({"encoder": {}, "predictor": {}})
    assert not SCORER_FILE.exists()
    with pytest.raises(DataError, match=r"scorer\.safetensors is missing"):
        read_scorer("gaussian_process")


def test_rows_that_are_not_finite_are_refused():
    cells = sample_distinct_cells(SPACE, 6, 0)
    macs, accuracy = np.full(6, 10**6), np.array([0.1, 0.2, np.nan, 0.3, 0.4, 0.5])
    for target in ("score", "accuracy"):
        with pytest.raises(DataError, match="accuracy = nan"):
            fit_process(cells, Measured(accuracy, macs, 0.1), SPACE, target, 1)
