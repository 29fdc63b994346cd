"""Folders of image files that a machine was sent, because it has others or none where the search has its own."""

import re
import shutil
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import numpy as np

from nasgem_core.errors import DataError
from nasgem_core.training.image_files import ImageFiles, list_image_files
from tasks.stages.sent_images import FOLDER, OtherImagesError
from tasks.store.serialization import encode

MOST_BYTES = 2**30
"""Images of more than this are not sent: whoever has so many has them on every machine."""
_SPLITS = ("train", "val")

T = TypeVar("T")


def pack_files(digest: str, folder: Path, files: Mapping[str, Path]) -> bytes:
    """Return files as bytes of plain values; raises `DataError` if they are too many to send.

    Args:
        digest: of the images, in hexadecimal digits.
        folder: where they are, for a message.
        files: by the name that each gets.
    """
    size = sum(path.stat().st_size for path in files.values())
    if size > MOST_BYTES:
        raise DataError(
            f"the images of {folder} have {size / 2**30:.1f} GiB, which is too much to send to workers: copy them to "
            "the same path on every machine"
        )
    contents = [np.frombuffer(path.read_bytes(), np.uint8) for path in files.values()]
    return encode({"digest": digest, "names": list(files), "files": contents})


def keep_files(found: Mapping[str, Any]) -> None:
    """Keep the files of a pack under their digest, all or none; raises `DataError` if they would be outside of it."""
    names = [PurePosixPath(name) for name in found["names"]]
    outside = [name for name in names if name.is_absolute() or not name.parts or ".." in name.parts]
    if outside or not re.fullmatch("[0-9a-f-]+", found["digest"]):
        raise DataError("a file of the images that were sent would be outside of its folder")
    wanted = FOLDER / found["digest"]
    partial = wanted.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        for name, content in zip(names, found["files"], strict=True):
            path = partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.tobytes())
        if not wanted.exists():  # another worker of this folder may have been faster
            partial.rename(wanted)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def unchanged(folder: str, digest: str, read: Callable[[Path], T], digest_of: Callable[[T], str]) -> T:
    """Return the images of a search: those of its folder, or those that were sent to this machine in their place.

    Args:
        folder: where they are on the machine of the search.
        digest: of the images, or the beginning of it.
        read: returns what is in a folder, or raises `DataError`.
        digest_of: returns the digest of that.

    Raises:
        OtherImagesError: this machine has others, or none.
    """
    try:
        found = read(Path(folder))
        if digest_of(found).startswith(digest):
            return found
        problem = f"the images of {folder} changed while networks were trained: start the stage again"
    except DataError as error:
        problem = str(error)
    for sent in FOLDER.glob(f"{digest}*"):
        with suppress(DataError):
            found = read(sent)
            if digest_of(found) == sent.name:
                return found
        shutil.rmtree(sent)  # damaged: it is sent again
    raise OtherImagesError(problem)


def digests_of(images: tuple[ImageFiles, ImageFiles]) -> str:
    """Return the digests of training and validation images in one word."""
    return "-".join(part.digest for part in images)


def unchanged_images(folder: str, digest: str) -> tuple[ImageFiles, ImageFiles]:
    """Return images in a folder per class; `digest` is `digests_of` them, or that of the training images alone."""
    return unchanged(folder, digest, list_image_files, digests_of)


def pack_class_folders(images: tuple[ImageFiles, ImageFiles]) -> bytes:
    """Return the files of both splits as `pack_files` does."""
    files = {
        f"{split}/{name}": part.folder / name
        for split, part in zip(_SPLITS, images, strict=True)
        for name in part.files
    }
    return pack_files(digests_of(images), images[0].folder, files)
