import pytest
import torch

from nasgem_core.config.transfer import DETECTORS
from nasgem_core.detection.detector import Detector
from nasgem_core.detection.settings import DetectorSettings
from nasgem_core.errors import ParameterError
from tests.detection.networks import SmallBackbone


def small_detector(kind, num_classes=3, **settings):
    torch.manual_seed(0)
    sizes = {"short_side": 64, "long_side": 96, "pyramid_channels": 16, "box_channels": 32, **settings}
    return Detector(SmallBackbone(), num_classes, DetectorSettings(kind=kind, **sizes))


def some_images():
    generator = torch.Generator().manual_seed(1)
    images = [
        torch.randint(0, 256, (3, *size), dtype=torch.uint8, generator=generator) for size in ((60, 80), (90, 64))
    ]
    targets = [
        {"boxes": torch.tensor([[5.0, 5, 40, 50], [30, 10, 70, 40]]), "labels": torch.tensor([0, 2])},
        {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)},
    ]
    return images, targets


@pytest.mark.parametrize("kind", DETECTORS)
def test_every_trained_parameter_gets_a_gradient(kind):
    detector = small_detector(kind, frozen_normalisation=False)
    losses = detector(*some_images())
    assert set(losses) >= {"classification", "box"}
    sum(losses.values()).backward()
    without = [name for name, parameter in detector.named_parameters() if parameter.grad is None]
    assert without == []


@pytest.mark.parametrize("kind", DETECTORS)
def test_detections_are_boxes_of_the_image_as_given(kind):
    detector = small_detector(kind).eval()
    detector.lowest_score = 0.0
    with torch.no_grad():
        found = detector(some_images()[0])
    assert len(found) == 2
    for (height, width), result in zip(((60, 80), (90, 64)), found, strict=True):
        assert 0 < len(result["scores"]) <= 100
        assert result["boxes"].shape == (len(result["scores"]), 4)
        assert set(result["labels"].tolist()) <= {0, 1, 2}
        assert (result["boxes"] >= 0).all()
        assert (result["boxes"][:, 2] <= width + 1e-3).all() and (result["boxes"][:, 3] <= height + 1e-3).all()
        assert (result["scores"].diff() <= 0).all()


@pytest.mark.parametrize("kind", DETECTORS)
def test_bytes_and_floats_are_the_same_image(kind):
    detector = small_detector(kind).eval()
    images, _ = some_images()
    maps = [detector.network.transform([image])[0].tensors for image in (images[0] / 255, images[0].float() / 255)]
    assert torch.equal(*maps)
    torch.manual_seed(0)
    detector.train()
    losses = []
    for given in (images, [image / 255 for image in images]):
        torch.manual_seed(0)
        losses.append(detector(given, some_images()[1]))
    assert all(torch.equal(losses[0][name], losses[1][name]) for name in losses[0])


@pytest.mark.parametrize("kind", DETECTORS)
@pytest.mark.parametrize("label", [0, 2])
def test_labels_are_learned_as_they_are_given_back(kind, label):
    """A head that says one label whatever it sees must be right about that label, and detect it."""
    detector = small_detector(kind)
    network = detector.network
    with torch.no_grad():
        if kind == "retinanet":
            network.head.classification_head.cls_logits.bias.view(9, 3)[:, label] = 3.0
        else:
            network.roi_heads.box_predictor.cls_score.bias[label + 1] = 9.0
    images, targets = some_images()
    losses = {}
    for given in (0, 1, 2):
        torch.manual_seed(0)
        box = targets[0]["boxes"][:1]
        losses[given] = detector(images[:1], [{"boxes": box, "labels": torch.tensor([given])}])["classification"]
    assert min(losses, key=losses.__getitem__) == label
    (found,) = detector.eval()(images[:1])
    assert set(found["labels"].tolist()) == {label}


@pytest.mark.parametrize("kind", DETECTORS)
def test_frozen_normalisation_stays_as_it_came(kind):
    detector = small_detector(kind)
    before = {name: value.clone() for name, value in detector.state_dict().items() if "stages" in name}
    detector.eval().train()
    losses = detector(*some_images())
    sum(losses.values()).backward()
    layers = [layer for layer in detector.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    assert layers and not any(layer.training for layer in layers)
    assert all(parameter.grad is None for layer in layers for parameter in layer.parameters())
    after = detector.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    learned = small_detector(kind, frozen_normalisation=False)
    learned(*some_images())
    name = "network.backbone.body.stages.0.1.running_mean"
    assert not torch.equal(learned.state_dict()[name], before[name])


@pytest.mark.parametrize(("short_side", "factor"), [(800, 1.0), (1000, 1.0), (240, 0.3)])
def test_anchors_shrink_with_small_images(short_side, factor):
    settings = {"short_side": short_side, "long_side": 1333}
    retinanet = small_detector("retinanet", **settings).network.anchor_generator
    faster = small_detector("faster_rcnn", **settings).network
    sides = [32, 64, 128, 256, 512]
    assert [row[0] for row in retinanet.sizes] == pytest.approx([side * factor for side in sides])
    assert retinanet.num_anchors_per_location() == [9] * 5
    assert [row[0] for row in faster.rpn.anchor_generator.sizes] == pytest.approx([side * factor for side in sides])
    assert faster.rpn.anchor_generator.num_anchors_per_location() == [3] * 5
    assert faster.roi_heads.box_roi_pool.canonical_scale == round(224 * factor)


def test_a_backbone_without_the_maps_is_refused():
    backbone = SmallBackbone()
    backbone.feature_info = backbone.feature_info[:4]
    with pytest.raises(ParameterError, match="maps with strides 2, 4, 8, 16, but a detector needs 8, 16, 32"):
        Detector(backbone, 3, DetectorSettings())


@pytest.mark.parametrize("kind", DETECTORS)
def test_normalisation_by_groups_is_in_pyramid_and_heads_when_asked(kind):
    plain, normalised = (small_detector(kind, group_normalisation=flag) for flag in (False, True))
    groups = [layer for layer in normalised.modules() if isinstance(layer, torch.nn.GroupNorm)]
    # Two convolutions a map of the pyramid, and four in each of RetinaNet's heads.
    assert len(groups) == (6 + 8 if kind == "retinanet" else 8)
    assert {layer.num_channels // layer.num_groups for layer in groups} == {8}
    assert not any(isinstance(layer, torch.nn.GroupNorm) for layer in plain.modules())
    sum(normalised(*some_images()).values()).backward()


@pytest.mark.parametrize("kind", DETECTORS)
def test_an_image_is_seen_alike_alone_and_in_any_batch_when_padded_to_a_square(kind):
    images = [image / 255 for image in some_images()[0]]
    for square, long_side, padded in ((True, 96, 96), (True, 70, 96), (False, 96, None)):
        transform = small_detector(kind, square=square, long_side=long_side).eval().network.transform
        shapes = {tuple(transform(given)[0].tensors.shape[2:]) for given in (images, images[:1], images[1:])}
        assert (shapes == {(padded, padded)}) is square and (square or len(shapes) > 1)
