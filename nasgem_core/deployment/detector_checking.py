"""Exported forms of a detector are compared with the original: the same objects, at the same places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from nasgem_core.deployment.checking import Difference, isolated_outputs, measured
from nasgem_core.deployment.detector_program import OUTPUTS, canvas_of
from nasgem_core.deployment.form import Form
from nasgem_core.deployment.isolated import THRESHOLD
from nasgem_core.detection.detector import Detector
from nasgem_core.errors import DataError
from nasgem_core.networks.layout import IMAGE_CHANNELS

_FEWEST, _MOST = 3, 20
"""Objects that the threshold of the check leaves in the first picture: some, and those clearly above the others."""
_CHANGE = 1e-6
"""How much pixels change to see whether the original's choice of boxes depends on its last digits."""
_DRAWS = 5
_NEAR, _FAR = 1.0, 1e9
"""Pixels up to which two boxes may be one object's, and those that stand for a wrong label."""

Found = Sequence[Mapping[str, np.ndarray]]


@dataclass(frozen=True, eq=False)
class DetectorExamples:
    """Random pictures, and what the forms of a detector have to find in them.

    Args:
        arrays: what forms are given, as `isolated_outputs` takes it.
        found: by the original in each picture.
    """

    arrays: Mapping[str, np.ndarray]
    found: Found


def detector_examples(detector: Detector, seed: int = 0) -> DetectorExamples:
    """Return what forms can be compared on, before minutes of writing them.

    A trained detector finds nothing in noise: the threshold of the scores is lowered, for original and forms alike,
    until at least three objects are found. Which of two boxes with nearly equal scores goes can depend on rounding;
    pictures where the original's own choice changes with the last digits of the pixels are drawn again.

    Raises:
        DataError: nothing is found, or values are not finite.
    """
    pictures, fitting, threshold, expected = _steady(detector, torch.Generator().manual_seed(seed))
    arrays = {f"picture.{i}": picture.numpy() for i, picture in enumerate(pictures)}
    arrays[THRESHOLD] = np.asarray(threshold, dtype=np.float32)
    for i in range(fitting):
        canvas = torch.zeros(IMAGE_CHANNELS, *canvas_of(detector))
        height, width = pictures[i].shape[1:]
        canvas[:, :height, :width] = pictures[i]
        arrays |= {f"image.{i}": canvas.numpy(), f"size.{i}": np.array([height, width])}
    return DetectorExamples(arrays, expected)


def check_detector_forms(examples: DetectorExamples, folder: Path, forms: Sequence[Form]) -> list[Difference]:
    """Compare the forms in `folder` with the original on random pictures, in a process without this package.

    Raises:
        DataError: a form cannot be run, finds other objects, or other places and scores.
    """
    differences = []
    for form, outputs in isolated_outputs(folder, examples.arrays, forms, "detector").items():
        results = [dict(zip(OUTPUTS, values, strict=True)) for values in outputs]
        differences += _compare(form, results, examples.found[: len(results)])
    return differences


def _steady(detector: Detector, generator: torch.Generator) -> tuple[list[Tensor], int, float, Found]:
    """Return pictures, how many of them suit programs, the threshold of the scores, and what is found above it."""
    for _ in range(_DRAWS):
        pictures, fitting = _draw(detector, generator)
        found = _found(detector, pictures)
        threshold = _threshold(found)
        expected = _above(found, threshold)
        changed = _above(_found(detector, [_changed(picture, generator) for picture in pictures]), threshold)
        if all(_matched(one, other) is not None for one, other in zip(changed, expected, strict=True)):
            break
    return pictures, fitting, threshold, expected


def _draw(detector: Detector, generator: torch.Generator) -> tuple[list[Tensor], int]:
    """Return pictures, and how many of them come first that the detector neither resizes nor pads otherwise."""
    transform = detector.network.transform
    short, long = transform.min_size[0], transform.max_size
    height, width = canvas_of(detector)
    sizes = [(short, long), (long, short) if height == width else (short, long)]
    pictures = [torch.rand(IMAGE_CHANNELS, *size, generator=generator) for size in sizes]
    smaller = IMAGE_CHANNELS, max(1, short * 2 // 3), max(1, short // 2)
    pictures.append(torch.randint(0, 256, smaller, dtype=torch.uint8, generator=generator))
    return pictures, len(sizes)


def _changed(picture: Tensor, generator: torch.Generator) -> Tensor:
    floats = picture if picture.is_floating_point() else picture / 255
    return floats + _CHANGE * torch.randn(picture.shape, generator=generator)


def _found(detector: Detector, pictures: Sequence[Tensor]) -> Found:
    """Return all that a detector finds in each picture, whatever its score."""
    usual, detector.lowest_score = detector.lowest_score, 0.0
    try:
        with torch.no_grad():
            found = [detector([picture])[0] for picture in pictures]
    finally:
        detector.lowest_score = usual
    return [{name: one[name].numpy() for name in OUTPUTS} for one in found]


def _above(found: Found, threshold: float) -> Found:
    """Return what has a higher score: boxes with lower ones have no say in what else is found."""
    return [{name: array[one["scores"] > threshold] for name, array in one.items()} for one in found]


def _threshold(found: Found) -> float:
    """Return the threshold with the widest gap around it that leaves some objects in the first picture."""
    if not all(np.isfinite(array).all() for one in found for array in one.values()):
        raise DataError("the detector gives numbers that are not finite for random images: train it first")
    first = np.sort(found[0]["scores"])[::-1]
    if not len(first):
        raise DataError("the detector finds nothing in random images, even with a threshold of 0: train it first")
    scores = np.unique(np.concatenate([one["scores"] for one in found]).astype(np.float64))
    edges = np.concatenate([[0.0], scores])
    middles, gaps = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    counts = (first[None] > middles[:, None]).sum(axis=1)
    fewest = min(_FEWEST, len(first))
    allowed = (counts >= fewest) & (counts <= _MOST)
    if not allowed.any():
        raise DataError(f"the detector gives more than {_MOST} objects the same highest score: train it first")
    return float(np.float32(middles[allowed][gaps[allowed].argmax()]))


def _matched(found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """Return which found object each expected one is, or None where they are not the same.

    Objects with nearly equal scores may come in another order: each is the nearest one of its label.
    """
    if len(found["scores"]) != len(expected["scores"]):
        return None
    apart = np.abs(found["boxes"][None] - expected["boxes"][:, None]).max(axis=2)
    apart[found["labels"][None] != expected["labels"][:, None]] = _FAR
    rows, order = linear_sum_assignment(np.nan_to_num(apart, nan=_FAR))
    return order if (apart[rows, order] < _NEAR).all() else None


def _compare(form: str, found: Found, expected: Found) -> list[Difference]:
    ordered = []
    for one, other in zip(found, expected, strict=True):
        order = _matched(one, other)
        if order is None:
            raise DataError(
                f"the exported form {form!r} finds {len(one['scores'])} objects in a random picture, which are not the "
                f"{len(other['scores'])} of the original: it was not written"
            )
        ordered.append({name: array[order] for name, array in one.items()})
    return [
        measured(form, name, [one[name] for one in ordered], [one[name] for one in expected])
        for name in ("boxes", "scores")
    ]
