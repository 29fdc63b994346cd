"""Random crops for training, as in Inception and every ImageNet recipe since; centre crops for validation.

The random numbers of an image depend only on seed, epoch and image, so neither the number of workers nor an
interruption changes them.
"""

import math

import numpy as np
from PIL import Image

from nasgem_core.cells.random_streams import GOLDEN, mix_words
from nasgem_core.seeding import derive_seed

ASPECTS = (3 / 4, 4 / 3)
ATTEMPTS = 10
DRAWS = 4 * ATTEMPTS + 1
"""Numbers in [0, 1) that one crop may use: four per attempt (area, aspect, top, left) and one for the flip."""

Box = tuple[int, int, int, int]


def draw_uniforms(seed: int, epoch: int, indices: np.ndarray, count: int = DRAWS) -> np.ndarray:
    """Return the numbers in [0, 1) of images `indices` [B] in this epoch, [B, count]."""
    root = np.uint64(derive_seed(seed, "augmentation", epoch))
    streams = mix_words(mix_words(indices.astype(np.uint64) * GOLDEN ^ root))
    words = mix_words(streams[:, None] + np.arange(1, count + 1, dtype=np.uint64) * GOLDEN)
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def random_box(width: int, height: int, uniforms: np.ndarray, area: tuple[float, float]) -> Box:
    """Return left, top, right and bottom of a crop whose share of the image's area is in the range `area`.

    If ten attempts do not find an area and an aspect ratio that fit into the image, the crop is the largest one with an
    allowed aspect ratio at the centre.
    """
    low, high = map(math.log, ASPECTS)
    for attempt in uniforms[: 4 * ATTEMPTS].reshape(ATTEMPTS, 4).tolist():
        size = width * height * (area[0] + (area[1] - area[0]) * attempt[0])
        aspect = math.exp(low + (high - low) * attempt[1])
        w, h = round(math.sqrt(size * aspect)), round(math.sqrt(size / aspect))
        if 0 < w <= width and 0 < h <= height:
            top, left = int(attempt[2] * (height - h + 1)), int(attempt[3] * (width - w + 1))
            return left, top, left + w, top + h
    w, h = width, height
    if width / height < ASPECTS[0]:
        h = round(width / ASPECTS[0])
    elif width / height > ASPECTS[1]:
        w = round(height * ASPECTS[1])
    left, top = (width - w) // 2, (height - h) // 2
    return left, top, left + w, top + h


def random_crop(image: Image.Image, size: int, uniforms: np.ndarray, area: tuple[float, float]) -> np.ndarray:
    """Return a random part of an image as [size, size, 3] uint8, mirrored with probability 1/2."""
    box = random_box(*image.size, uniforms, area)
    pixels = np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box=box))
    return pixels[:, ::-1] if uniforms[-1] < 0.5 else pixels


def centre_crop(image: Image.Image, size: int, share: float) -> np.ndarray:
    """Return the centre of an image as [size, size, 3] uint8.

    Args:
        image: an RGB image.
        size: pixels along each side of the result.
        share: side of the crop as a share of the image's short side; .875 is usual.
    """
    width, height = image.size
    side = min(width, height) * share
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box=box))
