"""Batches of images from files or memory, cropped and mirrored by worker processes, if there are any.

Images that cannot be read are skipped: in training another image takes their place, in validation nothing does. Their
indices are part of the batch, so that the reader of the batch can decide how many are too many.
"""

import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from nasgem_core.training.crops import centre_crop, draw_uniforms, random_crop
from nasgem_core.training.image_files import ImageFiles
from nasgem_core.training.image_reading import UnreadableImageError

PADDING = -1
"""Label of an image that does not count."""
_SUBSTITUTES = 100
"""Images that are tried in place of a broken one."""


class ImageBatch(NamedTuple):
    """A batch of images from a loader.

    Args:
        pixels: [B, H, W, 3] uint8.
        labels: [B] int64; -1 where there is no image.
        indices: [B] int64, indices in the split.
        broken: indices of images that could not be read.
    """

    pixels: Tensor
    labels: Tensor
    indices: Tensor
    broken: list[int]


class ImageBatches(Dataset):
    """Makes the batch for a request: (epoch, indices of the images), with epoch -1 for validation.

    Args:
        files: the images.
        size: height and width of the result.
        crop_area: smallest and largest share of an image's area in a random crop.
        centre_share: side of the centre crop as a share of the image's short side.
        seed: root of the random crops.
    """

    def __init__(
        self, files: ImageFiles, size: int, crop_area: tuple[float, float], centre_share: float, seed: int
    ) -> None:
        self.files, self.size, self.seed = files, size, seed
        self.crop_area, self.centre_share = crop_area, centre_share
        self.decoded: tuple[np.ndarray | None, ...] | None = None

    def decode(self) -> None:
        """Read all images into memory if they fit; worker processes that start later share them."""
        self.decoded = self.files.decoded

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, request: tuple[int, np.ndarray]) -> ImageBatch:
        epoch, indices = request
        broken: list[int] = []
        if epoch < 0:
            chosen = [(index, self._read(index, broken)) for index in indices.tolist()]
            pixels = [self._empty() if image is None else self._centre(image) for _, image in chosen]
        else:
            chosen = [self._read_some(index, broken) for index in indices.tolist()]
            uniforms = draw_uniforms(self.seed, epoch, np.asarray([index for index, _ in chosen]))
            pixels = [
                self._empty() if image is None else random_crop(image, self.size, row, self.crop_area)
                for (_, image), row in zip(chosen, uniforms, strict=True)
            ]
        labels = [PADDING if image is None else int(self.files.labels[index]) for index, image in chosen]
        places = torch.tensor([index for index, _ in chosen])
        return ImageBatch(torch.from_numpy(np.stack(pixels)), torch.tensor(labels), places, broken)

    def _empty(self) -> np.ndarray:
        return np.zeros((self.size, self.size, 3), np.uint8)

    def _centre(self, image: Image.Image) -> np.ndarray:
        return centre_crop(image, self.size, self.centre_share)

    def _read(self, index: int, broken: list[int]) -> Image.Image | None:
        if self.decoded is not None:
            pixels = self.decoded[index]
            if pixels is not None:
                return Image.fromarray(pixels)
        else:
            try:
                return self.files.read(index)
            except UnreadableImageError:
                pass
        broken.append(index)
        return None

    def _read_some(self, index: int, broken: list[int]) -> tuple[int, Image.Image | None]:
        """Return the image at `index`, or the next one that can be read."""
        for offset in range(_SUBSTITUTES):
            place = (index + offset) % len(self.files)
            image = self._read(place, broken)
            if image is not None:
                return place, image
        return index, None


class BatchLoader:
    """Serves requests in order, preparing a few batches ahead.

    Args:
        batches: makes each batch.
        workers: processes that read images, started at the first run and kept; with 0 this process reads.
        pinned: put batches into page-locked memory, from which a GPU copies while it computes.
    """

    def __init__(self, batches: ImageBatches, workers: int, *, pinned: bool) -> None:
        self.batches = batches
        self._requests = _Requests()
        self._loader: DataLoader[Any] | None = None
        if workers:
            self._loader = DataLoader(
                batches,
                batch_size=None,
                sampler=self._requests,
                num_workers=workers,
                prefetch_factor=4,
                persistent_workers=True,
                pin_memory=pinned,
                worker_init_fn=_forget_exit_calls,
            )

    def run(self, requests: Sequence[tuple[int, np.ndarray]]) -> Iterator[ImageBatch]:
        """Yield the batch of each request."""
        self.batches.decode()
        if self._loader is None:
            return (self.batches[request] for request in requests)
        self._requests.waiting = requests
        return iter(self._loader)


def _forget_exit_calls(_worker: int) -> None:
    """Drop the calls that the training process has registered for its own exit.

    A reader is a fork of that process. Where Prefect runs in it, one of the calls drains a queue that the fork does not
    have; it fails, and the reader would end as if it had crashed.
    """
    threading._threading_atexits.clear()  # type: ignore[attr-defined]


class _Requests(Sampler[Any]):
    """The requests of the next run."""

    waiting: Sequence[tuple[int, np.ndarray]] = ()

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        return iter(self.waiting)

    def __len__(self) -> int:
        return len(self.waiting)
