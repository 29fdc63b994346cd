"""Training a detector as a task of the training loop: its batches, its losses, and AP as its measure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nasgem_core.detection.annotations import CocoAnnotations
from nasgem_core.detection.average_precision import average_precision
from nasgem_core.detection.detections import Detections, collect, gather_detections
from nasgem_core.detection.images import MeasuredImages, Sample, TrainingImages
from nasgem_core.detection.reading import batches_of
from nasgem_core.detection.training_boxes import TOLERATED, TrainingBoxes
from nasgem_core.digest import digest_of
from nasgem_core.errors import DataError
from nasgem_core.training.distributed import World
from nasgem_core.training.image_files import files_digest
from nasgem_core.training.order import epoch_batches
from nasgem_core.training.task import BROKEN

if TYPE_CHECKING:
    from nasgem_core.detection.detector import Detector


@dataclass(frozen=True, eq=False)
class MeasuredSet:
    """Images with all their boxes, on which a detector is measured.

    Args:
        annotations: images and boxes.
        folder: the folder of the images, which must be complete.
    """

    annotations: CocoAnnotations
    folder: Path

    @cached_property
    def digest(self) -> str:
        """32 hexadecimal digits that are equal for equal annotations and images (`files_digest`)."""
        return f"{self.annotations.content_hash()[:16]}{files_digest(self.folder, self.annotations.file_names)[:16]}"


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Images with the boxes that a detector is trained on.

    Args:
        annotations: images and boxes.
        chosen: the boxes that can be learned.
        folder: the folder of the images.
    """

    annotations: CocoAnnotations
    chosen: TrainingBoxes
    folder: Path

    @cached_property
    def digest(self) -> str:
        """32 hexadecimal digits that are equal for equal images (`files_digest`), boxes and labels."""
        names = [self.annotations.file_names[image] for image in self.chosen.images]
        return digest_of([files_digest(self.folder, names), self.chosen.boxes, self.chosen.labels, self.chosen.offsets])


class DetectionTask:
    """A `TrainingTask` (see `nasgem_core.training.task`) that trains a detector.

    Args:
        detector: the network with its initial weights.
        identity: description of the network, as plain JSON; the data and the order of the images are added.
        train: the training set.
        measured: the sets to measure on, by the prefix of their metrics' names: {"": validation images}.
        batch_size: images per step, over all processes.
        accumulate: batches per step on each process.
        seed: root of the order of images and of mirroring.
        mirror: whether to mirror half of the images.
        workers: processes that read images; with 0 this process reads.
        on_warning: called once with a message for each broken image that is skipped.
    """

    def __init__(
        self,
        detector: "Detector",
        identity: Mapping[str, Any],
        train: TrainingSet,
        measured: Mapping[str, MeasuredSet],
        *,
        batch_size: int,
        accumulate: int = 1,
        seed: int = 0,
        mirror: bool = True,
        workers: int = 0,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        self.model: nn.Module = detector
        self.equal_shapes = detector.settings.square
        data = {"train": train.digest, "measured": {prefix: each.digest for prefix, each in measured.items()}}
        order = {"batch_size": batch_size, "order": seed, "mirror": mirror}
        self.identity: Mapping[str, Any] = {**identity, "data": data, **order}
        self.train, self.measured = train, measured
        self.batch_size, self.accumulate, self.seed, self.mirror = batch_size, accumulate, seed, mirror
        self.workers = workers
        self.on_warning = on_warning or (lambda _: None)
        self.broken: set[str] = set()
        self.found: dict[str, Detections] = {}
        """The detections of the last evaluation by prefix, the same on every process."""

    def steps_per_epoch(self) -> int:
        """Return the number of whole steps per epoch."""
        return len(self.train.chosen) // self.batch_size

    def batches(self, epoch: int, world: World, first_step: int) -> Iterator[list[Sample]]:
        """Yield this process's batches from a step of an epoch on."""
        images = TrainingImages(
            self.train.annotations,
            self.train.chosen,
            self.train.folder,
            seed=self.seed,
            epoch=epoch,
            mirror=self.mirror,
        )
        order = epoch_batches(
            len(images),
            self.batch_size,
            accumulate=self.accumulate,
            seed=self.seed,
            epoch=epoch,
            world=world,
            first_step=first_step,
        )
        batches = [batch.tolist() for batch in order]
        pinned = world.device.type == "cuda"
        for batch in batches_of(images, batches, workers=self.workers, pinned=pinned):
            self._add_broken(name for sample in batch for name in sample.broken)
            yield [sample.to(world.device) for sample in batch]

    def loss(self, model: nn.Module, batch: Sequence[Sample]) -> dict[str, Tensor]:
        """Return the detector's losses."""
        targets = [{"boxes": sample.boxes, "labels": sample.labels} for sample in batch]
        return model([sample.image for sample in batch], targets)

    def names(self, batch: Sequence[Sample]) -> list[str]:
        """Return the names of the images' files."""
        return [sample.name for sample in batch]

    def evaluate(self, model: nn.Module, world: World) -> dict[str, float]:
        """Return the average precisions on each measured set, as fractions.

        The result also has "broken_images", the number of unreadable training images of all processes so far.
        """
        metrics: dict[str, float] = {}
        for prefix, measured in self.measured.items():
            self.found[prefix] = detect(model, measured, world, workers=self.workers)
            if world.rank == 0:
                values = average_precision(measured.annotations, self.found[prefix])
                metrics |= {f"{prefix}{name}": value for name, value in values.items()}
        for broken in world.gather(self.broken):
            self._add_broken(sorted(broken))
        return {**world.gather(metrics)[0], BROKEN: float(len(self.broken))}

    def _add_broken(self, names: Iterable[str]) -> None:
        for name in [name for name in names if name not in self.broken]:
            self.broken.add(name)
            if len(self.broken) > max(1, TOLERATED * len(self.train.chosen)):
                raise DataError(
                    f"{len(self.broken)} of the {len(self.train.chosen)} images in {self.train.folder} cannot be read "
                    f"(such as {name}): copy the folder again"
                )
            self.on_warning(f"{self.train.folder / name} cannot be read and is skipped")


@torch.no_grad()
def detect(
    model: nn.Module, measured: MeasuredSet, world: World, *, workers: int = 0, batch_size: int = 1
) -> Detections:
    """Return the detections in all images, the same on every process; each process takes a share of the images.

    Args:
        model: a detector in evaluation mode, on the device of the world.
        measured: the images.
        world: this process among those that share the images.
        workers: processes that read images.
        batch_size: images at a time. They are padded to a common size, which moves the anchors of coarse maps a little.
    """
    images = MeasuredImages(measured.annotations, measured.folder)
    own = list(range(world.rank, len(images), world.size))
    batches = [own[start : start + batch_size] for start in range(0, len(own), batch_size)]
    results = []
    for batch in batches_of(images, batches, workers=workers, pinned=world.device.type == "cuda"):
        found = model([image.to(world.device, non_blocking=True) for _, image in batch])
        results += [(number, result) for (number, _), result in zip(batch, found, strict=True)]
    return gather_detections(collect(results), world)
