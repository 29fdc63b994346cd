"""Reading and checking a file of annotations in COCO's format.

Mistakes in the file are errors. Flaws that are common in real data sets, such as boxes of zero size, are kept;
`training_boxes` leaves them out of training and counts them.
"""

from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from nasgem_core.config.documents import shown
from nasgem_core.detection.annotations import Category, CocoAnnotations
from nasgem_core.errors import DataError
from nasgem_core.json_text import parse_json

_LARGEST = 2**62
"""Limit of the numbers in a file, which are stored as int64."""
_REMEDY = "copy the file again, or name the annotations of a detection data set in COCO's format"


def read_annotations(path: Path) -> CocoAnnotations:
    """Read a file of annotations.

    If the `area` of a box is missing or not a number of at least 0, the area of its rectangle is used; a box without
    `iscrowd` contains one object. If ids of boxes are missing, repeated or below 1 (which pycocotools takes for "no
    object"), all boxes get new ids.

    Raises:
        DataError: the file is missing, truncated, not of this format or has no boxes; a field of an image, a category
            or a box is missing or wrong; ids or names are repeated; an image is outside of the folder of images; or
            the category or the image of a box is not listed.
    """
    document = _parsed(path)
    images, boxes = _table(path, document, "images"), _table(path, document, "annotations")
    categories = _categories(path, document)
    if not boxes:
        raise DataError(f"{path} has no boxes, so there is nothing to learn or to measure: {_REMEDY}")
    image_ids = _column(path, images, "images", "id", int)
    _require_distinct(path, "images", "id", image_ids)
    file_names = _file_names(path, images)
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
        crowds=np.array([_is_crowd(path, i, row) for i, row in enumerate(boxes)]),
    )


def _parsed(path: Path) -> dict[str, Any]:
    try:
        if path.exists() and not path.is_file():
            raise DataError(f"cannot read the annotations {path} (it is not a file): {_REMEDY}")
        # Outlines are nine tenths of COCO's file; dropped one by one, they are never all in memory.
        document = parse_json(path.read_bytes(), _without_outline)
    except FileNotFoundError:
        raise DataError(f"the annotations {path} do not exist: {_REMEDY}") from None
    except OSError as error:
        raise DataError(f"cannot read the annotations {path} ({error.strerror}): {_REMEDY}") from None
    except (ValueError, MemoryError) as error:
        raise DataError(f"{path} is truncated or not JSON ({error}): {_REMEDY}") from None
    if not isinstance(document, dict):
        raise DataError(f"{path} does not have annotations in COCO's format: {_REMEDY}")
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
    values = [_whole(row.get(field)) for row in rows]
    for i, value in enumerate(values):
        if type(value) is not kind or (isinstance(value, int) and abs(value) >= _LARGEST):
            wanted = "an integer below 2^62" if kind is int else "text"
            raise DataError(f"{path}: {table}[{i}].{field} = {shown(value)}: must be {wanted}")
        if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" or letter == "\0" for letter in value):
            fault = "has half a character or a NUL"
            raise DataError(f"{path}: {table}[{i}].{field} = {shown(value)}: {fault}: write the text again")
    return values


def _whole(value: Any) -> Any:
    """Return a float without a fraction as an int, and anything else as it is: some tools write 320.0."""
    return int(value) if type(value) is float and value.is_integer() else value


def _require_distinct(path: Path, table: str, field: str, values: list[Any]) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise DataError(f"{path}: {field} {shown(value)} is used twice in {table!r}: remove or rename one")
        seen.add(value)


def _categories(path: Path, document: dict[str, Any]) -> tuple[Category, ...]:
    rows = _table(path, document, "categories")
    ids = _column(path, rows, "categories", "id", int)
    names = _column(path, rows, "categories", "name", str)
    _require_distinct(path, "categories", "id", ids)
    _require_distinct(path, "categories", "name", names)
    return tuple(Category(number, name) for number, name in sorted(zip(ids, names, strict=True)))


def _file_names(path: Path, rows: list[dict[str, Any]]) -> list[str]:
    names = _column(path, rows, "images", "file_name", str)
    _require_distinct(path, "images", "file_name", names)
    for i, name in enumerate(names):
        if not name or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise DataError(f"{path}: images[{i}].file_name = {name!r}: must name a file in the folder of images")
    return names


def _rectangle(path: Path, position: int, row: dict[str, Any]) -> list[float]:
    box = row.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_coordinate, box)):
        raise DataError(
            f"{path}: annotations[{position}].bbox = {shown(box)}: must be four numbers, left, top, width and height"
        )
    return box


def _is_coordinate(value: Any) -> bool:
    return type(value) is float or (type(value) is int and abs(value) < _LARGEST)


def _area(row: dict[str, Any], box: list[float]) -> float:
    area = row.get("area")
    if isinstance(area, int | float) and not isinstance(area, bool) and 0 <= area < _LARGEST:
        return area
    return box[2] * box[3]


def _is_crowd(path: Path, position: int, row: dict[str, Any]) -> bool:
    crowd = row.get("iscrowd", 0)
    if crowd not in (0, 1):
        raise DataError(f"{path}: annotations[{position}].iscrowd = {shown(crowd)}: must be 0 or 1")
    return bool(crowd)


def _positions(path: Path, rows: list[dict[str, Any]], field: str, known: list[int], what: str) -> np.ndarray:
    places = {number: position for position, number in enumerate(known)}
    numbers = (_whole(row.get(field)) for row in rows)
    values = [places.get(number, -1) if type(number) is int else -1 for number in numbers]
    if -1 in values:
        first, count = values.index(-1), values.count(-1)
        found = shown(rows[first].get(field))
        raise DataError(
            f"{path}: annotations[{first}].{field} = {found}: the file does not list this {what} "
            f"(the same holds for {count} of {len(rows)} boxes): add it to the file, or remove the boxes"
        )
    return np.array(values, dtype=np.int64)


def _box_ids(rows: list[dict[str, Any]]) -> np.ndarray:
    numbers = [_whole(row.get("id")) for row in rows]
    whole = all(type(number) is int and 0 < number < _LARGEST for number in numbers)
    usable = whole and len(set(numbers)) == len(numbers)
    return np.array(numbers if usable else range(1, len(rows) + 1), dtype=np.int64)
