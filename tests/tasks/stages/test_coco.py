from dataclasses import replace

import numpy as np
import pytest

from nasgem_core.errors import DataError, ParameterError
from nasgem_core.training.distributed import World
from tasks.stages import coco, imagenet
from tasks.stages.coco_data import read_data
from tests.tasks.backbones import write_classifier
from tests.tasks.detectors import CONFIG, write_workplace


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """Make a repository with a data set and two trained networks."""
    monkeypatch.chdir(tmp_path)
    return write_workplace(tmp_path)


def test_a_detector_starts_from_the_best_training_of_its_backbone(workplace):
    data, backbones = read_data(CONFIG), coco.trained_backbones()
    assert {name: card.name for name, card in backbones.items()} == {"mobilenet_v2": "mobilenet_v2-1"}
    trainings = coco.plan_detectors(CONFIG, data, backbones, 0)
    assert [training.name for training in trainings] == ["retinanet-mobilenet_v2", "faster_rcnn-mobilenet_v2"]
    weights = write_classifier(workplace, 1, 0.75)
    assert all(np.array_equal(trainings[0].start[name], value) for name, value in weights.items())
    spec = trainings[0].spec
    assert [info.stride for info in spec.backbone.build().feature_info] == [2, 4, 8, 16, 32]
    assert [category.name for category in spec.categories] == ["cat", "dog"]
    assert (spec.settings.short_side, spec.settings.square, spec.settings.pyramid_channels) == (48, True, 8)


def test_what_was_found_is_reported_at_each_evaluation(workplace):
    data = read_data(CONFIG)
    seen = []
    for training in coco.plan_detectors(CONFIG, data, coco.trained_backbones(), 0):
        trained = coco.train_detector(training, data, World(), on_progress=lambda *report: seen.append(report))
        assert {"AP", "AP50", "train_AP50"} <= set(trained.metrics)
    evaluated = [found for progress, found in seen if "AP" in progress.metrics]
    assert len(evaluated) == 4 and all(set(found) == {"", "train_"} for found in evaluated)
    assert not any(found for progress, found in seen if "AP" not in progress.metrics)


def test_what_was_trained_is_not_trained_again(workplace):
    config = replace(CONFIG, detectors=("retinanet",))
    data = read_data(config)
    (training,) = coco.plan_detectors(config, data, coco.trained_backbones(), 0)
    first = coco.train_detector(training, data, World())
    seen = []
    second = coco.train_detector(training, data, World(), on_progress=lambda *report: seen.append(report))
    assert not seen and second.metrics == first.metrics and second.history == first.history
    assert all(np.array_equal(second.weights[name], value) for name, value in first.weights.items())
    for prefix, found in first.samples.items():
        assert all(
            np.array_equal(a, b)
            for a, b in zip(vars(found).values(), vars(second.samples[prefix]).values(), strict=True)
        )


def test_the_rate_is_that_of_the_detector_and_its_batch():
    config = replace(CONFIG, learning_rate=0.02, batch_size=8)
    assert coco.recipe_of(config, "faster_rcnn").learning_rate == pytest.approx(0.01)
    assert coco.recipe_of(config, "retinanet").learning_rate == pytest.approx(0.005)


def test_a_parameter_is_named_with_its_section(workplace):
    config = replace(CONFIG, batch_size=1000, detectors=("retinanet",))
    data = read_data(config)
    (training,) = coco.plan_detectors(config, data, coco.trained_backbones(), 0)
    with pytest.raises(ParameterError, match=r"^coco\.batch_size is larger than the number of training images"):
        coco.train_detector(training, data, World())


def test_a_backbone_that_is_not_trained_is_named(workplace):
    config = replace(CONFIG, backbones=("gemnet",))
    with pytest.raises(DataError, match=r"coco.backbones names 'gemnet', and data/imagenet holds mobilenet_v2: "):
        coco.plan_detectors(config, read_data(config), coco.trained_backbones(), 0)
    (imagenet.FOLDER / "mobilenet_v2-0.json").write_text("{}")
    with pytest.raises(DataError, match=r"mobilenet_v2-0.json: "):
        coco.trained_backbones()
