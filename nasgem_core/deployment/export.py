"""Networks as folders that work without this package: weights, and the forms asked for, each checked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from nasgem_core.deployment import onnx_app
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.checking import Difference, check_forms
from nasgem_core.deployment.detector_checking import check_detector_forms
from nasgem_core.deployment.detectors import load_detector
from nasgem_core.deployment.folders import new_folder, write_network
from nasgem_core.deployment.form import ONNX_APP, Form, form_files, forms_named
from nasgem_core.deployment.originals import Classifier, WholeDetector
from nasgem_core.deployment.specs import load_network
from nasgem_core.detection.spec import DetectorSpec
from nasgem_core.errors import DataError

COMPARING = "comparing each form with the original, in a process without nasgem"


@dataclass(frozen=True)
class Exported:
    """What an export has written.

    Args:
        folder: where.
        files: names and sizes in bytes.
        differences: of each form from the original, measured without this package.
        left_out: why a form is missing, by form.
    """

    folder: Path
    files: Mapping[str, int]
    differences: Sequence[Difference]
    left_out: Mapping[str, str]


def export_network(
    description: NetworkCard | DetectorSpec,
    weights: Mapping[str, Tensor],
    folder: Path,
    forms: Sequence[str] | None = None,
    on_step: Callable[[str], None] | None = None,
) -> Exported:
    """Write weights, description and the forms asked for into a new folder, whole or not at all.

    Each form is run on random images in a process that cannot import this package. With several forms asked for, the
    Python file of a network that cannot be written as one is left out; asked for alone, that is an error. The Python
    file of a detector takes pictures of any size; its programs take one that was resized, see `detector_program`.

    Args:
        description: a classifier's card, or what a detector is built from.
        weights: its state dict.
        folder: made for it; an earlier export there is replaced.
        forms: names of some of `FORMS`, by default all of them.
        on_step: is given a line for each step.

    Raises:
        ParameterError: a form is unknown.
        DataError: the folder holds something else, the weights are another network's, or a form cannot be written or
            differs from the original.
    """
    chosen = forms_named(forms)
    say = on_step or (lambda step: None)
    original: Classifier | WholeDetector
    if isinstance(description, DetectorSpec):
        original = WholeDetector(description, load_detector(description, weights))
    else:
        original = Classifier(description, load_network(description, weights))
    with new_folder(folder, form_files()) as target:
        write_network(target, original.document, weights)
        left_out = _write(original, chosen, target, say)
        say(COMPARING)
        written = [form for form in chosen if form.name not in left_out]
        if isinstance(original, Classifier) and any(form.name == "onnx" for form in written):
            (target / ONNX_APP).write_bytes(Path(onnx_app.__file__).read_bytes())
        if isinstance(original, WholeDetector):
            differences = check_detector_forms(original.network, target, written)
        else:
            differences = check_forms(original.network, target, original.card.image_size, written)
        files = {path.name: path.stat().st_size for path in sorted(target.iterdir())}
    return Exported(folder, files, differences, left_out)


def _write(
    original: Classifier | WholeDetector, forms: Sequence[Form], folder: Path, say: Callable[[str], None]
) -> dict[str, str]:
    """Write the forms, and return why one is left out."""
    left_out: dict[str, str] = {}
    for form in forms:
        say(f"writing {form.label}")
        handling = form.detector if isinstance(original, WholeDetector) else form.classifier
        try:
            handling.write(original, folder / form.file)
        except DataError as error:
            if not form.partial or len(forms) == 1:
                raise
            left_out[form.name] = str(error)
    return left_out
