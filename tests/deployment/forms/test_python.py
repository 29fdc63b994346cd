import numpy as np
import torch
from safetensors.torch import save_file

from nasgem_core.deployment.detectors import load_detector
from nasgem_core.deployment.forms.python import FORM
from nasgem_core.deployment.originals import Classifier, WholeDetector
from tests.deployment.detectors import detector_spec, detector_weights, pictures
from tests.deployment.networks import card, gemnet_spec, images, trained


def test_the_file_of_a_classifier_gives_its_logits(tmp_path):
    spec = gemnet_spec()
    network = trained(spec)
    path = tmp_path / FORM.file
    FORM.classifier.write(Classifier(card(spec), network), path)
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    (logits,) = FORM.classifier.run(path)(images(spec).numpy())
    with torch.no_grad():
        assert np.array_equal(logits, network(images(spec)).numpy())


def test_the_file_of_a_detector_finds_what_is_above_the_threshold(tmp_path):
    spec = detector_spec()
    weights = detector_weights(spec)
    detector, (picture,) = load_detector(spec, weights), pictures((48, 64))
    path = tmp_path / FORM.file
    FORM.detector.write(WholeDetector(spec, detector), path)
    save_file(weights, tmp_path / "weights.safetensors")
    detector.lowest_score = 0.0
    with torch.no_grad():
        (expected,) = detector([picture])
    found = FORM.detector.run(path, np.array(0.0))(picture.numpy())
    assert len(found[2]) > 3
    for one, name in zip(found, ("boxes", "labels", "scores"), strict=True):
        assert np.array_equal(one, expected[name].numpy())
    assert not len(FORM.detector.run(path, np.array(1.0))(picture.numpy())[2])
