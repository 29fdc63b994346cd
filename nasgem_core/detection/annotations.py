"""Annotations in COCO's format: read whole, checked, and held as arrays that say the same as the file.

What cannot be meant stops the reading with one message; what a set of photographs may well hold, such as a box of zero
size, stays here as it is and is left out of training, with a count, by `training_boxes`.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nasgem_core.errors import DataError

_LARGEST = 2**62
"""Above it numbers do not fit where they are kept."""
_REMEDY = "copy the file again, or name the annotations of a detection data set in COCO's format"


@dataclass(frozen=True)
class Category:
    """A kind of object: its number in the annotation file, which may leave gaps, and its name."""

    id: int
    name: str


@dataclass(frozen=True, eq=False)
class CocoAnnotations:
    """N images with B boxes of C categories.

    Args:
        source: the file, for messages.
        categories: in the order of their numbers; the position of a category is its label.
        image_ids: [N] int64.
        file_names: of each image, relative to the folder of images.
        sizes: [N, 2] int64, height and width of each image in pixels.
        box_ids: [B] int64, from 1.
        box_images: [B] int64, the position of each box's image in `image_ids`.
        labels: [B] int64 in 0..C-1.
        boxes: [B, 4] float64, left, top, width and height in pixels, as in the file.
        areas: [B] float64, of the object, which sorts it into small, medium and large.
        crowds: [B] bool, the box holds a crowd and not one object.
    """

    source: Path
    categories: tuple[Category, ...]
    image_ids: np.ndarray
    file_names: tuple[str, ...]
    sizes: np.ndarray
    box_ids: np.ndarray
    box_images: np.ndarray
    labels: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray
    crowds: np.ndarray

    def __len__(self) -> int:
        return len(self.image_ids)

    def content_hash(self) -> str:
        """Return 32 hexadecimal digits that are equal for equal names, categories and boxes of the images."""
        text = [*self.file_names, "", *(f"{category.id} {category.name}" for category in self.categories)]
        digest = hashlib.blake2b("\x1f".join(text).encode(), digest_size=16)
        for array in (self.image_ids, self.box_images, self.labels, self.boxes, self.areas, self.crowds):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def subset(self, images: np.ndarray) -> "CocoAnnotations":
        """Return some of the images, by position and in that order, with their boxes."""
        places = np.full(len(self), -1)
        places[images] = np.arange(len(images))
        kept = places[self.box_images] >= 0
        columns = ("box_ids", "labels", "boxes", "areas", "crowds")
        return replace(
            self,
            image_ids=self.image_ids[images],
            file_names=tuple(self.file_names[image] for image in images),
            sizes=self.sizes[images],
            box_images=places[self.box_images[kept]],
            **{name: getattr(self, name)[kept] for name in columns},
        )

    def document(self) -> dict[str, Any]:
        """Return what pycocotools reads: the file's content without outlines, licences and addresses."""
        numbers = [category.id for category in self.categories]
        sizes = zip(self.image_ids.tolist(), self.sizes.tolist(), strict=True)
        columns = (self.box_ids, self.image_ids[self.box_images], self.labels, self.boxes, self.areas, self.crowds)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return {
            "categories": [{"id": category.id, "name": category.name} for category in self.categories],
            "images": [{"id": number, "height": height, "width": width} for number, (height, width) in sizes],
            "annotations": [
                {
                    "id": number,
                    "image_id": image,
                    "category_id": numbers[label],
                    "bbox": box,
                    "area": area,
                    "iscrowd": int(crowd),
                }
                for number, image, label, box, area, crowd in rows
            ],
        }


def read_annotations(path: Path) -> CocoAnnotations:
    """Read a file of annotations.

    A box without `area` gets that of its rectangle, one without `iscrowd` holds one object. Numbers of boxes are given
    anew where they are missing, repeated or below 1, which pycocotools would take for "no object".

    Raises:
        DataError: the file is missing, truncated, no such JSON or without a box; an image, a category or a box lacks
            what it needs; numbers or names stand twice; or a box is of a category or an image that is not listed.
    """
    document = _parsed(path)
    images, boxes = _table(path, document, "images"), _table(path, document, "annotations")
    categories = _categories(path, document)
    if not boxes:
        raise DataError(f"{path} lists no box, there is nothing to learn or to measure: {_REMEDY}")
    image_ids = _column(path, images, "images", "id", int)
    _require_distinct(path, "images", "id", image_ids)
    file_names = _column(path, images, "images", "file_name", str)
    sizes = [_column(path, images, "images", side, int) for side in ("height", "width")]
    if min(min(side) for side in sizes) < 1:
        raise DataError(f"{path}: an image has a height or width below 1: {_REMEDY}")
    rows = [_rectangle(path, i, row) for i, row in enumerate(boxes)]
    rectangles = np.array(rows, dtype=np.float64).reshape(-1, 4)
    areas = [_area(row, box) for row, box in zip(boxes, rows, strict=True)]
    return CocoAnnotations(
        source=path,
        categories=categories,
        image_ids=np.array(image_ids, dtype=np.int64),
        file_names=tuple(file_names),
        sizes=np.array(sizes, dtype=np.int64).T,
        box_ids=_box_ids(boxes),
        box_images=_positions(path, boxes, "image_id", image_ids, "image"),
        labels=_positions(path, boxes, "category_id", [category.id for category in categories], "category"),
        boxes=rectangles,
        areas=np.array(areas, dtype=np.float64),
        crowds=np.array([bool(row.get("iscrowd", 0)) for row in boxes]),
    )


def require_same_categories(train: CocoAnnotations, validation: CocoAnnotations) -> None:
    """Raise `DataError` naming the first category that only one of both files has, or that has two names or numbers."""
    differing = set(train.categories) ^ set(validation.categories)
    if differing:
        first = min(differing, key=lambda category: category.id)
        owner, other = (train, validation) if first in train.categories else (validation, train)
        raise DataError(
            f"category {first.id} {first.name!r} of {owner.source} is missing in {other.source}: "
            "both files must list the same categories"
        )


def _parsed(path: Path) -> dict[str, Any]:
    try:
        # Outlines are nine tenths of COCO's file; dropped one by one, they never stand in memory together.
        document = json.loads(path.read_bytes(), object_hook=_without_outline)
    except FileNotFoundError:
        raise DataError(f"there are no annotations {path}: {_REMEDY}") from None
    except OSError as error:
        raise DataError(f"cannot read the annotations {path} ({error.strerror}): {_REMEDY}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is truncated or no JSON ({error}): {_REMEDY}") from None
    if not isinstance(document, dict):
        raise DataError(f"{path} holds no annotations in COCO's format: {_REMEDY}")
    return document


def _without_outline(value: dict[str, Any]) -> dict[str, Any]:
    value.pop("segmentation", None)
    return value


def _table(path: Path, document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = document.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path} has no list {name!r}: {_REMEDY}")
    if not rows and name != "annotations":
        raise DataError(f"{path}: {name!r} is empty: {_REMEDY}")
    return rows


def _column(path: Path, rows: list[dict[str, Any]], table: str, field: str, kind: type) -> list[Any]:
    values = [row.get(field) for row in rows]
    for i, value in enumerate(values):
        if type(value) is not kind or (isinstance(value, int) and abs(value) >= _LARGEST):
            wanted = "a whole number below 2^62" if kind is int else "text"
            raise DataError(f"{path}: {table}[{i}].{field} = {value!r}: must be {wanted}")
    return values


def _require_distinct(path: Path, table: str, field: str, values: list[Any]) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise DataError(f"{path}: {field} {value!r} stands twice in {table!r}: remove one, or number them anew")
        seen.add(value)


def _categories(path: Path, document: dict[str, Any]) -> tuple[Category, ...]:
    rows = _table(path, document, "categories")
    ids = _column(path, rows, "categories", "id", int)
    names = _column(path, rows, "categories", "name", str)
    _require_distinct(path, "categories", "id", ids)
    _require_distinct(path, "categories", "name", names)
    return tuple(Category(number, name) for number, name in sorted(zip(ids, names, strict=True)))


def _rectangle(path: Path, position: int, row: dict[str, Any]) -> list[float]:
    box = row.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_coordinate, box)):
        raise DataError(
            f"{path}: annotations[{position}].bbox = {box!r}: must be four numbers, left, top, width and height"
        )
    return box


def _is_coordinate(value: Any) -> bool:
    return type(value) is float or (type(value) is int and abs(value) < _LARGEST)


def _area(row: dict[str, Any], box: list[float]) -> float:
    area = row.get("area")
    return area if isinstance(area, int | float) else box[2] * box[3]


def _positions(path: Path, rows: list[dict[str, Any]], field: str, known: list[int], what: str) -> np.ndarray:
    places = {number: position for position, number in enumerate(known)}
    values = [places.get(value, -1) if type(value) is int else -1 for value in (row.get(field) for row in rows)]
    if -1 in values:
        first, count = values.index(-1), values.count(-1)
        raise DataError(
            f"{path}: annotations[{first}].{field} = {rows[first].get(field)!r}, and the file lists no such {what} "
            f"({count} of {len(rows)} boxes have none): add it to the file, or remove the boxes"
        )
    return np.array(values, dtype=np.int64)


def _box_ids(rows: list[dict[str, Any]]) -> np.ndarray:
    numbers = [row.get("id") for row in rows]
    whole = all(type(number) is int and 0 < number < _LARGEST for number in numbers)
    usable = whole and len(set(numbers)) == len(numbers)
    return np.array(numbers if usable else range(1, len(rows) + 1), dtype=np.int64)
