"""Images for classification in a folder with `train/` and `val/`, each with one folder of images per class.

This is also the layout of torchvision's unpacked ImageNet. A folder with one folder of images per class and neither of
them is split. Listing the files reads no image, so mistakes in the layout
are reported before a training begins.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image

from nasgem_core.digest import digest_of
from nasgem_core.errors import DataError
from nasgem_core.training.class_folders import ClassFolders
from nasgem_core.training.folder_split import split_folder
from nasgem_core.training.image_reading import UnreadableImageError, opened, read_image
from nasgem_core.training.skipped import Skipped, skipped_line

MEMORY_BYTES = 2**30
"""Limit of the decoded images of a split that are kept in memory, and of the files whose contents are hashed."""
_SAMPLED = 64
"""Images whose sizes are read to estimate the memory of all."""
_PARTS = ("train", "training", "val", "valid", "validation", "test", "testing", "dev", "eval")
"""Names of folders that are parts of a data set and no classes."""
_LAYOUT = "each with one folder of images per class"


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """The images of one split.

    Args:
        folder: `train/` or `val/`, or the whole folder where it has neither.
        classes: names of the classes, in the order of their folders.
        files: path of each image relative to `folder`, class by class.
        labels: [N] int64, index of each image's class.
        sizes: [N] size of each file in bytes.
        skipped: what else is in the folder, and why it was left out.
        note: one line on how the folder was split, "" where it has `train/` and `val/`.
    """

    folder: Path
    classes: tuple[str, ...]
    files: tuple[str, ...]
    labels: np.ndarray
    sizes: np.ndarray
    skipped: tuple[Skipped, ...] = ()
    note: str = ""

    def __len__(self) -> int:
        return len(self.files)

    def subset(self, chosen: np.ndarray) -> "ImageFiles":
        """Return some of the images, by indices or by a mask [N]."""
        places = np.arange(len(self))[chosen]
        files = tuple(self.files[place] for place in places)
        return replace(self, files=files, labels=self.labels[places], sizes=self.sizes[places])

    @property
    def remark(self) -> str:
        """One line on the split and on the files that were left out, "" if there is nothing to say."""
        return "; ".join(filter(None, (self.note, skipped_line(str(self.folder), self.skipped))))

    @cached_property
    def digest(self) -> str:
        """32 hexadecimal digits that depend on classes, names, sizes and contents (see `files_digest`)."""
        return digest_of(["\x1f".join(self.classes), files_digest(self.folder, self.files, self.sizes)])

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
            with opened(self.folder / self.files[index]) as image:
                return image.width * image.height
        except UnreadableImageError:
            return 0

    def _decoded(self, index: int) -> np.ndarray | None:
        try:
            return np.asarray(self.read(index))
        except UnreadableImageError:
            return None

    def read(self, index: int) -> Image.Image:
        """Return an image in RGB, upright; raises `UnreadableImageError` if it is broken."""
        return read_image(self.folder / self.files[index])


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
        return path.read_bytes() if path.is_file() else b""  # a pipe would be waited for
    except OSError:  # a broken image, which is counted when it is read
        return b""


def list_image_files(folder: Path) -> tuple[ImageFiles, ImageFiles]:
    """Return the training and the validation images of a folder.

    A folder with one folder of images per class, and neither `train/` nor `val/`, is split (see `split_folder`), and
    the remark of the training images says so.

    Raises:
        DataError: a folder is missing or empty, images are outside of class folders, the classes of both differ, or
            there is only one class.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: name one with train/ and val/, {_LAYOUT}")
    missing = [split for split in ("train", "val") if not (folder / split).is_dir()]
    if len(missing) == 2 and not _archive_hint(folder):
        train, validation = _split(_list_split(folder))
    elif missing:
        raise DataError(f"{folder} has no {missing[0]}/: it needs train/ and val/, {_LAYOUT}{_archive_hint(folder)}")
    else:
        train, validation = (_list_split(folder / split) for split in ("train", "val"))
    for split, own, other in (("train", train, validation), ("val", validation, train)):
        alone = sorted(set(own.classes) - set(other.classes))
        if alone:
            raise DataError(
                f"{folder}: {len(alone)} of {len(own.classes)} classes are only in {split}/, such as {alone[0]!r}: "
                "the copy may be incomplete; copy the data set again, or give both splits the same classes"
            )
    if len(train.classes) == 1:
        raise DataError(f"{folder} has one class, {train.classes[0]!r}, so every answer is right: give it at least two")
    return train, validation


def _split(images: ImageFiles) -> tuple[ImageFiles, ImageFiles]:
    """Return the images of a folder without `train/` and `val/` as two parts."""
    parts = [name for name in images.classes if name.lower() in _PARTS]
    if parts:
        raise DataError(
            f"{images.folder} has the folder {parts[0]!r}, not a class: call its parts train/ and val/, {_LAYOUT}"
        )
    held, note = split_folder(images.folder, images.files, images.labels)
    return replace(images.subset(~held), note=note), replace(images.subset(held), skipped=())


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
    folders = ClassFolders(folder)
    if not folders.names:
        loose = folders.loose
        fault = f"has {loose} images but no class folders: sort them into folders" if loose else "is empty: fill it"
        raise DataError(f"{folder} {fault}, with one folder of images per class")
    files: list[str] = []
    sizes: list[int] = []
    labels: list[int] = []
    for label, name in enumerate(folders.names):
        paths = folders.images(name)
        files += [os.path.relpath(path, folder) for path in paths]
        sizes += [_size(path) for path in paths]
        labels += [label] * len(paths)
    # A name that is not UTF-8 could be written into no file: its bytes are written as text, such as \xe9.
    classes = tuple(os.fsencode(name).decode("utf-8", "backslashreplace") for name in folders.names)
    arrays = np.asarray(labels, np.int64), np.asarray(sizes, np.int64)
    return ImageFiles(folder, classes, tuple(files), *arrays, folders.skipped())
