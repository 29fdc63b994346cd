"""Annotations in COCO's format as arrays, with the same content as the file."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nasgem_core.digest import digest_of
from nasgem_core.errors import DataError


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
        file_names: file name of each image, relative to the folder of images.
        sizes: [N, 2] int64, height and width of each image in pixels.
        box_ids: [B] int64, from 1.
        box_images: [B] int64, the position of each box's image in `image_ids`.
        labels: [B] int64 in 0..C-1.
        boxes: [B, 4] float64, left, top, width and height in pixels, as in the file.
        areas: [B] float64, area of the object, which decides whether it counts as small, medium or large.
        crowds: [B] bool, whether the box contains a crowd instead of a single object.
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
        """Return 32 hexadecimal digits that are equal for equal image names, categories and boxes."""
        text = [*self.file_names, "", *(f"{category.id} {category.name}" for category in self.categories)]
        arrays = (self.image_ids, self.box_images, self.labels, self.boxes, self.areas, self.crowds)
        return digest_of(["\x1f".join(text), *arrays])

    def subset(self, images: np.ndarray) -> "CocoAnnotations":
        """Return the images at these positions, in this order, with their boxes."""
        places = np.full(len(self), -1)
        places[images] = np.arange(len(images))
        chosen = self._with_boxes(places[self.box_images] >= 0)
        return replace(
            chosen,
            image_ids=self.image_ids[images],
            file_names=tuple(self.file_names[image] for image in images),
            sizes=self.sizes[images],
            box_images=places[chosen.box_images],
        )

    def with_finite_boxes(self) -> "CocoAnnotations":
        """Return a copy without the boxes whose numbers are not all finite."""
        return self._with_boxes(np.isfinite(self.boxes).all(axis=1))

    def _with_boxes(self, kept: np.ndarray) -> "CocoAnnotations":
        columns = ("box_ids", "box_images", "labels", "boxes", "areas", "crowds")
        return replace(self, **{name: getattr(self, name)[kept] for name in columns})

    def document(self) -> dict[str, Any]:
        """Return the document that pycocotools reads: the file's content without outlines, licences and addresses."""
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


def require_same_categories(train: CocoAnnotations, validation: CocoAnnotations) -> None:
    """Raise `DataError` if the categories differ; it names the first one that only one of the files has."""
    differing = set(train.categories) ^ set(validation.categories)
    if differing:
        first = min(differing, key=lambda category: category.id)
        owner, other = (train, validation) if first in train.categories else (validation, train)
        raise DataError(
            f"category {first.id} {first.name!r} of {owner.source} is missing from {other.source}: "
            "both files must list the same categories"
        )
