"""The trainings of stage `imagenet`: which ones there are, and how one goes."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from nasgem_core.errors import ParameterError
from nasgem_core.training.classification import ClassificationTask
from nasgem_core.training.distributed import World
from nasgem_core.training.image_files import list_image_files
from tasks.stages.classifier import settings_of
from tasks.stages.imagenet import plan_classifiers, train_classifier
from tests.tasks.classifiers import SMALL, write_gemnets
from tests.training.folders import write_images


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_network_is_trained_from_the_first_seed_and_then_from_the_next(here):
    write_gemnets(here)
    config = replace(SMALL, networks=("gemnet", "mobilenet_v2"), macs=(18_970_000,))
    names = [training.name for training in plan_classifiers(config, 3, 0)]
    assert names == ["gemnet-0", "mobilenet_v2-0", "gemnet-1", "mobilenet_v2-1"]


def test_trainings_at_another_budget_are_added_to_those_that_are_there(here):
    write_gemnets(here)
    config = replace(SMALL, networks=("gemnet", "mobilenet_v2"), macs=(18_970_000,), seeds=1)
    alone, both, turned = (
        plan_classifiers(replace(config, macs=macs), 3, 0)
        for macs in ((18_970_000,), (18_970_000, 30_000_000), (30_000_000, 18_970_000))
    )
    assert both[:2] == [replace(each, config=both[0].config) for each in alone]
    assert [each.name for each in both[2:]] == ["gemnet_30M-0", "mobilenet_v2_30M-0"]
    assert [each.name for each in turned[2:]] == ["gemnet_18.97M-0", "mobilenet_v2_18.97M-0"]
    assert [(each.spec, each.checkpoints, each.seed) for each in turned[2:]] == [
        (each.spec, each.checkpoints, each.seed) for each in alone
    ], "whichever budget comes first, the training is the same"


def test_cards_have_the_names_of_classes_and_messages_that_of_the_section(here):
    write_images(here / "pictures", train=8, val=3)
    (here / "pictures" / "classes.txt").write_text("blue the sky\n")
    images = list_image_files(here / "pictures")
    config = replace(SMALL, dataset="pictures", epochs=1, seeds=1)
    (training,) = plan_classifiers(config, 3, 0)
    trained = train_classifier(training, images, World())
    assert trained.card.classes == ("the sky", "green", "red")
    with pytest.raises(ParameterError, match=r"^imagenet\.batch_size = 100: .* has 24 images; lower it"):
        train_classifier(replace(training, config=replace(config, batch_size=100)), images, World())


def test_pairs_of_networks_see_the_same_crops_in_the_same_order(here):
    images = list_image_files(write_images(here / "pictures", train=8, val=3))
    config = replace(SMALL, networks=("mobilenet_v2", "mobilenet_v3_small"))
    trainings = plan_classifiers(config, 3, 0)

    def shown(training):
        task = ClassificationTask(nn.Linear(1, 1), {}, images, settings_of(config, config.batch_size), training.seed)
        return [batch.pixels for epoch in range(2) for batch in task.batches(epoch, World(), 0)]

    first, second, other, _ = map(shown, trainings)
    assert [training.number for training in trainings] == [0, 0, 1, 1]
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(first, other, strict=True))
