import ast
import sys

import pytest
import torch
from safetensors.torch import save_file

from nasgem_core.backbones.spec import GEMNetSpec, MobileNetSpec
from nasgem_core.deployment.detector_file import detector_file
from nasgem_core.deployment.detectors import load_detector
from nasgem_core.errors import DataError
from tests.deployment.detectors import detector_spec, detector_weights, pictures
from tests.deployment.networks import cell, loaded

MOBILE = MobileNetSpec("m", 2, (64, 64), 0.35, 8)


@pytest.mark.parametrize(
    ("kind", "backbone", "square"),
    [
        ("retinanet", None, True),
        ("faster_rcnn", MOBILE, False),
        ("faster_rcnn", None, True),
        ("retinanet", MOBILE, False),
    ],
    ids=["retinanet-gemnet", "faster-mobile", "faster-gemnet", "retinanet-mobile"],
)
def test_a_file_gives_the_detectors_objects(kind, backbone, square, tmp_path):
    spec = detector_spec(kind=kind, backbone=backbone, square=square, group_normalisation=backbone is None)
    detector = load_detector(spec, detector_weights(spec))
    text = detector_file(spec, detector)
    assert max(map(len, text.splitlines())) <= 120
    save_file(detector.state_dict(), tmp_path / "weights.safetensors")
    module = loaded(text, tmp_path)
    assert (module.CATEGORIES, module.CATEGORY_IDS) == (("cat", "dog"), (7, 9))
    assert (detector.lowest_score, 100) == (module.SCORE_THRESHOLD, module.DETECTIONS)
    module.SCORE_THRESHOLD = detector.lowest_score = 0.0
    rebuilt = module.build()
    assert not rebuilt.training and set(rebuilt.state_dict()) == set(detector.state_dict())
    images = [*pictures((30, 50), (80, 44)), torch.randint(0, 256, (3, 40, 40), dtype=torch.uint8)]
    with torch.no_grad():
        for found, expected in zip(rebuilt(images), detector(images), strict=True):
            assert len(expected["scores"]) > 0
            for name, tensor in expected.items():
                assert torch.equal(found[name], tensor)


def test_a_file_says_what_it_needs():
    spec = detector_spec()
    text = detector_file(spec, load_detector(spec, detector_weights(spec)))
    tree = ast.parse(text)
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= {"torch", "torchvision", *sys.stdlib_module_names}
    assert "needs torch and torchvision alone" in ast.get_docstring(tree)
    assert 'OPERATIONS = ("input", "conv1x1"' in text and "class Network" not in text
    assert "faster_rcnn" not in text


def test_a_name_that_could_be_code_is_refused():
    spec = detector_spec(backbone=GEMNetSpec('x"""', 2, (64, 64), cell(), detector_spec().backbone.layout, 8.0))
    with pytest.raises(DataError, match="field 'name' of the network's card is"):
        detector_file(spec, load_detector(spec, detector_weights(spec)))
