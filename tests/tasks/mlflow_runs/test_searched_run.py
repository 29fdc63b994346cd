"""A search read from MLflow is what was logged."""

from dataclasses import replace

import pytest

from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import DataError
from tasks.mlflow_runs import searched_run
from tasks.mlflow_runs.records import SearchRecords
from tasks.mlflow_runs.run_record import RunRecord
from tasks.mlflow_runs.searched_run import read_run

RESULT = {"epoch_losses": [1.0], "epoch_accuracies": [0.5], "seconds": 1.0, "images_per_second": 1.0}


def row(key, accuracy, origin="random"):
    known = {"key": key, "cell": "{}", "origin": origin, "round": 0, "failed": False, "reason": ""}
    return {**known, "accuracy": accuracy, "score": accuracy - 0.1, "macs": 1000 + len(key), "params": 10}


@pytest.fixture(scope="module")
def logged(place):
    records = SearchRecords(place.tracking, place.root, replace(SearchConfig(), seed=4711), "0" * 32)
    for key, accuracy in (("aa", 0.5), ("bbb", 0.6)):
        records.cell("estimator", row(key, accuracy), RESULT)
    for origin in ("random search", "finalist: run 1"):
        records.cell("bootstrap", row("cccc", 0.4, origin), RESULT)
    records.stage("estimator", {"trained_cells": 2.0})
    records.search({"best_macs": 1003.0, "best_params": 10.0, "expected_score": 0.45})
    return records


def test_cells_figures_and_parameters_come_back(place, logged):
    found = read_run(place.root, logged.name)
    assert found.name == f"cifar10_proxy {logged.name}" and found.parameters["seed"] == "4711"
    assert list(found.accuracy) == [0.5, 0.6], "those of random search and second trainings do not count"
    assert (found.chosen, found.costs) == ("bbb", {"macs": 1003.0, "params": 10.0})
    assert found.figures["expected_score"] == 0.45
    assert read_run(place.root, found.name).chosen == "bbb"


def test_what_is_not_found_is_said_with_what_there_is(place, logged):
    with pytest.raises(DataError, match=rf"'nothing' is neither a folder nor .*cifar10_proxy {logged.name}"):
        read_run(place.root, "nothing")


def test_of_many_searches_the_newest_are_named(place, logged, monkeypatch):
    for number in range(3):
        place.tracking.log(RunRecord(f"search-{number}-of-many", f"many {number}", "search", started=5e9 + number))
    monkeypatch.setattr(searched_run, "_SHOWN", 2)
    with pytest.raises(DataError, match=r"there are many 2, many 1 and \d+ earlier ones; give a folder"):
        read_run(place.root, "nothing")
