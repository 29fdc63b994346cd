"""Which learning rate a network gets, and on what it is chosen."""

from dataclasses import replace

import pytest

from nasgem_core.errors import DivergedError, ParameterError
from nasgem_core.training.distributed import World
from nasgem_core.training.image_files import list_image_files
from tasks.stages.imagenet import plan_classifiers, train_classifier
from tasks.stages.imagenet_tuning import best_rate, tune
from tests.tasks.classifiers import SMALL
from tests.training.folders import write_images

GRID = replace(SMALL, learning_rates=(0.01, 0.1), tuning_epochs=1, tuning_share=0.25, seeds=2)


@pytest.fixture
def images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return list_image_files(write_images(tmp_path / "pictures", train=8, val=3))


class Judge:
    """Stands for trainings whose accuracy is known: it keeps what it was asked for."""

    def __init__(self, top1):
        self.top1, self.asked = top1, []
        self.card = self

    def __call__(self, training, images):
        self.asked.append((training, images))
        found = self.top1[training.spec.name, training.learning_rate]
        if found is None:
            raise DivergedError("the loss was nan")
        self.metrics = {"top1": found, "validation_loss": 1.0}
        return self


def test_each_network_gets_its_best_rate_from_images_and_a_seed_that_are_not_reported(images):
    names = ("mobilenet_v2", "mobilenet_v3_small")
    planned = plan_classifiers(replace(GRID, networks=names), 3, 0)
    judge = Judge({(names[0], 0.01): 0.4, (names[0], 0.1): 0.5, (names[1], 0.01): 0.3, (names[1], 0.1): None})
    trainings, grids = tune(planned, images, judge)
    assert [(each.name, each.learning_rate) for each in trainings] == [
        ("mobilenet_v2-0", 0.1),
        ("mobilenet_v3_small-0", 0.01),
        ("mobilenet_v2-1", 0.1),
        ("mobilenet_v3_small-1", 0.01),
    ]
    assert [row["top1"] for row in grids[names[1]]] == [0.3, None]
    assert [training.name for training, _ in judge.asked[:2]] == ["mobilenet_v2-rate-0.01", "mobilenet_v2-rate-0.1"]
    assert {training.epochs for training, _ in judge.asked} == {1}
    seeds = {training.seed for training, _ in judge.asked}
    assert len(seeds) == 1 and not seeds & {training.seed for training in trainings}
    parts = judge.asked[0][1]
    assert [len(part) for part in parts] == [18, 6] and not set(parts[0].files) & set(parts[1].files)
    assert {part.folder for part in parts} == {images[0].folder}


def test_a_single_rate_is_not_tried(images):
    planned = plan_classifiers(SMALL, 3, 0)
    assert tune(planned, images, Judge({})) == (planned, {}) and tune([], images, Judge({})) == ([], {})


def test_of_equal_accuracies_the_lower_loss_is_better_and_none_at_all_is_refused():
    rows = [{"learning_rate": rate, "top1": 0.5, "validation_loss": loss} for rate, loss in ((1, 0.9), (2, 0.8))]
    assert best_rate("gemnet", rows) == 2
    with pytest.raises(ParameterError, match=r"imagenet\.learning_rates = \[1\]: gemnet diverged with each of them"):
        best_rate("gemnet", [{"learning_rate": 1, "top1": None, "validation_loss": None}])


@pytest.mark.slow
def test_tried_rates_are_trained_once_and_come_back_from_their_checkpoints(images):
    planned, steps = plan_classifiers(replace(GRID, seeds=1), 3, 0), []

    def train(training, parts):
        return train_classifier(training, parts, World(), on_progress=lambda progress: steps.append(progress.step))

    first = tune(planned, images, train)
    assert steps and all(row["top1"] is not None for row in first[1]["mobilenet_v2"])
    done = len(steps)
    assert tune(planned, images, train) == first and len(steps) == done
