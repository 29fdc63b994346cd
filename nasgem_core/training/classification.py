"""Classification as a task of the loop: which images, which loss, which figures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nasgem_core.errors import DataError, ParameterError
from nasgem_core.training.accuracy import AccuracyCount
from nasgem_core.training.distributed import World
from nasgem_core.training.image_files import ImageFiles
from nasgem_core.training.loaders import PADDING, BatchLoader, ImageBatch, ImageBatches
from nasgem_core.training.order import epoch_batches
from nasgem_core.training.task import BROKEN

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colours, for values in [0, 1]; every network for transfer expects images normalised with these."""


@dataclass(frozen=True)
class ClassificationSettings:
    """How images are presented to a classifier, and its loss.

    Args:
        image_size: height and width of the network's input.
        batch_size: images per step of the optimiser, over all processes.
        accumulate: batches per step on each process.
        crop_area: smallest and largest share of an image's area in a random crop; 1 and 1 for the whole image.
        centre_share: side of the centre crop in validation, as a share of the image's short side.
        label_smoothing: share of the target that is spread over all classes.
        broken_share: share of a split's images that may be unreadable.
    """

    image_size: int
    batch_size: int
    accumulate: int
    crop_area: tuple[float, float]
    centre_share: float
    label_smoothing: float
    broken_share: float


class ClassificationTask:
    """Training a classifier, as a `TrainingTask`.

    Args:
        model: from images [B, 3, H, W] to logits [B, K].
        network: the description of the network, plain JSON.
        images: the training and the validation images.
        settings: how images are presented, and the loss.
        seed: root of data order and augmentation.
        workers: processes that read images, for each process that trains.
        pinned: the batches go to a GPU.

    Raises:
        ParameterError: the data set has fewer images than one step.
    """

    def __init__(
        self,
        model: nn.Module,
        network: Mapping[str, Any],
        images: tuple[ImageFiles, ImageFiles],
        settings: ClassificationSettings,
        seed: int,
        *,
        workers: int = 0,
        pinned: bool = False,
    ) -> None:
        self.model, self.settings, self.seed = model, settings, seed
        self.equal_shapes = True
        self.train, self.validation = images
        if settings.batch_size > len(self.train):
            raise ParameterError(
                f"batch_size = {settings.batch_size}: {self.train.folder} has {len(self.train)} images; lower it"
            )
        own = {name: value for name, value in vars(settings).items() if name not in ("accumulate", "broken_share")}
        data = {"train": self.train.digest, "validation": self.validation.digest}
        self.identity: Mapping[str, Any] = {"network": dict(network), "settings": own, "data": data, "data_seed": seed}
        make = (settings.image_size, settings.crop_area, settings.centre_share, seed)
        self._loaders = [BatchLoader(ImageBatches(files, *make), workers, pinned=pinned) for files in images]
        self._broken: tuple[set[int], set[int]] = (set(), set())
        self._loss = nn.CrossEntropyLoss(ignore_index=PADDING, label_smoothing=settings.label_smoothing)

    @property
    def broken(self) -> tuple[str, ...]:
        """The files that could not be read so far."""
        splits = zip((self.train, self.validation), self._broken, strict=True)
        return tuple(str(files.folder / files.files[index]) for files, found in splits for index in sorted(found))

    def steps_per_epoch(self) -> int:
        """Return the number of whole steps that the training images fill."""
        return len(self.train) // self.settings.batch_size

    def batches(self, epoch: int, world: World, first_step: int) -> Iterable[ImageBatch]:
        """Yield this process's batches from a step of an epoch on; raises `DataError` if too many images are broken."""
        order = epoch_batches(
            len(self.train),
            self.settings.batch_size,
            accumulate=self.settings.accumulate,
            seed=self.seed,
            epoch=epoch,
            world=world,
            first_step=first_step,
        )
        for batch in self._loaders[0].run([(epoch, indices) for indices in order]):
            self._add_broken(0, batch.broken)
            yield batch

    def loss(self, model: nn.Module, batch: ImageBatch) -> Tensor:
        """Return the mean cross-entropy with smoothed labels."""
        device = next(model.parameters()).device
        return self._loss(model(normalised(batch.pixels, device)).float(), batch.labels.to(device, non_blocking=True))

    def names(self, batch: ImageBatch) -> Sequence[str]:
        """Return the files of a batch, relative to the folder of their split."""
        return [self.train.files[index] for index in batch.indices.tolist()]

    def evaluate(self, model: nn.Module, world: World) -> dict[str, float]:
        """Return {"top1", "top5", "validation_loss"} over all validation images that can be read.

        Each process takes every world.size-th image, so that no image counts twice. The labels are not smoothed. The
        result also has "broken_images", the number of unreadable images of all processes so far.
        """
        mine = np.arange(world.rank, len(self.validation), world.size)
        size = max(1, self.settings.batch_size // (self.settings.accumulate * world.size))
        count, total, seen = AccuracyCount(), 0.0, 0
        device = next(model.parameters()).device
        requests = [(-1, mine[start : start + size]) for start in range(0, len(mine), size)]
        for batch in self._loaders[1].run(requests):
            self._add_broken(1, batch.broken)
            logits = model(normalised(batch.pixels, device)).float()
            labels = batch.labels.to(device)
            count.add(logits, labels)
            total += nn.functional.cross_entropy(logits, labels, ignore_index=PADDING, reduction="sum").item()
            seen += int((batch.labels != PADDING).sum())
        shares = count.shares(world)
        total, seen_by_all = world.sum([total, seen])
        for found in world.gather(self._broken):
            for split, indices in enumerate(found):
                self._add_broken(split, indices)
        return {
            "top1": shares["top1"],
            "top5": shares["top5"],
            "validation_loss": total / max(seen_by_all, 1),
            BROKEN: float(sum(map(len, self._broken))),
        }

    def _add_broken(self, split: int, indices: Iterable[int]) -> None:
        files, found = (self.train, self.validation)[split], self._broken[split]
        found.update(indices)
        if len(found) > self.settings.broken_share * len(files):
            names = ", ".join(files.files[index] for index in sorted(found)[:5])
            raise DataError(
                f"{len(found)} of {len(files)} images of {files.folder} cannot be read (such as {names}), more than "
                f"the share of {self.settings.broken_share:g} that may be skipped: "
                "the copy may be incomplete; copy the data set again or remove these files"
            )


def normalised(pixels: Tensor, device: torch.device) -> Tensor:
    """Move pixels [B, H, W, 3] uint8 to a device and return them as [B, 3, H, W] float32, channels last in memory."""
    images = pixels.to(device, non_blocking=True).permute(0, 3, 1, 2)
    mean, std = _moments(device)
    return (images.float() - mean) / std


@cache
def _moments(device: torch.device) -> tuple[Tensor, Tensor]:
    """Return mean and deviation as [3, 1, 1] on a device: bringing them there with each batch would wait for it."""
    mean, std = (torch.tensor(moment, device=device).view(3, 1, 1) * 255 for moment in (MEAN, STD))
    return mean, std
