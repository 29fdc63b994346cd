"""Which networks are trained, what their files hold, and what is said of parameters that do not go together."""

from dataclasses import replace

import numpy as np
import pytest

from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.layout import IMAGENET, TINY
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.config.transfer import ImagenetConfig
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.training.distributed import World
from nasgem_core.training.image_files import list_image_files
from nasgem_core.weights import NETWORK, NETWORK_SCHEMA
from tasks.stages.imagenet import (
    FOLDER,
    HISTORY_FILE,
    METRICS_FILE,
    ClassifierTraining,
    history_of,
    met_budget,
    plan_classifiers,
    recipe_of,
    summary_of,
    train_classifier,
    write_classifiers,
)
from tasks.store.artifacts import read_json, read_table, read_weights
from tests.training.folders import write_images

CELL = Cell(np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]]), ("input", "dwconv3x3", "conv1x1"))
SMALL = ImagenetConfig(
    networks=("mobilenet_v2",),
    macs=8_310_000,
    image_size=64,
    seeds=2,
    epochs=2,
    batch_size=8,
    learning_rate=0.1,
    warmup_epochs=0.5,
    averaging=0.999,
    crop_area=(0.08, 1.0),
    centre_share=0.875,
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def gemnets(here):
    (here / "data" / "gemnet").mkdir(parents=True)
    for name, width in (("gemnet_a", 32.0), ("gemnet_b", 40.0)):
        spec = GEMNetSpec(name, 1000, (224, 224), CELL, IMAGENET, width)
        (here / "data" / "gemnet" / f"{name}.json").write_text(spec.to_json())
    return here


def test_both_networks_take_a_size_that_both_can_have(gemnets):
    config = replace(SMALL, networks=("gemnet", "mobilenet_v2"), macs=19_500_000, seeds=1)
    macs = met_budget(config, 20)
    assert macs > 19_500_000 * 1.01
    costs = [count_costs(training.spec.build(), (64, 64)).macs for training in plan_classifiers(config, 20, 0)]
    assert costs == pytest.approx([macs, macs], rel=0.01)
    assert met_budget(replace(config, macs=18_970_000), 20) == 18_970_000
    assert met_budget(replace(config, networks=("gemnet",)), 20) == 19_500_000


def test_the_cell_is_that_of_the_stage_and_not_of_a_network_beside_its_own(gemnets):
    other = Cell(np.array([[0, 1], [0, 0]]), ("input", "conv1x1"))
    (gemnets / "data" / "gemnet" / "a_mine.json").write_text(
        GEMNetSpec("a_mine", 1000, (224, 224), other, IMAGENET, 32.0).to_json()
    )
    (training,) = plan_classifiers(replace(SMALL, networks=("gemnet",), macs=18_970_000, seeds=1), 20, 0)
    assert training.spec.cell == CELL


def test_gemnet_and_its_rival_have_equal_costs(gemnets):
    config = replace(SMALL, networks=("gemnet", "mobilenet_v2"), macs=18_970_000)
    trainings = plan_classifiers(config, 20, 0)
    names = [training.name for training in trainings]
    assert names == ["gemnet-0", "mobilenet_v2-0", "gemnet-1", "mobilenet_v2-1"]
    specs = [training.spec for training in trainings[:2]]
    assert specs[0].cell == CELL and specs[0].layout == TINY
    costs = [count_costs(spec.build(), (64, 64)).macs for spec in specs]
    assert costs == pytest.approx([config.macs] * 2, rel=0.01)
    assert [spec.build().classifier.out_features for spec in specs] == [20, 20]


def test_without_a_budget_gemnet_is_trained_as_it_was_built(gemnets):
    config = replace(SMALL, networks=("gemnet", "mobilenet_v2_1_4"), macs=0, image_size=128, seeds=1)
    specs = [training.spec for training in plan_classifiers(config, 7, 0)]
    assert [spec.name for spec in specs] == ["gemnet_a", "gemnet_b", "mobilenet_v2_1_4"]
    assert {(spec.num_classes, spec.image_size) for spec in specs} == {(7, (128, 128))}
    assert specs[0].layout == IMAGENET and specs[1].width == 40.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"networks": ("gemnet",)}, "data/gemnet holds no network: run `nasgem stage gemnet`"),
        (
            {"networks": ("alexnet",)},
            "imagenet.networks names 'alexnet': it is unknown; choose among gemnet, mobile",
        ),
        ({"macs": 22_000_000}, r"^imagenet\.macs = 22M cannot be met by a MobileNetV2 within 1 %"),
        ({"macs": 0}, r"^imagenet\.macs = 0, and networks names mobilenet_v2, which is sized to it: set it"),
    ],
)
def test_networks_that_cannot_be_are_named(here, changes, message):
    with pytest.raises((DataError, ParameterError), match=message):
        plan_classifiers(replace(SMALL, **changes), 20, 0)


def test_a_foreign_file_among_the_networks_is_named(gemnets):
    (gemnets / "data" / "gemnet" / "gemnet_c.json").write_text("{}")
    with pytest.raises(DataError, match=r"data/gemnet/gemnet_c\.json: not a network"):
        plan_classifiers(replace(SMALL, networks=("gemnet",)), 20, 0)


def test_a_network_that_would_be_trained_twice_is_named(gemnets):
    path = gemnets / "data" / "gemnet" / "gemnet_b.json"
    path.write_text((path.parent / "gemnet_a.json").read_text())
    with pytest.raises(ParameterError, match="gemnet_a would be trained twice"):
        plan_classifiers(replace(SMALL, networks=("gemnet",), macs=0), 20, 0)


def test_the_learning_rate_follows_the_images_of_a_step():
    config = ImagenetConfig(batch_size=1024, epochs=300, learning_rate=0.1, warmup_epochs=5.0, averaging=0.999)
    recipe = recipe_of(config, 102_400)
    assert recipe.learning_rate == pytest.approx(0.4) and recipe.warmup_steps == 500
    assert (recipe.optimiser, recipe.schedule, recipe.epochs, recipe.averaging) == ("rmsprop", "cosine", 300, 0.999)


@pytest.mark.slow
def test_files_hold_what_was_trained(here):
    images = list_image_files(write_images(here / "pictures", train=8, val=3))
    trainings = plan_classifiers(SMALL, 3, 0)
    found = [train_classifier(training, images, World()) for training in trainings]
    assert not np.array_equal(found[0].weights["classifier.weight"], found[1].weights["classifier.weight"])
    again = train_classifier(trainings[0], images, World())
    assert again.card == found[0].card and again.history == found[0].history
    summary, history = summary_of(found, {"mobilenet_v2": (8_310_000, 100_000)}), history_of(found)
    write_classifiers(found, summary, history, b"picture")
    arrays, metadata = read_weights(FOLDER / "mobilenet_v2-0.safetensors", NETWORK_SCHEMA)
    card = NetworkCard.from_json((FOLDER / "mobilenet_v2-0.json").read_text())
    assert metadata[NETWORK] == card.to_dict() and card.metrics == found[0].card.metrics
    assert np.array_equal(arrays["classifier.weight"], found[0].weights["classifier.weight"])
    table = read_table(HISTORY_FILE, "nasgem.history/1")
    assert table["top1"].notna().sum() == 4 and table["seed"].tolist() == sorted(table["seed"])
    entry = read_json(METRICS_FILE, "nasgem.metrics/1")["networks"]["mobilenet_v2"]
    top1 = [each.card.metrics["top1"] for each in found]
    assert entry["top1"] == top1 and entry["top1_mean"] == pytest.approx(np.mean(top1))
    assert entry["top1_deviation"] == pytest.approx(np.std(top1, ddof=1))
    write_classifiers(found[:1], summary, history, b"picture")
    assert not (FOLDER / "mobilenet_v2-1.json").exists() and (FOLDER / "mobilenet_v2-0.json").exists()


def test_a_training_is_named_after_network_and_seed(gemnets):
    spec = plan_classifiers(replace(SMALL, networks=("gemnet",), macs=0), 3, 0)[0].spec
    assert ClassifierTraining(spec, 3, SMALL, 0).name == "gemnet_a-3"


def test_nothing_trained_is_no_row(here):
    assert len(history_of([])) == 0 and summary_of([], {}) == {}


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
