"""What MLflow is told of a training while it runs and when it has finished."""

from dataclasses import replace

import pytest

from nasgem_core.config.search import SearchConfig
from tasks.mlflow_runs.records import SearchRecords, TrainingRun, curve_points
from tests.tasks.stores import FakeTracking

GEMNET = TrainingRun("imagenet", "gemnet-0", {"seed": 0})


@pytest.fixture
def told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return FakeTracking()


def records(told, root, **changes):
    config = SearchConfig()
    return SearchRecords(told, root, replace(config, imagenet=replace(config.imagenet, **changes)), "0" * 32)


def history(reports):
    rows = [{"epoch": 0, "step": step, "loss": 1 / step, "learning_rate": 0.1} for step in range(1, reports + 1)]
    return [*rows[:-1], {"epoch": 1, "step": reports - 1, "top1": 0.5}, rows[-1], {"step": reports, "top1": 0.75}]


def test_a_training_is_a_child_of_its_running_stage(told, tmp_path):
    log = records(told, tmp_path, dataset="pictures")
    log.begin("imagenet")
    log.training(GEMNET, [("loss", 2.0, 10)], finished=False)
    log.training(GEMNET, [("loss", 2.0, 10), ("loss", 1.0, 20)], finished=True)
    stage, running, finished = [record for record in told.records if record.kind != "search"]
    assert stage.kind == "stage" and stage.status == "RUNNING" and stage.params["imagenet.dataset"] == "pictures"
    assert running.kind == finished.kind == "training" and running.key == finished.key
    assert running.parent == stage.key and (running.status, finished.status) == ("RUNNING", "FINISHED")
    assert list(finished.metrics) == [("loss", 2.0, 10), ("loss", 1.0, 20)]


def test_what_was_told_is_not_told_again(told, tmp_path):
    for _ in range(2):
        log = records(told, tmp_path)
        log.begin("imagenet")
        log.training(TrainingRun("imagenet", "gemnet-0", {}), [("loss", 1.0, 1)], finished=True)
    assert [record.kind for record in told.records].count("training") == 1


def test_what_was_stopped_is_told_as_often_as_it_happens(told, tmp_path):
    for _ in range(2):
        log = records(told, tmp_path)
        log.begin("imagenet")
        log.training(GEMNET, [("loss", 2.0, 10)], finished=False)
        log.training_stopped(GEMNET, "KILLED")
        log.stopped("imagenet", "KILLED")
        log.stopped("coco", "FAILED")  # has not begun
        log.stopped("report", "FAILED")  # has no parameters
    ends = [(record.kind, record.status) for record in told.records]
    begun = [("search", "RUNNING"), ("stage", "RUNNING")]
    stops = [("training", "KILLED"), ("stage", "KILLED"), ("search", "KILLED"), *[("search", "FAILED")] * 2]
    assert ends == [*begun, ("training", "RUNNING"), *stops, *begun, *stops]
    stopped = [record for record in told.records if record.kind == "training"]
    assert {record.key for record in stopped} == {stopped[0].key} and stopped[-1].params == {"seed": 0}


def test_a_finished_search_is_not_stopped_by_a_stage(told, tmp_path):
    log = records(told, tmp_path)
    log.search({"best_score": 0.5})
    log.stopped("imagenet", "FAILED")
    assert [record.status for record in told.records] == ["FINISHED"]


def test_points_are_all_reports():
    points = curve_points(history(10))
    assert [point for point in points if point[0] == "top1"] == [("top1", 0.5, 9), ("top1", 0.75, 10)]
    assert [step for name, _, step in points if name == "loss"] == list(range(1, 11))
    assert not [point for point in points if point[0] == "step"]
