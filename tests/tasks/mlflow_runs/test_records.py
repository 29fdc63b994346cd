"""What MLflow is tracking of a training while it runs and when it has finished."""

import time
from dataclasses import replace

import pytest
from torch import nn

from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import DataError
from tasks.mlflow_runs.models import FullyConnectedModel
from tasks.mlflow_runs.outbox import Outbox
from tasks.mlflow_runs.records import SearchRecords, TrainingRun, curve_points, finite
from tasks.mlflow_runs.tracking import Tracking
from tests.tasks.stores import FakeTracking

GEMNET = TrainingRun("imagenet", "gemnet-0", {"seed": 0})


@pytest.fixture
def tracking(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return FakeTracking()


def records(tracking, root, **changes):
    config = SearchConfig()
    return SearchRecords(tracking, root, replace(config, imagenet=replace(config.imagenet, **changes)), "0" * 32)


def history(reports):
    rows = [{"epoch": 0, "step": step, "loss": 1 / step, "learning_rate": 0.1} for step in range(1, reports + 1)]
    return [*rows[:-1], {"epoch": 1, "step": reports - 1, "top1": 0.5}, rows[-1], {"step": reports, "top1": 0.75}]


def test_a_training_is_a_child_of_its_running_stage(tracking, tmp_path):
    log = records(tracking, tmp_path, dataset="pictures")
    log.begin("imagenet")
    log.training(GEMNET, [("loss", 2.0, 10)], finished=False)
    log.training(GEMNET, [("loss", 2.0, 10), ("loss", 1.0, 20)], finished=True)
    stage, running, finished = [record for record in tracking.records if record.kind != "search"]
    assert stage.kind == "stage" and stage.status == "RUNNING" and stage.params["imagenet.dataset"] == "pictures"
    assert running.kind == finished.kind == "training" and running.key == finished.key
    assert running.parent == stage.key and (running.status, finished.status) == ("RUNNING", "FINISHED")
    assert list(finished.metrics) == [("loss", 2.0, 10), ("loss", 1.0, 20)]


def test_equal_content_is_logged_once(tracking, tmp_path):
    for _ in range(2):
        log = records(tracking, tmp_path)
        log.begin("imagenet")
        log.training(TrainingRun("imagenet", "gemnet-0", {}), [("loss", 1.0, 1)], finished=True)
    assert [record.kind for record in tracking.records].count("training") == 1


def test_a_stop_is_logged_as_often_as_it_happens(tracking, tmp_path):
    for _ in range(2):
        log = records(tracking, tmp_path)
        log.begin("imagenet")
        log.training(GEMNET, [("loss", 2.0, 10)], finished=False)
        log.training_stopped(GEMNET, "KILLED")
        log.stopped("imagenet", "KILLED")
        log.stopped("coco", "FAILED")  # has not begun
        log.stopped("report", "FAILED")  # has no parameters
    ends = [(record.kind, record.status) for record in tracking.records]
    begun = [("search", "RUNNING"), ("stage", "RUNNING")]
    stops = [("training", "KILLED"), ("stage", "KILLED"), ("search", "KILLED"), *[("search", "FAILED")] * 2]
    assert ends == [*begun, ("training", "RUNNING"), *stops, *begun, *stops]
    stopped = [record for record in tracking.records if record.kind == "training"]
    assert {record.key for record in stopped} == {stopped[0].key} and stopped[-1].params == {"seed": 0}


def test_a_command_that_ends_before_the_search_is_finished_leaves_no_run_running(tracking, tmp_path):
    for _ in range(2):
        log = records(tracking, tmp_path)
        log.stage("pairs", {"pairs": 1.0})
        log.paused("FINISHED")
        log.paused("KILLED")  # it runs no longer
    of_search = [record.status for record in tracking.records if record.kind == "search"]
    assert of_search == ["RUNNING", "FINISHED"] * 2
    log.search({"best": 1.0})
    log.paused("FINISHED")
    assert [record.status for record in tracking.records if record.kind == "search"][-1] == "FINISHED"
    assert len([record for record in tracking.records if record.kind == "search"]) == 5


def test_a_clock_that_is_set_back_a_day_shortens_no_stage(tracking, tmp_path, monkeypatch):
    log = records(tracking, tmp_path)
    monkeypatch.setattr(time, "time", lambda: 1e9)
    log.stage("pairs", {"pairs": 1.0})
    origin = log.origins()["pairs"]
    assert origin.finished == 1e9 and 0 <= origin.seconds < 60


def test_a_finished_search_is_not_stopped_by_a_stage(tracking, tmp_path):
    log = records(tracking, tmp_path)
    log.search({"best_score": 0.5})
    log.stopped("imagenet", "FAILED")
    assert [record.status for record in tracking.records] == ["FINISHED"]


def test_points_are_all_reports():
    points = curve_points(history(10))
    assert [point for point in points if point[0] == "top1"] == [("top1", 0.5, 9), ("top1", 0.75, 10)]
    assert [step for name, _, step in points if name == "loss"] == list(range(1, 11))
    assert not [point for point in points if point[0] == "step"]


ROW = {"origin": "random search", "round": 1, "cell": "{}", "key": "c" * 32, "reason": "", "failed": False}
COSTS = {"accuracy": 0.5, "score": 0.4, "macs": 100, "params": 10, "predicted": 0.3}
RESULT = {"epoch_losses": [1.0, 0.5], "epoch_accuracies": [0.25, 0.5], "seconds": 2.0, "images_per_second": 10.0}


def test_a_stage_has_its_parameters_figures_files_and_models(tracking, tmp_path):
    (tmp_path / "encoder.json").write_text("{}")
    model = FullyConnectedModel.from_modules("encoder", nn.Sequential(nn.Linear(3, 2)))
    for _ in range(2):
        records(tracking, tmp_path).stage(
            "encoder", {"loss": 0.25}, curves=[("loss", 0.5, 1)], artifacts=[tmp_path / "encoder.json", model]
        )
    search, stage = tracking.records
    assert (search.kind, search.status, stage.parent, stage.status) == ("search", "RUNNING", search.key, "FINISHED")
    assert stage.params["encoder.dimension"] == "32" and search.params["encoder.dimension"] == "32"
    assert stage.metrics == [("loss", 0.25, 0), ("loss", 0.5, 1)] and stage.models == [model]
    assert {name: content.tobytes() for name, content in stage.files.items()} == {"encoder.json": b"{}"}
    with pytest.raises(DataError, match="none is not a file"):
        records(tracking, tmp_path).stage("encoder", {}, artifacts=[tmp_path / "none"])


def test_a_cell_has_its_figures_curves_and_fate(tracking, tmp_path):
    log = records(tracking, tmp_path)
    for _ in range(2):
        log.cell("bootstrap", ROW | COSTS, RESULT)
    log.cell("bootstrap", ROW | COSTS | {"key": "d" * 32, "failed": True, "reason": "diverged"}, RESULT)
    done = tracking.records[0]
    assert done.name == "cell cccccccc" and done.key.endswith(f"-bootstrap-random_search-{'c' * 32}")
    assert done.params == {"origin": "random search", "round": 1, "cell": "{}", "key": "c" * 32}
    assert ("score", 0.4, 0) in done.metrics and ("validation_accuracy", 0.5, 2) in done.metrics
    assert [(record.status, record.tags.get("reason")) for record in tracking.records] == [
        ("FINISHED", None),
        ("FAILED", "diverged"),
    ]


def test_what_a_stage_finds_another_time_is_logged_again(tracking, tmp_path):
    for loss in (0.5, 0.25, 0.25):
        records(tracking, tmp_path).stage("encoder", {"loss": loss})
    assert [record.metrics for record in tracking.records if record.kind == "stage"] == [
        [("loss", 0.5, 0)],
        [("loss", 0.25, 0)],
    ]


def test_runs_of_a_search_arrive_also_when_its_parameters_have_changed_before(place, tmp_path):
    client = place.unreliable_client()
    client.down = True
    lost = Tracking("uri", Outbox(tmp_path / "outbox", pytest.fail), place.writer(client), lambda words: None)
    earlier = SearchRecords(lost, tmp_path, SearchConfig(seed=11), "0" * 32)
    earlier.stage("pairs", {"pairs": 5.0})
    assert earlier.close() == 2
    found = Tracking("uri", Outbox(tmp_path / "outbox", pytest.fail), place.writer(), pytest.fail)
    later = SearchRecords(found, tmp_path, SearchConfig(seed=12), "0" * 32)
    later.search()
    assert later.close() == 0
    keys = [f"search-{earlier.name}", f"search-{earlier.name}-pairs", f"search-{later.name}"]
    assert [place.run(key).info.status for key in keys] == ["RUNNING", "FINISHED", "RUNNING"]
    assert place.run(keys[1]).data.metrics == {"pairs": 5.0}


def test_only_finite_numbers_are_metrics():
    values = {"a": 1, "b": 0.5, "c": float("nan"), "d": None, "e": "text", "f": True}
    assert finite(values) == {"a": 1.0, "b": 0.5}
