"""Images for classification in a folder with `train/` and `val/`, each with one folder of images per class.

This is also the layout of torchvision's unpacked ImageNet. Listing the files reads no image, so mistakes in the layout
are reported before a training begins.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from nasgem_core.digest import digest_of
from nasgem_core.errors import DataError

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""What counts as an image, as in torchvision."""
UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
"""What PIL raises for files that are not images or are truncated."""
MEMORY_BYTES = 2**30
"""Limit of the decoded images of a split that are kept in memory, and of the files whose contents are hashed."""
_SAMPLED = 64
"""Images whose sizes are read to estimate the memory of all."""
_LAYOUT = "each with one folder of images per class"


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """The images of one split.

    Args:
        folder: `train/` or `val/`.
        classes: names of the classes, sorted.
        files: path of each image relative to `folder`, class by class.
        labels: [N] int64, index of each image's class.
        sizes: [N] size of each file in bytes.
    """

    folder: Path
    classes: tuple[str, ...]
    files: tuple[str, ...]
    labels: np.ndarray
    sizes: np.ndarray

    def __len__(self) -> int:
        return len(self.files)

    def subset(self, chosen: np.ndarray) -> "ImageFiles":
        """Return some of the images, by indices or by a mask [N]."""
        places = np.arange(len(self))[chosen]
        files = tuple(self.files[place] for place in places)
        return replace(self, files=files, labels=self.labels[places], sizes=self.sizes[places])

    @cached_property
    def digest(self) -> str:
        """32 hexadecimal digits that depend on classes, names, sizes and contents (see `files_digest`)."""
        return digest_of([os.fsencode("\x1f".join(self.classes)), files_digest(self.folder, self.files, self.sizes)])

    @cached_property
    def decoded(self) -> tuple[np.ndarray | None, ...] | None:
        """All images as [H, W, 3] uint8, None for a broken one; or None if they would need too much memory."""
        sampled = range(0, len(self), max(1, len(self) // _SAMPLED))
        pixels = [count for count in map(self._pixels, sampled) if count]
        if pixels and 3 * sum(pixels) / len(pixels) * len(self) > MEMORY_BYTES:
            return None
        return tuple(map(self._decoded, range(len(self))))

    def _pixels(self, index: int) -> int:
        try:
            with Image.open(self.folder / self.files[index]) as image:
                return image.width * image.height
        except UNREADABLE:
            return 0

    def _decoded(self, index: int) -> np.ndarray | None:
        try:
            return np.asarray(self.read(index))
        except UNREADABLE:
            return None

    def read(self, index: int) -> Image.Image:
        """Return an image in RGB, upright; raises one of `UNREADABLE` if it is broken."""
        with Image.open(self.folder / self.files[index]) as image:
            return upright(image)


def files_digest(folder: Path, files: Sequence[str], sizes: np.ndarray | None = None) -> str:
    """Return 32 hexadecimal digits that depend on names, sizes and, up to 1 GiB in total, contents of files.

    Reading the contents of more than that would take too long.

    Args:
        folder: the folder of the files.
        files: their paths relative to it.
        sizes: [N] size of each in bytes, if known.
    """
    if sizes is None:
        sizes = np.array([_size(folder / file) for file in files], dtype=np.int64)
    contents = (_content(folder / file) for file in files) if sizes.sum() <= MEMORY_BYTES else ()
    return digest_of(chain([os.fsencode("\x1f".join(files)), sizes.astype("<i8")], contents))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # a broken image, which is counted when it is read
        return b""


def upright(image: Image.Image) -> Image.Image:
    """Return an image in RGB, turned as its EXIF orientation says: cameras store pictures as they were held."""
    return to_rgb(ImageOps.exif_transpose(image))


def to_rgb(image: Image.Image) -> Image.Image:
    """Return an image in RGB; 16 bits per pixel are scaled to 8, where PIL would turn all but dark pixels white.

    Raises:
        ValueError: the pixels are floats or 32 bits wide, so that the value of white is not known.
    """
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise ValueError(f"its pixels are of mode {image.mode}; save it with 8 or 16 bits")
    return image.convert("RGB")


def list_image_files(folder: Path) -> tuple[ImageFiles, ImageFiles]:
    """Return the training and the validation images of a folder.

    Raises:
        DataError: a folder is missing or empty, images are outside of class folders, or the classes of both differ.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: name one with train/ and val/, {_LAYOUT}")
    for split in ("train", "val"):
        if not (folder / split).is_dir():
            raise DataError(f"{folder} has no {split}/: it needs train/ and val/, {_LAYOUT}{_archive_hint(folder)}")
    train, validation = (_list_split(folder / split) for split in ("train", "val"))
    for split, own, other in (("train", train, validation), ("val", validation, train)):
        alone = sorted(set(own.classes) - set(other.classes))
        if alone:
            raise DataError(
                f"{folder}: {len(alone)} of {len(own.classes)} classes are only in {split}/, such as {alone[0]!r}: "
                "the copy may be incomplete; copy the data set again, or give both splits the same classes"
            )
    return train, validation


def _size(path: str | Path) -> int:
    try:
        return os.path.getsize(path)
    except OSError:  # a broken link
        return 0


def _archive_hint(folder: Path) -> str:
    archives = sorted(folder.glob("ILSVRC2012_*.tar"))
    if not archives:
        return ""
    return f". Unpack {archives[0].name} with torchvision.datasets.ImageNet({str(folder)!r}, split)"


def _list_split(folder: Path) -> ImageFiles:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    classes = [entry.name for entry in found if entry.is_dir() and not entry.name.startswith(".")]
    if not classes:
        loose = sum(entry.name.lower().endswith(IMAGE_ENDINGS) for entry in found)
        fault = f"has {loose} images but no class folders: sort them into folders" if loose else "is empty: fill it"
        raise DataError(f"{folder} {fault}, with one folder of images per class")
    files: list[str] = []
    sizes: list[int] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        # Some data sets have the images one folder deeper.
        paths = sorted(
            os.path.join(parent, file)
            for parent, _, names in os.walk(folder / name, followlinks=True)
            for file in names
            if file.lower().endswith(IMAGE_ENDINGS)
        )
        if not paths:
            raise DataError(f"{folder / name} has no images: fill the folder of this class or remove it")
        files += [os.path.relpath(path, folder) for path in paths]
        sizes += [_size(path) for path in paths]
        labels += [label] * len(paths)
    return ImageFiles(folder, tuple(classes), tuple(files), np.asarray(labels, np.int64), np.asarray(sizes, np.int64))
