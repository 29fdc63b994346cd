import pytest
import torch

from nasgem_core.backbones.layout import IMAGENET
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.deployment.detectors import WITHOUT_FORMS, export_detector, load_detector
from nasgem_core.deployment.folders import CARD_FILE, read_weights
from nasgem_core.detection.annotations import Category
from nasgem_core.detection.settings import DetectorSettings
from nasgem_core.detection.spec import DetectorSpec, for_detection
from nasgem_core.errors import DataError
from tests.deployment.networks import cell


def detector_spec(*operations):
    backbone = for_detection(GEMNetSpec("g", 2, (64, 64), cell(*operations), IMAGENET, 8.0))
    settings = DetectorSettings(short_side=64, long_side=64, pyramid_channels=8)
    return DetectorSpec(backbone, (Category(7, "cat"), Category(9, "dog")), settings)


@pytest.mark.slow
def test_an_exported_detector_detects_the_same(tmp_path):
    spec = detector_spec()
    detector = spec.build().eval()
    found = export_detector(spec, detector.state_dict(), tmp_path / "out")
    assert list(found.files) == [CARD_FILE, "weights.safetensors"] and not found.differences
    assert set(found.left_out.values()) == {WITHOUT_FORMS}
    document, weights = read_weights(tmp_path / "out" / CARD_FILE, tmp_path / "out" / "weights.safetensors")
    state = torch.get_rng_state()
    again = load_detector(DetectorSpec.from_json(document), weights)
    assert torch.equal(torch.get_rng_state(), state)
    images = [torch.rand(3, 60, 70)]
    with torch.no_grad():
        for name, tensor in detector(images)[0].items():
            assert torch.equal(again(images)[0][name], tensor)
    with pytest.raises(DataError, match="the weights are not those of retinanet-g: "):
        load_detector(detector_spec("conv3x3", "conv3x3", "conv1x1", "conv1x1"), weights)
