"""Task "finalist training": one cell's network on the target's images, up to the end of a rung."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.config.transfer import ImagenetConfig
from nasgem_core.errors import DivergedError
from nasgem_core.seeding import derive_seed
from nasgem_core.training.distributed import World
from nasgem_core.training.hold_out import hold_out
from nasgem_core.training.task import Trained, broken_images
from tasks.run.parameters import in_section
from tasks.run.placement import Placement
from tasks.run.progress import say
from tasks.stages.classifier import Images, length_of, train_network
from tasks.stages.sent_folder import unchanged_images
from tasks.stages.worker_training import train_alone
from tasks.store.caching import cached_task

CHECKPOINTS = Path(".nasgem") / "checkpoints" / "finalists"
_FAILED = {"history": [], "top1": float("nan"), "validation_loss": float("nan"), "broken": 0}


@dataclass(frozen=True)
class FinalistTraining:
    """The training of a finalist, whose schedule is as long as the last rung.

    Args:
        spec: the network, named as its run.
        config: recipe and images; only what the training depends on differs from the defaults.
        root_seed: root of every random stream.
    """

    spec: GEMNetSpec
    config: ImagenetConfig
    root_seed: int

    @property
    def epochs(self) -> int:
        """Length of the schedule."""
        return self.config.epochs

    @property
    def learning_rate(self) -> float:
        """The same for all finalists, so that none is ahead by the rate alone."""
        return self.config.learning_rates[0]

    @property
    def seed(self) -> int:
        """Of weights, order and crops, the same for all finalists."""
        return derive_seed(self.root_seed, "finalists")

    @property
    def checkpoints(self) -> Path:
        """Folder of its checkpoints; see `ClassifierPlan`."""
        return CHECKPOINTS / self.spec.name


def middle_rate(config: ImagenetConfig) -> float:
    """Return the learning rate of finalists: the middle one of those that stage `imagenet` tries, or the lower one."""
    return sorted(config.learning_rates)[(len(config.learning_rates) - 1) // 2]


def plan_finalist(spec: GEMNetSpec, config: ImagenetConfig, epochs: int, root_seed: int) -> FinalistTraining:
    """Return the training of a network with the recipe of the parameters."""
    none = ImagenetConfig()
    unused = ("dataset", "networks", "macs", "weights", "seeds", "tuning_epochs", "latency_passes")
    recipe = {**vars(config), **{name: getattr(none, name) for name in unused}}
    least = round(config.least_steps * min(1.0, epochs / config.epochs))
    own = {**recipe, "epochs": epochs, "least_steps": least, "learning_rates": (middle_rate(config),)}
    return FinalistTraining(spec, ImagenetConfig(**own), root_seed)


@cached_task("finalist training")
def train_finalist(training: FinalistTraining, images_hash: str, until: int, placement: Placement) -> dict[str, Any]:
    """Train up to an epoch of the schedule; returns the figures of its end, the reports until then, or why it failed.

    It goes on from the checkpoint of an earlier rung, or of a process that was killed. Where the checkpoint is of a
    later epoch, the reports are in it, and nothing is trained.

    Args:
        training: which one.
        images_hash: of the training images, of which a part is held out to judge the network by.
        until: epochs of the schedule after which it stops; the same share of it where few images make it longer.
        placement: the device, and the folder of the images.

    Raises:
        DeviceMemoryError: the device has too little memory.
        OtherImagesError: the images have changed.
    """
    images = _open_images(placement.images, images_hash, training.config.tuning_share, training.root_seed)
    length = length_of(training, len(images[0]))
    until = round(until * length.epochs / training.epochs)
    world = World(device=torch.device(placement.own_device()))

    def train() -> Trained:
        return train_network(training, images, world, until=until, on_warning=say)[0]

    try:
        trained = train_alone(world.device, "a finalist", "imagenet", train)
    except DivergedError as error:
        return {"failed": True, "reason": str(error), **_FAILED}
    steps = until * (len(images[0]) // length.batch_size)
    history = [dict(row) for row in trained.history if row["step"] <= steps]
    figures = {name: history[-1][name] for name in ("top1", "validation_loss")}
    return {"failed": False, "reason": "", "history": history, **figures, "broken": broken_images(history)}


@lru_cache(maxsize=1)
def _open_images(folder: str, images_hash: str, share: float, seed: int) -> Images:
    """Return the training images without those that are held out, and these, once a process."""
    images, _ = unchanged_images(folder, images_hash)
    with in_section("imagenet"):
        return hold_out(images, share, seed)
