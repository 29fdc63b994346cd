"""Reading many images: in batches by worker processes, and all images of a set to check them before a long training."""

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
        images: the data set.
        batches: indices of the items of each batch.
        workers: processes that read; with 0 this process reads.
        pinned: put tensors into page-locked memory, from which a GPU copies while it computes.

    Raises:
        NasgemError: the error that reading an item raised, unchanged.
    """
    loader = DataLoader(_Caught(images), batch_sampler=batches, num_workers=workers, collate_fn=list, pin_memory=pinned)
    for batch in loader:
        for item in batch:
            if isinstance(item, NasgemError):
                raise item
        yield batch


class _Caught(Dataset[Any]):
    """Returns an error in place of the image: a loader would put the worker's traceback into the message."""

    def __init__(self, images: Dataset[Any]) -> None:
        self._images = images

    def __getitem__(self, index: int) -> Any:
        try:
            return self._images[index]
        except NasgemError as error:
            return error


def readable_images(annotations: CocoAnnotations, folder: Path) -> np.ndarray:
    """Return the indices of the readable images; raises `DataError` if one has another size than annotated."""
    faults = list(_faults(annotations, folder))
    for fault in faults:
        if fault is not None and not isinstance(fault, BrokenImageError):
            raise fault
    return np.array([place for place, fault in enumerate(faults) if fault is None], dtype=np.int64)


def require_readable(annotations: CocoAnnotations, folder: Path) -> None:
    """Raise `DataError` if an image cannot be read or has another size than annotated; it names the first one."""
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
