"""Detectors in the user's hands: exported as files that work without this package, and rebuilt from their weights."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from nasgem_core.deployment.detector_checking import check_detector_forms
from nasgem_core.deployment.detector_file import detector_file
from nasgem_core.deployment.detector_program import INPUTS, OUTPUTS, canvas_of, detector_program
from nasgem_core.deployment.export import COMPARING, FORMS, Exported, FormWriter, check_forms_known
from nasgem_core.deployment.folders import new_folder, write_network
from nasgem_core.deployment.programs import CARD_KEY, capture
from nasgem_core.deployment.specs import check_weights
from nasgem_core.detection.detector import Detector
from nasgem_core.detection.spec import DetectorSpec

CANVAS_KEY = "canvas.json"
"""Name inside both programs of height and width, in pixels, of the image that they take."""


def load_detector(spec: DetectorSpec, weights: Mapping[str, Tensor]) -> Detector:
    """Return a detector with its weights, ready to detect; raises `DataError` where they are another detector's."""
    with torch.random.fork_rng(devices=[]):
        detector = spec.build()
    check_weights(spec.name, detector, weights)
    detector.load_state_dict(dict(weights))
    return detector.eval()


def export_detector(
    spec: DetectorSpec,
    weights: Mapping[str, Tensor],
    folder: Path,
    forms: Sequence[str] = FORMS,
    on_step: Callable[[str], None] | None = None,
) -> Exported:
    """Write weights, description and the forms asked for into a new folder, whole or not at all.

    Each form is run on random pictures in a process that cannot import this package. The Python file takes pictures of
    any size; the programs take one that was resized, see `detector_program`. With all forms asked for, the Python file
    of a detector that cannot be written as one is left out; asked for alone, that is an error.

    Args:
        spec: how the detector is built.
        weights: its state dict.
        folder: made anew; an earlier export there is replaced.
        forms: some of `FORMS`.
        on_step: told what is being done.

    Raises:
        ParameterError: a form is unknown.
        DataError: the folder holds something else, the weights are another detector's, or a form cannot be written or
            differs from the original.
    """
    check_forms_known(forms)
    say = on_step or (lambda step: None)
    detector = load_detector(spec, weights)
    writer = FormWriter(
        name=spec.name,
        notes={CARD_KEY: spec.to_json(), CANVAS_KEY: json.dumps(canvas_of(detector))},
        source=lambda: detector_file(spec, detector),
        program=lambda: _captured(spec.name, detector),
        inputs=INPUTS,
        outputs=OUTPUTS,
        length="objects",
    )
    with new_folder(folder) as target:
        write_network(target, spec.to_json(), weights)
        left_out = writer.write(target, forms, say)
        say(COMPARING)
        differences = check_detector_forms(detector, target)
        files = {path.name: path.stat().st_size for path in sorted(target.iterdir())}
    return Exported(folder, files, differences, left_out)


def _captured(name: str, detector: Detector) -> object:
    program, example = detector_program(detector)
    return capture(program, name, example)
