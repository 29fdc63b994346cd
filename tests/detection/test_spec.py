import json

import numpy as np
import pytest
import torch

from nasgem_core.backbones.layout import CIFAR, IMAGENET, TINY
from nasgem_core.backbones.spec import GEMNetSpec, PublishedSpec, ScaledSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.config.transfer import DETECTORS
from nasgem_core.detection.annotations import Category
from nasgem_core.detection.settings import DetectorSettings
from nasgem_core.detection.spec import DetectorSpec, for_detection
from nasgem_core.errors import DataError, ParameterError

CELL = Cell(np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]]), ("input", "conv1x1", "dwconv3x3"))
CATEGORIES = (Category(3, "cat"), Category(7, "dog"))


def network(layout=IMAGENET, size=(224, 224)):
    return GEMNetSpec("small", 5, size, CELL, layout, 8.0)


def spec(kind="retinanet"):
    settings = DetectorSettings(kind=kind, short_side=64, long_side=96, pyramid_channels=16, box_channels=16)
    return DetectorSpec(network(), CATEGORIES, settings)


@pytest.mark.parametrize("kind", DETECTORS)
def test_a_detector_is_rebuilt_from_text(kind):
    again = DetectorSpec.from_json(spec(kind).to_json())
    assert again == spec(kind) and again.name == f"{kind}-small"
    torch.manual_seed(0)
    first = spec(kind).build()
    torch.manual_seed(0)
    second = again.build()
    assert all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )
    assert first.num_classes == 2


@pytest.mark.parametrize("kind", DETECTORS)
def test_all_of_a_detector_on_gemnet_is_trained(kind):
    detector = spec(kind).build()
    image = torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8)
    losses = detector([image], [{"boxes": torch.tensor([[5.0, 5, 40, 50]]), "labels": torch.tensor([1])}])
    sum(losses.values()).backward()
    assert [name for name, value in detector.named_parameters() if value.requires_grad and value.grad is None] == []


@pytest.mark.parametrize(("layout", "side"), [(TINY, 64), (CIFAR, 32), (IMAGENET, 224)])
def test_a_network_for_small_images_becomes_a_backbone_with_its_weights(layout, side):
    trained = network(layout, (side, side))
    backbone = for_detection(trained)
    assert backbone == network()
    detector = DetectorSpec(backbone, CATEGORIES, spec().settings).build()
    weights = trained.build().state_dict()
    detector.pyramid.load_backbone(weights)
    own = detector.pyramid.body.state_dict()
    assert set(weights) - set(own) == {name for name in weights if name.startswith("classifier.")}
    assert all(torch.equal(value, weights[name]) for name, value in own.items())


@pytest.mark.parametrize(
    "small",
    [
        PublishedSpec("mnasnet_1_3", 5, (64, 64)),
        ScaledSpec("mobilenet", 5, (64, 64), "mobilenet_v3_small", width=0.25, stride=16),
    ],
)
def test_a_published_network_gets_its_halvings_back(small):
    backbone = for_detection(small).build()
    assert [info.stride for info in backbone.feature_info] == [2, 4, 8, 16, 32]
    backbone.load_state_dict(small.build().state_dict())


def test_categories_are_needed():
    with pytest.raises(ParameterError, match="at least one category"):
        DetectorSpec(network(), (), DetectorSettings())


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("schema", "nasgem.network/2", "field 'schema' must be 'nasgem.detector/1', found 'nasgem.network/2'"),
        ("categories", [], r"categories = \[\]: must be a list with at least one value"),
        ("categories", [{"id": "a", "name": "b"}], r"categories\[0\].id = 'a': must be of type int"),
        ("settings", {}, "settings.kind is missing; train the detector again"),
        ("more", 1, "more is unknown"),
        ("backbone", None, "not a network"),
    ],
)
def test_a_damaged_document_is_named(field, value, message):
    document = json.loads(spec().to_json())
    document[field] = value
    with pytest.raises(DataError, match=message):
        DetectorSpec.from_dict(document)


def test_what_is_no_document_is_named():
    with pytest.raises(DataError, match="not valid JSON"):
        DetectorSpec.from_json("{")
    with pytest.raises(DataError, match="found 'list'"):
        DetectorSpec.from_json("[]")
