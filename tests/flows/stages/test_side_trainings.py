"""Trainings that workers do before a stage reads them, on workers that see its folder and on those that do not."""

import os
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from flows.stages import side_trainings as module
from flows.stages.side_trainings import Workers
from nasgem_core.backbones.scaled import scaled_to_budget
from nasgem_core.training.checkpoint import reached
from nasgem_core.training.distributed import World
from nasgem_core.training.image_files import list_image_files
from tasks.stages import classifier_task
from tasks.stages.classifier import checkpoints_of
from tasks.stages.classifier_task import classifier_work, train_on_worker
from tasks.stages.imagenet import ClassifierTraining, train_classifier
from tests.tasks.classifiers import SMALL
from tests.training.folders import write_images

pytestmark = pytest.mark.slow


class Future:
    def __init__(self, found):
        self.found = found

    def result(self):
        return self.found

    def add_done_callback(self, tell):
        tell(self)


class FakeEngine:
    """Runs tasks at once, in this folder or in that of another machine."""

    def __init__(self, *, workers: int = 2, elsewhere: Path | None = None) -> None:
        self.workers, self.sees_folder, self.elsewhere = workers, elsewhere is None, elsewhere
        self.submitted = []

    def ask(self, function, *arguments):
        with working_in(self.elsewhere or Path.cwd()):
            return [function(*arguments)]

    def submit(self, task, inputs):
        self.submitted += [values["training"].name for values in inputs]
        with working_in(self.elsewhere or Path.cwd()):
            return [Future(task.fn(**values)) for values in inputs]


@contextmanager
def working_in(folder):
    before = Path.cwd()
    os.chdir(folder)
    yield
    os.chdir(before)


@pytest.fixture
def images(tmp_path, monkeypatch):
    (tmp_path / "own").mkdir()
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "own")
    return list_image_files(write_images(tmp_path / "pictures", train=8, val=3))


@pytest.fixture
def trainings(images):
    spec = scaled_to_budget("mobilenet_v2", 3, (32, 32), 3_000_000)
    config = replace(SMALL, dataset=str(images[0].folder.parent), image_size=32)
    return [ClassifierTraining(spec, number, config, 0, 0.1) for number in range(2)]


def train_side_by_side(workers, trainings, images, on_rows=lambda *_: None):
    work = partial(classifier_work, parts=images, images=images, device=workers.device)
    module.train_side_by_side(workers, train_on_worker, trainings, work, on_rows)


def test_a_cluster_sends_checkpoints_that_are_as_if_trained_here(trainings, images, tmp_path, monkeypatch):
    engine, rows = FakeEngine(workers=1, elsewhere=tmp_path / "other"), {}
    train_classifier(trainings[0], images, World())

    def keep(name, new):
        rows.setdefault(name, []).extend(new)

    train_side_by_side(Workers(engine, "cpu"), trainings, images, keep)
    assert engine.submitted == ["mobilenet_v2-1"], "the other one is finished"
    assert rows == {"mobilenet_v2-1": list(reached(checkpoints_of(trainings[1], images)).history)}
    with working_in(tmp_path):
        undisturbed = train_classifier(trainings[1], images, World())
    monkeypatch.setattr("nasgem_core.training.loop._Loop._take_step", lambda *_: pytest.fail("trained again"))
    found = train_classifier(trainings[1], images, World())
    assert found.card == undisturbed.card
    assert all(value.equal(undisturbed.weights[name]) for name, value in found.weights.items())
    train_side_by_side(Workers(engine, "cpu"), trainings, images)
    assert len(engine.submitted) == 1


def test_weights_of_this_machine_stay_here(trainings, images, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(classifier_task, "checkpoints_of", lambda *_: tmp_path)
    engine = FakeEngine(elsewhere=tmp_path / "other")
    own = [replace(each, config=replace(each.config, weights=("w.pth",))) for each in trainings]
    train_side_by_side(Workers(engine, "cpu"), own, images)
    assert not engine.submitted
    assert "networks that begin with trained weights are trained here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("workers", "device", "count", "helped"),
    [(2, "cpu", 2, True), (2, "cpu", 1, False), (1, "cpu", 2, False), (3, "cpu", 2, False), (2, "mps", 2, False)],
)
def test_on_one_machine_workers_help_where_every_core_has_a_training(workers, device, count, helped):
    assert Workers(FakeEngine(workers=workers), device).help_with(count) == helped


@pytest.mark.parametrize(
    ("gpus", "workers", "device", "count", "helped"),
    [
        (1, 4, "cuda", 8, False),
        (4, 4, "cuda", 3, False),
        (4, 4, "cuda", 4, True),
        (4, 8, "cuda", 5, True),
        (4, 1, "cuda", 8, False),
        (4, 2, "cuda", 2, True),
        (4, 4, "cuda:1", 8, False),
    ],
)
def test_on_one_machine_workers_help_where_every_gpu_has_a_training(monkeypatch, gpus, workers, device, count, helped):
    monkeypatch.setattr("torch.cuda.device_count", lambda: gpus)
    assert Workers(FakeEngine(workers=workers), device).help_with(count) == helped


def test_a_cluster_helps_with_any_training(tmp_path):
    far = Workers(FakeEngine(workers=0, elsewhere=tmp_path), "cuda")
    assert far.help_with(1) and not far.help_with(0)


def test_what_is_to_be_done_again_is_done_where_it_is_read(trainings, images, monkeypatch):
    engine = FakeEngine()
    monkeypatch.setattr(module, "is_refreshing", lambda: True)
    train_side_by_side(Workers(engine, "cpu"), trainings, images)
    assert not engine.submitted


def test_trainings_of_this_machine_are_seen_while_they_run(trainings, images):
    engine, rows = FakeEngine(), []
    train_side_by_side(Workers(engine, "cpu"), trainings, images, lambda name, new: rows.append(len(new)))
    assert engine.submitted == ["mobilenet_v2-0", "mobilenet_v2-1"]
    assert rows == [len(reached(checkpoints_of(each, images)).history) for each in trainings]


def test_where_workers_cannot_help_no_network_is_built(trainings):
    engine = FakeEngine(workers=1)
    work = partial(pytest.fail, "built")
    module.train_side_by_side(Workers(engine, "cpu"), train_on_worker, trainings, lambda _: work())
    assert not engine.submitted
