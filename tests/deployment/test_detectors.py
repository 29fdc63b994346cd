import pytest
import torch

from nasgem_core.deployment.detectors import load_detector
from nasgem_core.errors import DataError
from tests.deployment.detectors import detector_spec, detector_weights, pictures


def test_a_detector_is_loaded_and_leaves_the_random_state():
    spec = detector_spec()
    weights = detector_weights(spec)
    state = torch.get_rng_state()
    detector = load_detector(spec, weights)
    assert torch.equal(torch.get_rng_state(), state) and not detector.training
    with pytest.raises(DataError, match="the weights are not those of retinanet-g: "):
        load_detector(detector_spec("conv3x3", "conv3x3", "conv1x1", "conv1x1"), weights)


def test_what_was_seen_before_changes_nothing():
    """Torchvision keeps the scales that it took from the first picture, and takes wrong ones from a wide one."""
    spec = detector_spec(kind="faster_rcnn", square=True)
    weights = detector_weights(spec)
    first, second = load_detector(spec, weights), load_detector(spec, weights)
    wide, high = pictures((20, 64), (64, 48))
    first.lowest_score = second.lowest_score = 0.0
    with torch.no_grad():
        second([wide])
        for name, tensor in first([high])[0].items():
            assert torch.equal(second([high])[0][name], tensor)
