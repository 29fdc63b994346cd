import json

import pytest
import torch

from nasgem_core.backbones.gemnet import GEMNet
from nasgem_core.backbones.layout import CIFAR, IMAGENET
from nasgem_core.backbones.skeleton import PAPER
from nasgem_core.backbones.spec import GEMNetSpec, NetworkSpec, PublishedSpec
from nasgem_core.errors import DataError, ParameterError
from tests.backbones.cells import random_cell


def spec_of(**changes):
    values = {
        "name": "a", "num_classes": 7, "image_size": (32, 40), "cell": random_cell(0), "layout": CIFAR, "width": 10.5
    }  # fmt: skip
    return GEMNetSpec(**(values | changes))


def test_build_gives_the_network():
    network = spec_of().build()
    assert isinstance(network, GEMNet)
    assert network(torch.randn(1, 3, 32, 40)).shape == (1, 7)
    assert spec_of(channels=(8, 16, 8, 8, 8, 24)).build().feature_info[0].channels == 8 * len(random_cell(0).leaves)


def test_width_gives_the_channels_unless_they_are_given():
    assert spec_of().channels == CIFAR.skeleton.channels(10.5)
    assert spec_of(channels=[8] * 6).channels == (8,) * 6


def test_other_classes():
    spec = spec_of().with_classes(3)
    assert spec.num_classes == 3 and spec.cell == random_cell(0)
    assert spec.build().classifier.out_features == 3


@pytest.mark.parametrize(
    "spec", [spec_of(), spec_of(channels=(8, 8, 16, 8, 8, 8)), PublishedSpec("mobilenet_v2_x1.4", 10, (224, 224))]
)
def test_json_both_ways(spec):
    assert NetworkSpec.from_json(spec.to_json()) == spec
    assert json.loads(spec.to_json())["schema"] == "nasgem.network/2"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": "nasgem.cell/1"}, "not a network: field 'schema' must be 'nasgem.network/2'"),
        ({"kind": "resnet"}, "kind = 'resnet': must be one of gemnet, published"),
        ({"kind": None}, "kind = None: must be one of"),
        ({"name": 3}, "name = 3: must be of type str"),
        ({"num_classes": 2.5}, "num_classes = 2.5: must be of type int"),
        ({"num_classes": 0}, "num_classes = 0"),
        ({"image_size": 224}, "image_size = 224: must be a list of 2 values"),
        ({"image_size": [32]}, r"image_size = \[32\]: must be a list of 2 values"),
        ({"image_size": [4, 4]}, r"image_size = \[4, 4\] is too small"),
        ({"width": "10"}, "width = '10': must be of type float"),
        ({"width": -1.0}, "width = -1.0: must be above 0"),
        ({"channels": []}, r"channels = \[\]: must be a list with at least one value"),
        ({"channels": [8, 8]}, "takes 6 multiples of 8"),
        ({"layout": "cifar"}, "layout must be a mapping"),
        (
            {"layout": CIFAR.to_dict() | {"skeleton": PAPER.to_dict() | {"repeats": [1, 3, 4, 6, "4"]}}},
            r"layout.skeleton.repeats\[4\] = '4': must be of type int",
        ),
        ({"more": 1}, "more is unknown"),
        ({"cell": {"schema": "nasgem.cell/1", "operations": [], "edges": []}}, "the cell has 0 vertices"),
    ],
)
def test_damaged_documents_are_named_with_the_remedy(changes, message):
    with pytest.raises(DataError, match=f"{message}.*nasgem build"):
        NetworkSpec.from_dict(spec_of().to_dict() | changes)


@pytest.mark.parametrize("text", ["", "[1", "[]", "3"])
def test_what_is_no_document(text):
    with pytest.raises(DataError, match=r"not a network: .*nasgem build"):
        NetworkSpec.from_json(text)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_classes": 0}, "num_classes = 0"),
        ({"num_classes": 10**400}, "num_classes = 10000.*: must lie between 1 and 1000000"),
        ({"image_size": (0, 32)}, "image_size"),
        ({"image_size": (32, 10**12)}, r"image_size = \[32, 1000000000000\]: give height and width, each between"),
        ({"layout": IMAGENET, "image_size": (31, 16)}, "too small for layout 'imagenet'"),
        ({"width": float("nan")}, "width = nan"),
    ],
)
def test_values_out_of_range_are_named(changes, message):
    with pytest.raises(ParameterError, match=message):
        spec_of(**changes)
