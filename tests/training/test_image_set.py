from dataclasses import replace

import numpy as np
import pytest

from nasgem_core.errors import DataError
from nasgem_core.training.image_set import ImageSet


def small_set(**changes):
    generator = np.random.default_rng(0)
    arrays = {
        "train_images": generator.integers(0, 256, (12, 8, 8, 3), np.uint8),
        "train_labels": np.arange(12, dtype=np.uint8) % 3,
        "validation_images": generator.integers(0, 256, (6, 8, 8, 3), np.uint8),
        "validation_labels": np.arange(6, dtype=np.uint8) % 3,
    }
    return ImageSet(**(arrays | changes), classes=("a", "b", "c"))


def test_mean_and_std_are_those_of_the_training_images():
    images = small_set()
    scaled = images.train_images.astype(np.float64) / 255
    np.testing.assert_allclose(images.mean, scaled.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(images.std, scaled.std(axis=(0, 1, 2)), rtol=1e-12)


def test_images_of_one_colour_have_a_std_that_can_be_divided_by():
    grey = np.full((4, 8, 8, 3), 7, np.uint8)
    assert min(ImageSet(grey, np.zeros(4, int), grey, np.zeros(4, int), ("a",)).std) > 0


def test_content_hash_sees_every_part():
    images = small_set()
    assert images.content_hash == small_set().content_hash
    changed = images.train_images.copy()
    changed[3, 1, 1, 0] ^= 1
    others = [
        replace(images, train_images=changed),
        replace(images, train_labels=np.roll(images.train_labels, 1)),
        replace(images, validation_images=images.validation_images[::-1]),
        replace(images, validation_labels=np.roll(images.validation_labels, 1)),
        replace(images, classes=("a", "b", "d")),
    ]
    assert len({images.content_hash, *(other.content_hash for other in others)}) == 6


def test_labels_become_int64_and_the_size_is_that_of_the_images():
    images = small_set()
    assert images.train_labels.dtype == images.validation_labels.dtype == np.int64
    assert images.image_size == 8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_images": np.zeros((12, 8, 9, 3), np.uint8)}, r"train_images have shape \(12, 8, 9, 3\)"),
        ({"train_images": np.zeros((12, 8, 8, 3))}, "type float64: must be square"),
        ({"validation_images": np.zeros((6, 4, 4, 3), np.uint8)}, "both splits must have the same size"),
        ({"train_labels": np.zeros(12)}, "give one integer per image"),
        ({"train_labels": np.full(12, -1)}, r"train_labels are in -1\.\.-1: must be in 0\.\.2"),
        (
            {"validation_images": np.zeros((1, 8, 8, 3), np.uint8), "validation_labels": np.zeros(1, int)},
            "validation_images has 1 images: at least 2 are needed",
        ),
    ],
)
def test_arrays_that_do_not_match_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        small_set(**changes)
