"""Detectors rebuilt from their weights."""

from collections.abc import Mapping

import torch
from torch import Tensor

from nasgem_core.deployment.specs import check_weights
from nasgem_core.detection.detector import Detector
from nasgem_core.detection.spec import DetectorSpec


def load_detector(spec: DetectorSpec, weights: Mapping[str, Tensor]) -> Detector:
    """Return a detector with its weights, ready to detect; raises `DataError` where they are another detector's."""
    with torch.random.fork_rng(devices=[]):
        detector = spec.build()
    check_weights(spec.name, detector, weights)
    detector.load_state_dict(dict(weights))
    return detector.eval()
