import ast
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from nasgem_core.backbones.spec import GEMNetSpec, ScaledSpec
from nasgem_core.deployment.detector_file import detector_file
from nasgem_core.deployment.detectors import load_detector
from nasgem_core.deployment.predicting import find_objects
from nasgem_core.errors import DataError
from tests.deployment.detectors import detector_spec, detector_weights, pictures
from tests.deployment.networks import cell, loaded, photo

MOBILE = ScaledSpec("m", 2, (64, 64), "mobilenet_v2", 0.35, 8)


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
    names = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= {"torch", "torchvision", *sys.stdlib_module_names}
    assert "needs torch and torchvision alone" in ast.get_docstring(tree)
    assert 'OPERATIONS = ("input", "conv1x1"' in text and "class Network" not in text
    assert "faster_rcnn" not in text


def test_a_file_finds_in_a_picture_what_detect_does(tmp_path):
    spec = detector_spec()
    detector = load_detector(spec, detector_weights(spec))
    save_file(detector.state_dict(), tmp_path / "weights.safetensors")
    module = loaded(detector_file(spec, detector), tmp_path)
    module.SCORE_THRESHOLD = 0.0
    picture = photo(300, 200)
    expected = find_objects(detector, ("cat", "dog"), picture, 0.0)
    with torch.no_grad():
        (found,) = module.build()([module.prepare(picture)])
    assert len(expected.names) > 0 and [module.CATEGORIES[label] for label in found["labels"]] == expected.names
    np.testing.assert_array_equal(found["boxes"].double().numpy(), expected.boxes)


@pytest.mark.parametrize("kind", ["retinanet", "faster_rcnn"])
def test_a_file_gives_the_detectors_losses(kind, tmp_path):
    spec = detector_spec(kind=kind, frozen_normalisation=False, sampled_proposals=16)
    detector = load_detector(spec, detector_weights(spec))
    save_file(detector.state_dict(), tmp_path / "weights.safetensors")
    rebuilt = loaded(detector_file(spec, detector), tmp_path).build()
    images = pictures((48, 64), (48, 64))
    targets = [{"boxes": torch.tensor([[4.0, 8, 30, 40]]), "labels": torch.tensor([label])} for label in (0, 1)]
    losses = []
    for one in (detector, rebuilt):
        torch.manual_seed(0)  # which proposals are learnt from is drawn
        losses.append(sorted(loss.item() for loss in one.train()(images, targets).values()))
    assert losses[0] == pytest.approx(losses[1], rel=1e-6) and len(losses[0]) == (2 if kind == "retinanet" else 4)
    with pytest.raises(ValueError, match="a detector in training needs targets: name them, or call eval"):
        rebuilt(images)


def test_a_name_that_could_be_code_is_refused():
    spec = detector_spec(backbone=GEMNetSpec('x"""', 2, (64, 64), cell(), detector_spec().backbone.layout, 8.0))
    with pytest.raises(DataError, match="field 'name' of the network's card is"):
        detector_file(spec, load_detector(spec, detector_weights(spec)))
