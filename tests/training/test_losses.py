from pathlib import Path

import pytest
import torch
from torch import nn

from nasgem_core.errors import NasgemError
from nasgem_core.training.checkpoint import LAST
from nasgem_core.training.distributed import World
from nasgem_core.training.losses import LossMeter

FOLDER = Path("checkpoints")


def test_means_are_taken_over_steps_and_begin_anew():
    meter = LossMeter(World(), FOLDER)
    for value in (1.0, 2.0, 6.0):
        meter.add({"loss": torch.tensor(value), "boxes": torch.tensor(value / 2)}, ["a", "b"], "step")
    assert meter.images == 6
    assert meter.means() == meter.means() == {"loss": 3.0, "boxes": 1.5}
    meter.clear()
    meter.add({"loss": torch.tensor(5.0)}, ["a"], "step")
    assert meter.images == 1 and meter.means() == {"loss": 5.0}


class Pair(World):
    """Two processes of which the other one has a loss of 2, or none."""

    other = 2.0

    def sum(self, values):
        return [value + self.other for value in values]

    def gather(self, value):
        return [value, ([self.other], ["theirs"])]


def test_processes_are_averaged():
    meter = LossMeter(Pair(0, 2), FOLDER)
    meter.add({"loss": torch.tensor(4.0)}, ["mine"], "step")
    assert meter.images == 2 and meter.means() == {"loss": 3.0}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_images_are_named_and_counted(value, tmp_path):
    names = [f"image {i}" for i in range(11)]
    with pytest.raises(NasgemError, match=rf"the loss was {value} in epoch 2, step 3 of 9, with the images image 0, "):
        LossMeter(World(), FOLDER).add({"loss": torch.tensor(value)}, names, "epoch 2, step 3 of 9")
    with pytest.raises(
        NasgemError, match=r"image 7 and 3 more: lower the learning rate .* no checkpoint has been written"
    ):
        LossMeter(World(), tmp_path).add({"loss": torch.tensor(value)}, names, "epoch 2, step 3 of 9")
    (tmp_path / LAST).touch()
    with pytest.raises(NasgemError, match=r"the last checkpoint is still in"):
        LossMeter(World(), tmp_path).add({"loss": torch.tensor(value)}, names, "epoch 2, step 3 of 9")


def test_only_the_process_whose_loss_it_was_is_named():
    world = Pair(0, 2)
    object.__setattr__(world, "other", float("nan"))
    with pytest.raises(NasgemError, match="with the images theirs: lower"):
        LossMeter(world, FOLDER).add({"loss": torch.tensor(4.0)}, ["mine"], "step")


def test_weights_must_be_finite():
    meter, model = LossMeter(World(), FOLDER), nn.Linear(2, 2)
    meter.require_finite(model)
    meter.add({"loss": torch.tensor(4.0)}, ["mine"], "epoch 1, step 1 of 2")
    with torch.no_grad():
        model.bias[1] = torch.inf
    with pytest.raises(
        NasgemError, match="not finite after epoch 1, step 1 of 2, or a step before it, with the images mine"
    ):
        meter.require_finite(model)


def test_on_a_gpu_a_loss_is_read_when_the_next_step_is_on_its_way():
    meter = LossMeter(World(device=torch.device("cuda")), FOLDER)
    meter.add({"loss": torch.tensor(1.0)}, ["a"], "step 1")
    assert meter.steps == 0
    meter.add({"loss": torch.tensor(3.0)}, ["b"], "step 2")
    assert meter.steps == 1 and meter.means() == {"loss": 2.0} and meter.images == 2


def test_on_a_gpu_the_step_that_diverged_is_named_and_not_the_next_one():
    meter = LossMeter(World(device=torch.device("cuda")), FOLDER)
    meter.add({"loss": torch.tensor(float("nan"))}, ["a"], "step 1")
    with pytest.raises(NasgemError, match=r"the loss was nan in step 1, with the images a:"):
        meter.add({"loss": torch.tensor(1.0)}, ["b"], "step 2")
    meter = LossMeter(World(device=torch.device("cuda")), FOLDER)
    meter.add({"loss": torch.tensor(float("nan"))}, ["a"], "step 1")
    with pytest.raises(NasgemError, match=r"the loss was nan in step 1"):
        meter.require_finite(nn.Linear(1, 1))
