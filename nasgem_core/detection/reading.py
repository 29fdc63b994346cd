"""Reading many images: in batches by worker processes, and all of a set before hours of training depend on them."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, Dataset

from nasgem_core.detection.annotations import CocoAnnotations
from nasgem_core.detection.images import BrokenImageError, MeasuredImages
from nasgem_core.errors import NasgemError


def batches_of(
    images: Dataset[Any], batches: Sequence[list[int]], *, workers: int = 0, pinned: bool = False
) -> Iterator[list[Any]]:
    """Yield the items of each batch, in order.

    Args:
        images: what is read.
        batches: places of the items of each batch.
        workers: processes that read; 0 reads in this one.
        pinned: put tensors into memory that a GPU reads while it computes.

    Raises:
        NasgemError: what reading an item raised, as it was raised there.
    """
    loader = DataLoader(_Caught(images), batch_sampler=batches, num_workers=workers, collate_fn=list, pin_memory=pinned)
    for batch in loader:
        for item in batch:
            if isinstance(item, NasgemError):
                raise item
        yield batch


class _Caught(Dataset[Any]):
    """Gives an error of an image in its place: the loader would put a worker's traceback into the message."""

    def __init__(self, images: Dataset[Any]) -> None:
        self._images = images

    def __getitem__(self, index: int) -> Any:
        try:
            return self._images[index]
        except NasgemError as error:
            return error


def readable_images(annotations: CocoAnnotations, folder: Path) -> np.ndarray:
    """Return the places of the images that can be read; raises `DataError` where one is of another size."""
    faults = list(_faults(annotations, folder))
    for fault in faults:
        if fault is not None and not isinstance(fault, BrokenImageError):
            raise fault
    return np.array([place for place, fault in enumerate(faults) if fault is None], dtype=np.int64)


def require_readable(annotations: CocoAnnotations, folder: Path) -> None:
    """Raise `DataError` naming the first image that cannot be read or is of another size than the annotations say."""
    for fault in _faults(annotations, folder):
        if fault is not None:
            raise fault


def _faults(annotations: CocoAnnotations, folder: Path) -> Iterator[NasgemError | None]:
    images = _Caught(MeasuredImages(annotations, folder))

    def fault(place: int) -> NasgemError | None:
        found = images[place]
        return found if isinstance(found, NasgemError) else None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(fault, range(len(annotations)))
