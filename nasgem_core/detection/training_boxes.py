"""The boxes and images of an annotation file that a detector can learn, and counts of the others."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nasgem_core.detection.annotations import CocoAnnotations
from nasgem_core.errors import DataError
from nasgem_core.training.skipped import Skipped

TOLERATED = 0.01
"""Share of the images that may be missing or broken in training: a few damaged files, but not an incomplete copy."""
SMALLEST = 0.1
"""Shortest side of a box in pixels: in float32 smaller ones may vanish when they are mirrored and resized."""
LARGEST_AREA = 1e10
"""COCO's measure leaves out objects with a larger area."""
THINNEST = 30
"""Largest ratio of the longer to the shorter side: thinner images may vanish when they are resized."""


@dataclass(frozen=True, eq=False)
class TrainingBoxes:
    """The images to train on, and their boxes.

    Args:
        images: [K] int64, positions of the images in the annotations.
        boxes: [M, 4] float32, left, top, right and bottom in pixels, inside the image and not empty.
        labels: [M] int64.
        offsets: [K + 1] int64: image k has the boxes `offsets[k]` to `offsets[k + 1]`.
        skipped: the boxes and images that were left out.
    """

    images: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    offsets: np.ndarray
    skipped: tuple[Skipped, ...]

    def __len__(self) -> int:
        return len(self.images)


def absent_images(annotations: CocoAnnotations, folder: Path) -> np.ndarray:
    """Return the positions of the images whose file is missing in `folder` or empty.

    Raises:
        DataError: there is no such folder, or none of the images is in it.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder of images {folder}: name the one that {annotations.source} refers to")
    present: dict[str, set[str]] = {}
    for subfolder in {os.path.dirname(name) for name in annotations.file_names}:
        place = folder / subfolder
        entries = os.scandir(place) if os.path.isdir(place) else ()
        present[subfolder] = {entry.name for entry in entries if _has_content(entry)}
    absent = [os.path.basename(name) not in present[os.path.dirname(name)] for name in annotations.file_names]
    if all(absent):
        raise DataError(
            f"none of the {len(absent)} images of {annotations.source} is in {folder} (first: "
            f"{annotations.file_names[0]}): name the folder that contains them{_slash_hint(annotations.file_names)}"
        )
    return np.flatnonzero(absent)


def _has_content(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file() and entry.stat().st_size > 0
    except OSError:  # a link to itself
        return False


def require_images(annotations: CocoAnnotations, folder: Path, tolerated: float = 0.0) -> np.ndarray:
    """Return the positions of missing or empty images, of which there may be at most a share of `tolerated`.

    Measuring AP needs every image: all objects of a missing one would count as missed.

    Raises:
        DataError: more images are missing, so the copy of the data set is incomplete.
    """
    absent = absent_images(annotations, folder)
    if len(absent) > tolerated * len(annotations):
        raise DataError(
            f"{len(absent)} of the {len(annotations)} images of {annotations.source} are missing or empty in {folder} "
            f"(first: {annotations.file_names[absent[0]]}): the copy is incomplete, copy the folder again"
            f"{_slash_hint([annotations.file_names[place] for place in absent])}"
        )
    return absent


def _slash_hint(names: Sequence[str]) -> str:
    """Return what else may be the reason that files are missing, "" if nothing is."""
    count = sum("\\" in name for name in names)
    return f"; {count} of these file names have backslashes: write / in place of \\ in the annotations" if count else ""


def thin_images(annotations: CocoAnnotations) -> np.ndarray:
    """Return the positions of images whose longer side is more than `THINNEST` times the shorter one."""
    return np.flatnonzero(annotations.sizes.max(axis=1) > THINNEST * annotations.sizes.min(axis=1))


def require_measurable(annotations: CocoAnnotations, folder: Path) -> None:
    """Raise `DataError` unless AP can be measured.

    Every image must be there and not too thin, every number must be finite, and some box must count for COCO's measure.
    """
    require_images(annotations, folder)
    for places, fault in (
        (thin_images(annotations), f"has sides that differ by a factor above {THINNEST}"),
        (annotations.box_images[~np.isfinite(annotations.boxes).all(axis=1)], "has a box with a non-finite number"),
    ):
        if len(places):
            name = annotations.file_names[places[0]]
            raise DataError(f"{annotations.source}: {name} {fault}: remove it from the images that are measured")
    if annotations.crowds.all():
        raise DataError(f"{annotations.source}: all boxes hold crowds, so AP cannot be measured: name another split")
    if not np.any(~annotations.crowds & (annotations.areas >= 0) & (annotations.areas <= LARGEST_AREA)):
        raise DataError(
            f"{annotations.source}: no box has an area of 0 to {LARGEST_AREA:g} pixels, so AP cannot be measured: "
            "correct the fields area"
        )


def training_boxes(annotations: CocoAnnotations, folder: Path) -> TrainingBoxes:
    """Choose the images and boxes that a detector can be trained on.

    Left out and counted are boxes that contain a crowd, are almost empty or outside of the image, missing images (up to
    one in a hundred), images that are too thin, and images without boxes. A box that extends beyond the image is cut at
    its edge.

    Raises:
        DataError: the folder is missing, more images are missing than that, or no box can be learned.
    """
    absent = require_images(annotations, folder, TOLERATED)
    thin = np.setdiff1d(thin_images(annotations), absent)
    heights, widths = annotations.sizes[annotations.box_images].T
    left, top, width, height = annotations.boxes.T
    finite = np.isfinite(annotations.boxes).all(axis=1)
    sized = finite & (width >= SMALLEST) & (height >= SMALLEST)
    edges = np.stack([left, top, left + width, top + height], axis=1)
    inside = np.clip(edges, 0, np.stack([widths, heights, widths, heights], axis=1)).astype(np.float32)
    seen = sized & (np.minimum(*(inside[:, 2:] - inside[:, :2]).T) >= SMALLEST / 2)
    here = ~np.isin(annotations.box_images, np.union1d(absent, thin))
    kept = seen & here & ~annotations.crowds
    cut = kept & (np.abs(inside - edges).max(axis=1, initial=0, where=finite[:, None]) > 1)
    if not kept.any():
        raise DataError(f"{annotations.source} has no box that can be learned: all are crowds, empty or outside")
    images = np.unique(annotations.box_images[kept])
    empty = np.setdiff1d(np.arange(len(annotations)), np.concatenate([images, absent, thin]))
    order = np.flatnonzero(kept)[np.argsort(annotations.box_images[kept], kind="stable")]
    counts = np.bincount(annotations.box_images[order], minlength=len(annotations))[images]
    skipped = (
        _skipped_boxes(annotations, here & ~finite, "boxes with a non-finite number"),
        _skipped_boxes(annotations, here & finite & ~sized, f"boxes with a side below {SMALLEST} pixels"),
        _skipped_boxes(annotations, here & sized & ~seen, "boxes outside of the image"),
        _skipped_boxes(
            annotations, cut, "boxes cut at the edge of the image, beyond which they extended by more than a pixel"
        ),
        _skipped_boxes(annotations, here & annotations.crowds, "boxes that contain a crowd"),
        _skipped_images(annotations, absent, "missing or empty image files"),
        _skipped_images(annotations, thin, f"images with sides that differ by a factor above {THINNEST}"),
        _skipped_images(annotations, empty, "images without boxes to learn"),
    )
    return TrainingBoxes(
        images,
        inside[order],
        annotations.labels[order],
        np.concatenate([[0], np.cumsum(counts)]),
        tuple(item for item in skipped if item.count),
    )


def _skipped_boxes(annotations: CocoAnnotations, chosen: np.ndarray, reason: str) -> Skipped:
    places = np.flatnonzero(chosen)
    first = ""
    if len(places):
        box = places[0]
        first = f"box {annotations.box_ids[box]} of {annotations.file_names[annotations.box_images[box]]}"
    return Skipped(reason, len(places), first)


def _skipped_images(annotations: CocoAnnotations, places: np.ndarray, reason: str) -> Skipped:
    return Skipped(reason, len(places), annotations.file_names[places[0]] if len(places) else "")
