"""Which images of a folder without `train/` and `val/` are for training and which for validation: drawn once, and kept.

Each class gives the same share to validation. The split is recorded next to the folder, so that an image stays in its
part when others are added or removed, and so that the folder holds nothing but the user's images.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nasgem_core.config.documents import DocumentKind
from nasgem_core.errors import DataError
from nasgem_core.files import content_of, written_whole

VALIDATION_SHARE = 0.2
_SEED = 0
_RECORD = DocumentKind("a split", "nasgem.split/1", "remove it to have the images split again")


@dataclass(frozen=True)
class _Split:
    """What a record holds.

    Args:
        seed: of the order in which images are drawn.
        validation_share: of each class.
        train: names of the images to train on.
        validation: names of the others.
    """

    seed: int
    validation_share: float
    train: tuple[str, ...]
    validation: tuple[str, ...]


def record_of(folder: Path) -> Path:
    """Return the file that records the split of a folder."""
    whole = folder.absolute()
    return whole.with_name(f"{whole.name}.split.json")


def split_folder(folder: Path, files: Sequence[str], labels: np.ndarray) -> tuple[np.ndarray, str]:
    """Return which of N images are for validation, bool [N], and one line that says how they were split.

    Images that the record knows stay in their part. The others are drawn in an order that depends on their names alone,
    so that validation has its share of each class, and the record is completed. Where it cannot be written, the line
    says so.

    Args:
        folder: the folder.
        files: path of each image relative to it.
        labels: [N], the class of each image.

    Raises:
        DataError: a class has too few images for two parts, or the record is damaged.
    """
    path, names = record_of(folder), [_text(file) for file in files]
    known = _read(path)
    validation = np.array([known.get(name, False) for name in names])
    new = np.array([name not in known for name in names])
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        wanted = min(max(1, round(VALIDATION_SHARE * len(own))), len(own) - 1)
        drawn = sorted(own[new[own]], key=lambda index: _place(names[index]))
        validation[drawn[: max(0, wanted - int(validation[own].sum()))]] = True
        if not 0 < validation[own].sum() < len(own):
            place = folder / Path(files[own[0]]).parts[0]
            count = "one image" if len(own) == 1 else f"{len(own)} images, all of one part in {path}"
            raise DataError(f"{place} has {count}: a class needs images to train on and others to judge by; add some")
    where = f"{path.name} records which"
    if new.any():
        where = _write(path, {**known, **dict(zip(names, validation.tolist(), strict=True))}) or where
    parts = f"{(~validation).sum():,} images are for training and {validation.sum():,}, a fifth of each class,"
    return validation, f"{folder} has no train/ and val/: {parts} for validation; {where}"


def _place(name: str) -> bytes:
    return hashlib.blake2b(f"{_SEED}/{name}".encode(), digest_size=16).digest()


def _text(file: str) -> str:
    """Return a name for a JSON file, where bytes that are not UTF-8 are escaped."""
    return os.fsencode(file).decode("utf-8", "backslashreplace")


def _read(path: Path) -> Mapping[str, bool]:
    """Return for each image that a record knows whether it is for validation; none without a record."""
    try:
        content = content_of(path)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    try:
        split: _Split = _RECORD.read(_Split, _RECORD.fields_of(_RECORD.parse(content)))
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    both = set(split.train) & set(split.validation)
    if both:
        raise DataError(f"{path} has {min(both)!r} in both parts: remove it from one")
    return {**dict.fromkeys(split.train, False), **dict.fromkeys(split.validation, True)}


def _write(path: Path, parts: Mapping[str, bool]) -> str:
    """Write a record; returns why it cannot be, or an empty text."""
    names = {part: sorted(name for name, held in parts.items() if held == part) for part in (False, True)}
    split = {"schema": _RECORD.schema, "seed": _SEED, "validation_share": VALIDATION_SHARE}
    document = {**split, "train": names[False], "validation": names[True]}
    try:
        with written_whole(path) as file:
            file.write(json.dumps(document, indent=0).encode() + b"\n")
    except OSError as error:
        return f"not recorded, because {path} cannot be written ({error.strerror}): new images may move others"
    return ""
