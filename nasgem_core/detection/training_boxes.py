"""What a detector is trained on: the boxes and images of an annotation file that can be learned, the rest counted."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nasgem_core.detection.annotations import CocoAnnotations
from nasgem_core.errors import DataError

TOLERATED = 0.01
"""Share of the images that may be missing or broken in training: a spoilt file or two, no copy that was cut off."""
SMALLEST = 0.1
"""Sides of a box in pixels, at least: float32 leaves none of smaller ones where they are mirrored and resized."""
LARGEST_AREA = 1e10
"""Objects of larger areas are left out by COCO's measure."""
THINNEST = 30
"""Longer side by shorter one, at most: of thinner pictures nothing may be left once they are resized."""


@dataclass(frozen=True)
class Skipped:
    """What was left out of training for one reason: how often, and where first."""

    reason: str
    count: int
    first: str

    def __str__(self) -> str:
        return f"{self.count:,} {self.reason} (first: {self.first})"


@dataclass(frozen=True, eq=False)
class TrainingBoxes:
    """The images to train on, and their boxes.

    Args:
        images: [K] int64, positions of the images in the annotations.
        boxes: [M, 4] float32, left, top, right and bottom in pixels, inside of the image and of some size.
        labels: [M] int64.
        offsets: [K + 1] int64: image k has the boxes `offsets[k]` to `offsets[k + 1]`.
        skipped: what was left out.
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
        raise DataError(f"there is no folder of images {folder}: name the one that {annotations.source} speaks of")
    present: dict[str, set[str]] = {}
    for subfolder in {os.path.dirname(name) for name in annotations.file_names}:
        place = folder / subfolder
        entries = os.scandir(place) if place.is_dir() else ()
        present[subfolder] = {entry.name for entry in entries if entry.is_file() and entry.stat().st_size}
    absent = [os.path.basename(name) not in present[os.path.dirname(name)] for name in annotations.file_names]
    if all(absent):
        raise DataError(
            f"none of the {len(absent)} images of {annotations.source} is in {folder} (first: "
            f"{annotations.file_names[0]}): name the folder that holds them"
        )
    return np.flatnonzero(absent)


def require_images(annotations: CocoAnnotations, folder: Path, tolerated: float = 0.0) -> np.ndarray:
    """Return the positions of missing or empty images, where no more than the share `tolerated` of all are.

    To measure AP every image is needed: what is not looked at would count as a miss.

    Raises:
        DataError: more images are missing than that, so the copy of the data set is not complete.
    """
    absent = absent_images(annotations, folder)
    if len(absent) > tolerated * len(annotations):
        raise DataError(
            f"{len(absent)} of the {len(annotations)} images of {annotations.source} are missing or empty in {folder} "
            f"(first: {annotations.file_names[absent[0]]}): the copy is not complete, copy the folder again"
        )
    return absent


def thin_images(annotations: CocoAnnotations) -> np.ndarray:
    """Return the positions of images that are more than `THINNEST` times as long as wide, or the reverse."""
    return np.flatnonzero(annotations.sizes.max(axis=1) > THINNEST * annotations.sizes.min(axis=1))


def require_measurable(annotations: CocoAnnotations, folder: Path) -> None:
    """Raise `DataError` unless AP can be measured: every image there and not too thin, every number finite, a box."""
    require_images(annotations, folder)
    for places, fault in (
        (thin_images(annotations), f"is more than {THINNEST} times as long as wide, or the reverse"),
        (annotations.box_images[~np.isfinite(annotations.boxes).all(axis=1)], "has a box with a number not finite"),
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
    """Choose what a detector can be trained on.

    Left out and counted: boxes that hold a crowd, that have hardly a size or lie outside of the picture, missing images
    (up to one in a hundred), images that are too thin, and images that have no box. A box that stands out of the
    picture is cut at its edge.

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
        raise DataError(f"{annotations.source} has no box that can be learned: all are crowds, of no size or outside")
    images = np.unique(annotations.box_images[kept])
    empty = np.setdiff1d(np.arange(len(annotations)), np.concatenate([images, absent, thin]))
    order = np.flatnonzero(kept)[np.argsort(annotations.box_images[kept], kind="stable")]
    counts = np.bincount(annotations.box_images[order], minlength=len(annotations))[images]
    skipped = (
        _skipped_boxes(annotations, here & ~finite, "boxes with a number that is not finite"),
        _skipped_boxes(annotations, here & finite & ~sized, f"boxes of zero size, or a side below {SMALLEST} pixels"),
        _skipped_boxes(annotations, here & sized & ~seen, "boxes outside of the picture"),
        _skipped_boxes(annotations, cut, "boxes cut at the edge of the picture, which they left by over a pixel"),
        _skipped_boxes(annotations, here & annotations.crowds, "boxes that hold a crowd"),
        _skipped_images(annotations, absent, "missing or empty image files"),
        _skipped_images(annotations, thin, f"images more than {THINNEST} times as long as wide, or the reverse"),
        _skipped_images(annotations, empty, "images without a box to learn"),
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
