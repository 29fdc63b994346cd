"""Folders of images for the tests of what reads them."""

import numpy as np
from PIL import Image


def write_images(folder, train=12, val=5, classes=("blue", "green", "red"), size=(20, 16)):
    """Write train/ and val/ with so many images a class, each of its own noisy colour."""
    generator = np.random.default_rng(0)
    for split, count in (("train", train), ("val", val)):
        for label, name in enumerate(classes):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = generator.integers(0, 60, (size[1], size[0], 3), np.uint8)
                pixels[..., label % 3] += 150
                Image.fromarray(pixels).save(folder / split / name / f"{number:03}.png")
    return folder
