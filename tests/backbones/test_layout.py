import json
from dataclasses import replace

import pytest
import torch
from torch import nn

from nasgem_core.backbones.layout import CIFAR, IMAGE_SIZES, IMAGENET, LAYOUTS, TINY, GEMNetLayout, named_layout
from nasgem_core.backbones.skeleton import MOBILE, PAPER
from nasgem_core.config.documents import read_fields
from nasgem_core.errors import ParameterError


def test_imagenet_layout_is_that_of_the_method():
    assert IMAGENET.stem_stride == 2
    assert IMAGENET.skeleton == PAPER
    assert IMAGENET.strides == (2, 4, 8, 16, 32)
    assert IMAGENET.feature_stages == (0, 1, 2, 3, 4)


def test_small_images_are_halved_less_often():
    assert TINY.strides == (2, 2, 4, 8, 16)
    assert CIFAR.strides == (1, 1, 2, 4, 8)
    assert TINY.feature_stages == CIFAR.feature_stages == (1, 2, 3, 4)
    ends = {name: layout.resolutions((IMAGE_SIZES[name],) * 2)[-1] for name, layout in LAYOUTS.items()}
    assert ends == {"imagenet": (7, 7), "tiny": (4, 4), "cifar": (4, 4)}


@pytest.mark.parametrize("size", [(224, 224), (800, 1333), (33, 65), (37, 41)])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=str)
def test_resolutions_are_those_of_torch(layout, size):
    tensor = nn.Conv2d(1, 1, 3, stride=layout.stem_stride, padding=1)(torch.zeros(1, 1, *size))
    expected = [tuple(tensor.shape[2:])]
    for reduces in layout.reduces:
        tensor = nn.functional.max_pool2d(tensor, 2) if reduces else tensor
        expected.append(tuple(tensor.shape[2:]))
    assert layout.resolutions(size) == tuple(expected)


def test_small_images_are_refused_where_nothing_would_be_left():
    assert IMAGENET.resolutions((31, 32))[-1] == (1, 1)
    with pytest.raises(ParameterError, match=r"image_size = \[30, 64\] is too small for layout 'imagenet'"):
        IMAGENET.resolutions((30, 64))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reduces": (True,)}, "reduces has 1 entries, and skeleton 'paper' 5 stages; give each stage one"),
        ({"stem_stride": 0}, "stem_stride"),
    ],
)
def test_values_out_of_range_are_named(changes, message):
    with pytest.raises(ParameterError, match=message):
        GEMNetLayout(**{"name": "x", "stem_stride": 2, "reduces": (True,) * 5, **changes})


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=str)
def test_json_both_ways(layout):
    for skeleton in (PAPER, MOBILE):
        whole = replace(layout, skeleton=skeleton)
        assert read_fields(GEMNetLayout, json.loads(json.dumps(whole.to_dict()))) == whole


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reduces": [0, 1, 1, 1, 1]}, r"layout.reduces\[0\] = 0: must be of type bool"),
        ({"stem_stride": True}, "layout.stem_stride = True: must be of type int"),
        ({"name": None}, "layout.name = None: must be of type str"),
        ({"reduces": [True]}, "give each stage one"),
        ({"skeleton": "paper"}, "layout.skeleton must be a mapping"),
        ({"skeleton": PAPER.to_dict() | {"repeats": [1]}}, "skeleton 'paper': .* the same number of each"),
        ({"more": 1}, "layout.more is unknown: known are name, stem_stride"),
    ],
)
def test_damaged_documents_are_named(changes, message):
    with pytest.raises(ParameterError, match=message):
        read_fields(GEMNetLayout, IMAGENET.to_dict() | changes, "layout")


def test_names_are_known_or_listed():
    assert named_layout("tiny") == TINY
    assert named_layout("tiny", "mobile") == replace(TINY, skeleton=MOBILE)
    with pytest.raises(ParameterError, match="layout = 'large': choose one of imagenet, tiny, cifar"):
        named_layout("large")
