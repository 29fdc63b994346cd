"""Task "classifier training": a training of stage `imagenet` on a worker, which leaves its end in a checkpoint."""

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import torch

from nasgem_core.errors import DivergedError
from nasgem_core.training.distributed import World
from nasgem_core.training.hold_out import hold_out
from tasks.run.parameters import in_section
from tasks.run.placement import Placement
from tasks.run.progress import say
from tasks.stages.classifier import Images, checkpoints_of, length_of, train_network
from tasks.stages.imagenet import ClassifierTraining
from tasks.stages.sent_folder import digests_of, unchanged_images
from tasks.stages.worker_training import WorkerTraining, last_checkpoint, train_alone
from tasks.store.caching import unkept_task


def classifier_work(
    trainings: Sequence[ClassifierTraining], parts: Images, images: Images, device: str
) -> list[WorkerTraining]:
    """Return trainings as workers do them.

    Args:
        trainings: those that try learning rates, or the others.
        parts: what they train and are evaluated on.
        images: the training and the validation images of the stage; `parts` is the same, or is taken from them.
        device: of the workers of this machine.
    """
    whole, count = digests_of(images), len(parts[0])
    found = []
    for training in trainings:
        length = length_of(training, count)
        placement = Placement(device=device, images=training.config.dataset)
        inputs = {"training": training, "images_hash": whole, "placement": placement}
        folder = checkpoints_of(training, parts)
        steps, only_here = length.steps(count), bool(training.config.weights)
        found.append(WorkerTraining(training.name, folder, length.epochs, steps, inputs, only_here))
    return found


@unkept_task("classifier training")
def train_on_worker(
    training: ClassifierTraining, images_hash: str, placement: Placement, returned: bool
) -> dict[str, Any]:
    """Train one network to its end, from its last checkpoint if there is one.

    Whoever has the checkpoint of the end reads everything else from it without a step, as `train_classifier` does. A
    training that diverges leaves a checkpoint of a step before: whoever goes on from it comes to the same end.

    Args:
        training: which one.
        images_hash: `digests_of` the images.
        placement: the device, and the folder of the images.
        returned: whether the checkpoint is in the result, because it is not in a folder that both machines see.

    Raises:
        DeviceMemoryError: the device has too little memory.
        OtherImagesError: this machine has other images, or none.
    """
    images = _images_of(placement.images, images_hash)
    if training.number is None:
        images = _held_out(placement.images, images_hash, training.config.tuning_share, training.root_seed)
    world = World(device=torch.device(placement.own_device()))
    with suppress(DivergedError):
        train_alone(
            world.device, training.name, "imagenet", lambda: train_network(training, images, world, on_warning=say)
        )
    return last_checkpoint(checkpoints_of(training, images)) if returned else {"checkpoint": None}


@lru_cache(maxsize=1)
def _images_of(folder: str, images_hash: str) -> Images:
    """Return both splits, once a process."""
    return unchanged_images(folder, images_hash)


@lru_cache(maxsize=1)
def _held_out(folder: str, images_hash: str, share: float, seed: int) -> Images:
    """Return the training images without those that judge learning rates, and these, once a process."""
    with in_section("imagenet"):
        return hold_out(_images_of(folder, images_hash)[0], share, seed)
