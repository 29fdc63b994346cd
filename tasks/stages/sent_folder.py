"""Folders of image files that a machine was sent, because it has others or none where the search has its own."""

import shutil
import uuid
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from nasgem_core.errors import DataError
from nasgem_core.training.image_files import ImageFiles, list_image_files
from tasks.store.serialization import encode

FOLDER = Path(".nasgem") / "images"
"""Holds one folder per set of images, named by the digest of its training images."""
MOST_BYTES = 2**30
"""Images of more than this are not sent: whoever has so many has them on every machine."""
_SPLITS = ("train", "val")


def pack_folder(images: tuple[ImageFiles, ImageFiles]) -> bytes:
    """Return the files of both splits as bytes of plain values; raises `DataError` if they are too many to send."""
    size = sum(int(part.sizes.sum()) for part in images)
    if size > MOST_BYTES:
        raise DataError(
            f"the images of {images[0].folder} have {size / 2**30:.1f} GiB, which is too much to send to workers: copy "
            "them to the same path on every machine"
        )
    files = {
        f"{split}/{name}": np.frombuffer((part.folder / name).read_bytes(), np.uint8)
        for split, part in zip(_SPLITS, images, strict=True)
        for name in part.files
    }
    return encode({"digest": images[0].digest, "names": list(files), "files": list(files.values())})


def keep_folder(found: dict[str, Any]) -> None:
    """Keep the files of a pack under their digest, all or none.

    Raises:
        DataError: they are other files than the digest says, or would be outside of the folder.
    """
    names = [PurePosixPath(name) for name in found["names"]]
    if any(".." in name.parts or name.parts[:1] not in {(split,) for split in _SPLITS} for name in names):
        raise DataError("a file of the images that were sent would be outside of its folder")
    wanted = FOLDER / found["digest"]
    partial = wanted.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        for name, content in zip(names, found["files"], strict=True):
            path = partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.tobytes())
        if list_image_files(partial)[0].digest != found["digest"]:
            raise DataError("the images that were sent are others than their digest says")
        if not wanted.exists():  # another worker of this folder may have been faster
            partial.rename(wanted)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def sent_folder(digest: str) -> Path | None:
    """Return the folder of images with a digest of the training images that were sent, None if there is none."""
    path = FOLDER / digest
    return path if path.is_dir() else None
