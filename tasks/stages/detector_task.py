"""Task "detector training": a training of stage `coco` on a worker, which leaves its end in a checkpoint."""

from collections.abc import Sequence
from typing import Any

import torch

from nasgem_core.training.distributed import World
from tasks.run.placement import Placement
from tasks.run.progress import say
from tasks.stages.coco import DetectorTraining, checkpoints_of, train_detector
from tasks.stages.coco_data import CocoData, look_through
from tasks.stages.sent_coco import data_digest, unchanged_data
from tasks.stages.worker_training import WorkerTraining, last_checkpoint, train_alone
from tasks.store.caching import unkept_task


def detector_work(trainings: Sequence[DetectorTraining], data: CocoData, device: str) -> list[WorkerTraining]:
    """Return trainings as workers do them.

    Args:
        trainings: which ones.
        data: of the stage.
        device: of the workers of this machine.
    """
    digest, count = data_digest(data), len(data.train.chosen)
    found = []
    for training in trainings:
        epochs, placement = training.config.epochs, Placement(device=device, images=training.config.dataset)
        inputs = {"training": training, "images_hash": digest, "placement": placement}
        steps = epochs * (count // training.config.batch_size)
        found.append(WorkerTraining(training.name, checkpoints_of(training, data), epochs, steps, inputs))
    return found


@unkept_task("detector training")
def train_on_worker(
    training: DetectorTraining, images_hash: str, placement: Placement, returned: bool
) -> dict[str, Any]:
    """Train one detector to its end, from its last checkpoint if there is one.

    Whoever has the checkpoint of the end reads everything else from it without a step, as `train_detector` does.

    Args:
        training: which one.
        images_hash: `data_digest` of the data.
        placement: the device, and the folder of the data.
        returned: whether the checkpoint is in the result, because it is not in a folder that both machines see.

    Raises:
        DeviceMemoryError: the device has too little memory.
        OtherImagesError: this machine has other data, or none.
    """
    data = look_through(unchanged_data(training.config, placement.images, images_hash))
    world = World(device=torch.device(placement.own_device()))
    train_alone(world.device, training.name, "coco", lambda: train_detector(training, data, world, on_warning=say))
    return last_checkpoint(checkpoints_of(training, data)) if returned else {"checkpoint": None}
