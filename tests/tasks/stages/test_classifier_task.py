"""A training on a worker: its checkpoint is all that it leaves, and whoever reads it trains nothing."""

from dataclasses import replace

import pytest

from nasgem_core.backbones.scaled import scaled_to_budget
from nasgem_core.training.checkpoint import LAST, reached
from nasgem_core.training.distributed import World
from nasgem_core.training.hold_out import hold_out
from nasgem_core.training.image_files import list_image_files
from nasgem_core.training.loop import _Loop
from tasks.run.placement import Placement
from tasks.stages import classifier_task as module
from tasks.stages.classifier import checkpoints_of, train_network
from tasks.stages.classifier_task import train_on_worker
from tasks.stages.imagenet import ClassifierTraining, train_classifier
from tasks.stages.sent_folder import digests_of
from tasks.stages.sent_images import OtherImagesError
from tasks.store.object_store import STORE
from tests.tasks.classifiers import SMALL
from tests.training.folders import write_images

CONFIG = replace(SMALL, dataset="pictures", image_size=32, tuning_share=0.25, tuning_epochs=1)


@pytest.fixture
def images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module._images_of.cache_clear()
    module._held_out.cache_clear()
    return list_image_files(write_images(tmp_path / "pictures", train=8, val=3))


@pytest.fixture
def training():
    spec = scaled_to_budget("mobilenet_v2", 3, (32, 32), 3_000_000)
    return ClassifierTraining(spec, 0, CONFIG, 0, 0.1)


@pytest.mark.slow
@pytest.mark.parametrize("number", [None, 1])
def test_whoever_reads_its_checkpoint_trains_nothing(training, images, monkeypatch, tmp_path, number):
    training = replace(training, number=number)
    parts = hold_out(images[0], CONFIG.tuning_share, 0) if number is None else images
    values = {"images_hash": digests_of(images), "placement": Placement(images="pictures"), "returned": True}
    content = train_on_worker.fn(training, **values)["checkpoint"].tobytes()
    folder = checkpoints_of(training, parts)
    assert reached(folder).evaluated == training.epochs and content == (folder / LAST).read_bytes()
    assert train_on_worker.fn(training, **{**values, "returned": False}) == {"checkpoint": None}
    monkeypatch.setattr("nasgem_core.training.loop._Loop._take_step", lambda *_: pytest.fail("trained again"))
    found = train_classifier(training, parts, World())
    assert 0 <= found.card.metrics["top1"] <= 1 and found.history[-1]["epoch"] == training.epochs

    with pytest.raises(OtherImagesError, match="the images of pictures changed while networks were trained"):
        train_on_worker.fn(training, **{**values, "images_hash": "another"})


@pytest.mark.slow
def test_another_machine_goes_on_from_the_checkpoint_in_the_store(training, images, tmp_path, monkeypatch):
    monkeypatch.setenv(STORE, f"file://{tmp_path}/store")
    for machine in ("one", "two"):
        (tmp_path / machine).mkdir()
    monkeypatch.chdir(tmp_path / "one")
    train_network(training, images, World(), until=1)
    monkeypatch.chdir(tmp_path / "two")
    steps, take = [], _Loop._take_step
    monkeypatch.setattr(_Loop, "_take_step", lambda loop, *rest: steps.append(loop.step) or take(loop, *rest))
    placement = Placement(images=str(images[0].folder.parent))
    train_on_worker.fn(training, digests_of(images), placement, returned=False)
    assert steps == [3, 4, 5], "the first epoch was done on the other machine"
