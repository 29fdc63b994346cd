import numpy as np
import pytest
import torch

from nasgem_core.deployment.detector_program import INPUTS, OUTPUTS, canvas_of, detector_program
from nasgem_core.deployment.detectors import load_detector
from tests.deployment.detectors import detector_spec, detector_weights, pictures


def rows(found):
    """Return what was found as rows in an order of their own: that of equal scores is anybody's choice."""
    table = np.column_stack([found[name].double().numpy() for name in OUTPUTS])
    return table[np.lexsort(table.round(2).T)]


@pytest.mark.parametrize("kind", ["retinanet", "faster_rcnn"])
@pytest.mark.parametrize(("square", "canvas"), [(True, (64, 64)), (False, (64, 96))])
def test_a_pass_finds_what_the_detector_finds(kind, square, canvas):
    spec = detector_spec(kind=kind, square=square, short_side=50, long_side=64 if square else 80)
    detector = load_detector(spec, detector_weights(spec))
    assert canvas_of(detector) == canvas
    program, example = detector_program(detector)
    assert len(example) == len(INPUTS) and example[0].shape == (3, *canvas)
    sizes = [(50, 64), (64, 50), (36, 64)] if square else [(50, 80)]
    usual = detector.lowest_score
    for picture in pictures(*sizes):
        image = torch.full((3, *canvas), 0.7)  # what lies beside the picture does not count
        image[:, : picture.shape[1], : picture.shape[2]] = picture
        detector.lowest_score = 0.0
        with torch.no_grad():
            (expected,) = detector([picture])
            middle = float(expected["scores"].median())
            detector.lowest_score = middle
            fewer = detector([picture])[0]
            for threshold, want in ((0.0, expected), (middle, fewer), (2.0, None)):
                size = torch.tensor(picture.shape[1:])
                found = dict(zip(OUTPUTS, program(image, size, torch.tensor(threshold)), strict=True))
                if want is None:
                    assert all(len(found[name]) == 0 for name in OUTPUTS)
                    continue
                assert len(want["scores"]) > 0
                assert (found["scores"].diff() <= 0).all()
                np.testing.assert_allclose(rows(found), rows(want), rtol=1e-5, atol=1e-4)
        detector.lowest_score = usual
