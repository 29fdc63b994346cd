"""A classifier as ONNX with weights and activations of 8 bits, and what that costs in accuracy on the user's images.

Static quantisation by onnxruntime: ranges of the activations come from some hundred of the images, and each output
channel of a convolution has a scale of its own. Weights have 7 bits, because older processors without instructions for
8-bit products overflow with more.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.folders import new_folder, write_network
from nasgem_core.deployment.form import INT8_FILE, form_files
from nasgem_core.deployment.originals import Classifier
from nasgem_core.deployment.predicting import prepare
from nasgem_core.deployment.programs import CARD_KEY, open_onnx, save_onnx
from nasgem_core.deployment.quiet import quiet
from nasgem_core.deployment.specs import load_network
from nasgem_core.errors import DataError
from nasgem_core.training.image_files import ImageFiles
from nasgem_core.training.image_reading import UnreadableImageError

CALIBRATION_IMAGES = 256
MOST_IMAGES = 5000
"""Images on which both accuracies are measured: all, or as many of them, spread evenly."""
_BATCH = 32
_PASSES = 50


@dataclass(frozen=True)
class Int8Report:
    """What was measured of the float and the 8-bit ONNX file.

    Args:
        images: number of images of both accuracies.
        float_top1: accuracy of the float file, a fraction.
        int8_top1: that of the 8-bit file on the same images.
        float_bytes: size of the float file.
        int8_bytes: size of the 8-bit file.
        float_ms: median time of a pass of one image on one thread; both files take turns.
        int8_ms: that of the 8-bit file.
    """

    images: int
    float_top1: float
    int8_top1: float
    float_bytes: int
    int8_bytes: int
    float_ms: float
    int8_ms: float


def export_int8(
    card: NetworkCard,
    weights: Mapping[str, Tensor],
    folder: Path,
    images: ImageFiles,
    *,
    most_lost: float,
    on_step: Callable[[str], None] | None = None,
) -> Int8Report:
    """Write weights, card and the 8-bit ONNX file into a new folder, whole or not at all.

    The card has the report among its metrics, each name with "int8_export_" before it.

    Args:
        card: of the classifier.
        weights: its state dict.
        folder: made for it; an earlier export there is replaced.
        images: validation images; their labels are those of the card's classes.
        most_lost: the largest fall of the accuracy, as a fraction.
        on_step: is given a line for each step.

    Raises:
        DataError: the accuracy falls by more, no image can be read, the images are of other classes, or the folder
            holds something else.
    """
    if len(images.classes) != len(card.classes):
        raise DataError(
            f"{images.folder} has {len(images.classes)} classes, {card.name} has {len(card.classes)}: name the images "
            "that it was trained with"
        )
    say = on_step or (lambda step: None)
    original = Classifier(card, load_network(card, weights))
    with new_folder(folder, form_files()) as target, tempfile.TemporaryDirectory() as temporary:
        exact, small = Path(temporary) / "float.onnx", target / INT8_FILE
        say("writing the float ONNX file to compare with")
        save_onnx(original.onnx_program, card.name, exact, {}, original.ports)
        say(f"measuring the ranges of the activations on {min(len(images), CALIBRATION_IMAGES)} images")
        _quantise(exact, small, _prepared(images, card, CALIBRATION_IMAGES))
        say("comparing both on the images")
        report = _measured(exact, small, images, card)
        if report.float_top1 - report.int8_top1 > most_lost:
            raise DataError(
                f"with 8 bits the accuracy of {card.name} falls from {report.float_top1:.4f} to {report.int8_top1:.4f} "
                f"on {report.images} images, by more than {most_lost:g}: it was not written; allow more with "
                "--most-lost, or export the form onnx"
            )
        found = {f"int8_export_{name}": value for name, value in asdict(report).items()}
        own = replace(card, metrics={**card.metrics, **found})
        _note(small, own)
        write_network(target, own.to_json(), weights)
    return report


def _spread(count: int, most: int) -> np.ndarray:
    """Return up to `most` of `count` indices, spread evenly."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(int))


def _prepared(images: ImageFiles, card: NetworkCard, most: int) -> Iterator[tuple[np.ndarray, int]]:
    """Yield what the network is shown of some images, [1, 3, S, S], and their labels; broken ones are left out."""
    for index in _spread(len(images), most):
        try:
            picture = images.read(int(index))
        except UnreadableImageError:
            continue
        yield prepare(picture, card).numpy(), int(images.labels[index])


def _quantise(exact: Path, small: Path, examples: Iterator[tuple[np.ndarray, int]]) -> None:
    """Write the 8-bit form of an ONNX file."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        """Gives the quantiser one image after the other."""

        def get_next(self) -> Any:
            """Return the next input by name, None behind the last."""
            return next(({"images": array} for array, _ in examples), None)

    with quiet():
        try:
            quantize_static(
                exact,
                small,
                Reader(),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
            )
        except Exception as error:  # onnxruntime raises errors of all kinds, such as where no image could be read
            raise DataError(f"the network cannot be written with 8 bits: {str(error).splitlines()[0]}") from error


def _measured(exact: Path, small: Path, images: ImageFiles, card: NetworkCard) -> Int8Report:
    """Measure accuracy, size and time of both files."""
    sessions = [open_onnx(path) for path in (exact, small)]
    right, seen = np.zeros(2, int), 0
    batch: list[tuple[np.ndarray, int]] = []
    examples = _prepared(images, card, MOST_IMAGES)
    while batch := [example for example, _ in zip(examples, range(_BATCH), strict=False)]:
        arrays, labels = np.concatenate([array for array, _ in batch]), np.array([label for _, label in batch])
        right += [int((session.run(None, {"images": arrays})[0].argmax(1) == labels).sum()) for session in sessions]
        seen += len(batch)
    one = {"images": arrays[:1]}
    seconds = np.zeros((_PASSES, 2))
    for turn in range(_PASSES):
        for place, session in enumerate(sessions):
            session.run(None, one)
            start = time.perf_counter()
            session.run(None, one)
            seconds[turn, place] = time.perf_counter() - start
    float_ms, int8_ms = np.median(seconds, axis=0) * 1e3
    top1 = right / seen
    sizes = exact.stat().st_size, small.stat().st_size
    return Int8Report(seen, float(top1[0]), float(top1[1]), *sizes, float(float_ms), float(int8_ms))


def _note(path: Path, card: NetworkCard) -> None:
    """Put the card into an ONNX file."""
    import onnx

    model = onnx.load(path)
    onnx.helper.set_model_props(model, {CARD_KEY: card.to_json()})
    onnx.save(model, path)
