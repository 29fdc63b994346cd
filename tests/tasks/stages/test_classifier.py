"""How any classifier is trained: the recipe, and the regularisation."""

from dataclasses import replace

import pytest

from nasgem_core.backbones.published.mobile import SCALABLE
from nasgem_core.backbones.spec import PublishedSpec
from nasgem_core.backbones.stochastic_depth import StochasticDepth
from nasgem_core.config.transfer import ImagenetConfig
from nasgem_core.errors import NasgemError
from nasgem_core.training.distributed import World
from nasgem_core.training.image_files import list_image_files
from tasks.stages.classifier import recipe_of
from tasks.stages.imagenet import ClassifierTraining, plan_classifiers, train_classifier
from tests.tasks.classifiers import SMALL, write_gemnets
from tests.training.folders import write_images


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_learning_rate_follows_the_images_of_a_step():
    config = ImagenetConfig(batch_size=1024, epochs=300, warmup_epochs=5.0, averaging=0.999)
    training = ClassifierTraining(PublishedSpec("darts", 3, (64, 64)), 0, config, 0, 0.1)
    recipe = recipe_of(training, 102_400)
    assert recipe.learning_rate == pytest.approx(0.4) and recipe.warmup_steps == 500
    assert (recipe.optimiser, recipe.schedule, recipe.epochs, recipe.averaging) == ("rmsprop", "cosine", 300, 0.999)


@pytest.mark.parametrize("name", ["gemnet", "mobilenet_v2", "efficientnet_b0", "darts", "randwire_ws"])
def test_all_networks_have_the_same_dropout_where_it_is_equal(here, name, monkeypatch):
    found = []

    def stop(task, *_, **__):
        found.append((task.model.dropout.p, [m.share for m in task.model.modules() if isinstance(m, StochasticDepth)]))
        raise NasgemError("enough")

    monkeypatch.setattr("tasks.stages.classifier.train", stop)
    images = list_image_files(write_images(here / "pictures", train=8, val=3))
    write_gemnets(here)
    config = replace(SMALL, networks=(name,), seeds=1, macs=(18_970_000,))
    for change in ({"dropout": 0.3, "stochastic_depth": 0.1}, {"dropout": 0.3, "equal_dropout": False}):
        (training,) = plan_classifiers(replace(config, **change), 3, 0)
        with pytest.raises(NasgemError, match="enough"):
            train_classifier(training, images, World())
    (equal, shares), (own, no_shares) = found
    assert equal == 0.3 and own == (0.2 if name in SCALABLE else 0.0) and not any(no_shares)
    assert shares[-1:] == ([0.1] if name in ("gemnet", *SCALABLE) else [])
