"""Networks as folders that work without this package: weights, and the forms asked for, each checked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from torch import Tensor

from nasgem_core.deployment import onnx_app
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.checking import Difference, check_forms, classifier_examples
from nasgem_core.deployment.detector_checking import check_detector_forms, detector_examples
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

    Each form is run on random images in a process that cannot import this package; the network itself before anything
    is written, because forms of a deep network take minutes. With several forms asked for, the
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
        DataError: the folder holds something else, the weights are another network's, its outputs are not finite or
            depend on rounding, or a form cannot be written or differs from the original.
    """
    chosen = forms_named(forms)
    say = on_step or (lambda step: None)
    original: Classifier | WholeDetector
    if isinstance(description, DetectorSpec):
        original = WholeDetector(description, load_detector(description, weights))
    else:
        original = Classifier(description, load_network(description, weights))
    with new_folder(folder, form_files()) as target:
        check = _prepared_check(original)
        write_network(target, original.document, weights)
        left_out = _write(original, chosen, target, say)
        say(COMPARING)
        written = [form for form in chosen if form.name not in left_out]
        if isinstance(original, Classifier) and any(form.name == "onnx" for form in written):
            (target / ONNX_APP).write_bytes(Path(onnx_app.__file__).read_bytes())
        differences = check(target, written)
        files = {path.name: path.stat().st_size for path in sorted(target.iterdir())}
    return Exported(folder, files, differences, left_out)


def _prepared_check(original: Classifier | WholeDetector) -> Callable[[Path, Sequence[Form]], list[Difference]]:
    """Run the original on random images; return what compares the forms in a folder with what it gave."""
    if isinstance(original, WholeDetector):
        return partial(check_detector_forms, detector_examples(original.network))
    return partial(check_forms, classifier_examples(original.network, original.card.image_size))


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
