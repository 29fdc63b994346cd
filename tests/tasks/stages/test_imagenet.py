"""The trainings of stage `imagenet`: which ones there are, and how one goes."""

from dataclasses import replace

import pytest

from nasgem_core.config.transfer import ImagenetConfig
from nasgem_core.errors import ParameterError
from nasgem_core.training.distributed import World
from nasgem_core.training.image_files import list_image_files
from tasks.stages.imagenet import plan_classifiers, recipe_of, train_classifier
from tests.tasks.classifiers import SMALL, write_gemnets
from tests.training.folders import write_images


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_learning_rate_follows_the_images_of_a_step():
    config = ImagenetConfig(batch_size=1024, epochs=300, learning_rate=0.1, warmup_epochs=5.0, averaging=0.999)
    recipe = recipe_of(config, 102_400)
    assert recipe.learning_rate == pytest.approx(0.4) and recipe.warmup_steps == 500
    assert (recipe.optimiser, recipe.schedule, recipe.epochs, recipe.averaging) == ("rmsprop", "cosine", 300, 0.999)


def test_every_network_is_trained_from_the_first_seed_and_then_from_the_next(here):
    write_gemnets(here)
    config = replace(SMALL, networks=("gemnet", "mobilenet_v2"), macs=18_970_000)
    names = [training.name for training in plan_classifiers(config, 3, 0)]
    assert names == ["gemnet-0", "mobilenet_v2-0", "gemnet-1", "mobilenet_v2-1"]


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
