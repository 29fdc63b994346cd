"""Detectors in the user's hands: exported as weights and description, and rebuilt from them."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from nasgem_core.deployment.export import Exported
from nasgem_core.deployment.folders import new_folder, write_weights
from nasgem_core.deployment.specs import check_weights
from nasgem_core.detection.detector import Detector
from nasgem_core.detection.spec import DetectorSpec

WITHOUT_FORMS = (
    "a detector is written as weights and description alone: it chooses boxes by torchvision's non-maximum "
    "suppression, which is not part of torch, and whose result has no fixed size; export its backbone for the other "
    "forms, and run the detector with `nasgem detect`"
)


def load_detector(spec: DetectorSpec, weights: Mapping[str, Tensor]) -> Detector:
    """Return a detector with its weights, ready to detect; raises `DataError` where they are another detector's."""
    with torch.random.fork_rng(devices=[]):
        detector = spec.build()
    check_weights(spec.name, detector, weights)
    detector.load_state_dict(dict(weights))
    return detector.eval()


def export_detector(spec: DetectorSpec, weights: Mapping[str, Tensor], folder: Path) -> Exported:
    """Write weights and description of a detector into a new folder, whole or not at all.

    Raises:
        DataError: the folder holds something else, or the weights are another detector's.
    """
    load_detector(spec, weights)
    with new_folder(folder) as target:
        write_weights(target, spec.to_json(), weights)
        files = {path.name: path.stat().st_size for path in sorted(target.iterdir())}
    return Exported(folder, files, (), dict.fromkeys(("python", "torch", "onnx"), WITHOUT_FORMS))
