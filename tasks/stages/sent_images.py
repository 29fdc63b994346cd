"""Images that a machine was sent, because it has others or none where the search has its own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nasgem_core.errors import DataError
from nasgem_core.files import written_whole
from nasgem_core.training.image_set import ImageSet

FOLDER = Path(".nasgem") / "images"
"""Holds a file or a folder for each set of images, named by the hash of its content."""

_ARRAYS = ("train_images", "train_labels", "validation_images", "validation_labels")


def pack_images(images: ImageSet) -> bytes:
    """Return images as bytes of plain values."""
    from tasks.store.serialization import encode  # with Prefect, which whoever only opens images does not need

    return encode({**{name: getattr(images, name) for name in _ARRAYS}, "classes": images.classes})


class OtherImagesError(DataError):
    """The images of this machine are not those of the search."""


def keep_images(found: Mapping[str, Any]) -> None:
    """Keep the images of a pack under their hash, whole or not at all; raises `DataError` if they are none."""
    images = _images_of(found)
    with written_whole(FOLDER / images.content_hash) as file:
        file.write(pack_images(images))


def was_sent(images_hash: str) -> bool:
    """Say whether there are sent images of a hash."""
    return (FOLDER / images_hash).is_file()


def sent_images(images_hash: str) -> ImageSet:
    """Return the images of a hash that were sent; raises `DataError` if they are damaged."""
    from tasks.store.serialization import decode

    path = FOLDER / images_hash
    try:
        images = _images_of(decode(path.read_bytes()))
    except DataError as error:
        raise DataError(f"{path}: {error}; remove it, and it is sent again") from None
    if images.content_hash != images_hash:
        raise DataError(f"{path} holds other images than its name says: remove it, and it is sent again")
    return images


def _images_of(found: Mapping[str, Any]) -> ImageSet:
    try:
        return ImageSet(**{name: found[name] for name in _ARRAYS}, classes=tuple(found["classes"]))
    except (KeyError, TypeError) as error:
        raise DataError(f"they are not packed images ({error})") from None
