"""One training of a finalist: what is in its key, and what a rung gives."""

import math
from dataclasses import replace

import pytest
import torch

from nasgem_core.backbones.layout import named_layout
from nasgem_core.backbones.width import fit_to_budget
from nasgem_core.config.transfer import ImagenetConfig
from nasgem_core.errors import DataError, DeviceMemoryError, DivergedError
from nasgem_core.training.image_files import list_image_files
from tasks.run.placement import Placement
from tasks.stages import finalist_training as module
from tasks.stages.finalist_training import middle_rate, plan_finalist, train_finalist
from tasks.store.fingerprint import fingerprint
from tests.tasks.classifiers import CELL, SMALL
from tests.training.folders import write_images

CONFIG = replace(SMALL, dataset="pictures", image_size=32, tuning_share=0.25)


@pytest.fixture
def spec():
    layout = named_layout("cifar", "mobile")
    return fit_to_budget("finalist", CELL, layout, num_classes=3, image_size=(32, 32), macs=2_000_000)


@pytest.fixture
def images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return list_image_files(write_images(tmp_path / "pictures", train=8, val=3))[0]


@pytest.mark.parametrize(
    ("rates", "middle"), [((0.024, 0.006, 0.012), 0.012), ((0.1,), 0.1), ((0.2, 0.1), 0.1), ((4, 3, 2, 1), 2)]
)
def test_all_finalists_have_the_rate_in_the_middle(rates, middle):
    assert middle_rate(ImagenetConfig(learning_rates=rates)) == middle


def test_the_key_holds_what_the_weights_depend_on(spec):
    plan = plan_finalist(spec, CONFIG, 4, 0)
    assert (plan.epochs, plan.learning_rate, plan.config.batch_size) == (4, 0.1, 8)
    key = fingerprint(plan)
    for name, value in {"dataset": "elsewhere", "networks": ("darts",), "seeds": 9, "epochs": 7, "macs": (5,)}.items():
        assert fingerprint(plan_finalist(spec, replace(CONFIG, **{name: value}), 4, 0)) == key
    for name, value in {"dropout": 0.1, "tuning_share": 0.2, "learning_rates": (0.2,), "batch_size": 4}.items():
        assert fingerprint(plan_finalist(spec, replace(CONFIG, **{name: value}), 4, 0)) != key
    assert len({key, *(fingerprint(plan_finalist(spec, CONFIG, *args)) for args in ((5, 0), (4, 1)))}) == 3


@pytest.mark.slow
def test_a_rung_goes_on_from_the_one_before_and_comes_back_as_it_was(spec, images, tmp_path, monkeypatch):
    values = {"images_hash": images.digest, "placement": Placement(images="pictures")}
    plan = plan_finalist(spec, CONFIG, 3, 0)
    first = train_finalist.fn(plan, until=1, **values)
    assert not first["failed"] and first["history"][-1]["epoch"] == 1 and 0 <= first["top1"] <= 1
    # 6 of the 24 images are held out, so an epoch is 2 steps of 8.
    assert {row["step"] for row in first["history"]} == {2}
    second = train_finalist.fn(plan, until=3, **values)
    assert second["history"][: len(first["history"])] == first["history"]
    assert [row["epoch"] for row in second["history"] if "top1" in row] == [1, 2, 3]
    monkeypatch.setattr("nasgem_core.training.loop._Loop._take_step", lambda *_: pytest.fail("trained again"))
    assert train_finalist.fn(plan, until=1, **values) == first, "its record was lost, its checkpoint is of a later rung"


def test_a_training_that_diverges_is_a_result(spec, images, monkeypatch):
    def diverge(*_, **__):
        raise DivergedError("the loss was nan")

    monkeypatch.setattr(module, "train_network", diverge)
    plan, placement = plan_finalist(spec, CONFIG, 3, 0), Placement(images="pictures")
    found = train_finalist.fn(plan, images.digest, 1, placement)
    assert found["failed"] and found["reason"] == "the loss was nan" and math.isnan(found["top1"])
    with pytest.raises(DataError, match="the images of pictures changed while networks were trained"):
        train_finalist.fn(plan, "another", 1, placement)


def test_a_training_without_enough_memory_is_no_result(spec, images, monkeypatch):
    def starve(*_, **__):
        raise error

    monkeypatch.setattr(module, "train_network", starve)
    plan, placement = plan_finalist(spec, CONFIG, 3, 0), Placement(images="pictures")
    error = torch.OutOfMemoryError("CUDA out of memory")
    with pytest.raises(DeviceMemoryError, match=r"^cpu has too little memory left for a finalist: lower"):
        train_finalist.fn(plan, images.digest, 1, placement)
    error = RuntimeError("shapes do not match")
    with pytest.raises(RuntimeError, match="shapes do not match"):
        train_finalist.fn(plan, images.digest, 1, placement)
