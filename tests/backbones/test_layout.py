import json

import pytest
import torch
from torch import nn

from nasgem_core.backbones.layout import (
    CIFAR,
    IMAGE_SIZES,
    IMAGENET,
    LAYOUTS,
    TINY,
    GEMNetLayout,
    check_channels,
    named_layout,
)
from nasgem_core.config.documents import read_fields
from nasgem_core.errors import ParameterError


def test_imagenet_layout_is_that_of_the_method():
    assert IMAGENET.stem_stride == 2
    assert IMAGENET.scales == (0.5, 1, 2, 4, 8)
    assert IMAGENET.repeats == (1, 3, 4, 6, 4)
    assert IMAGENET.head_channels == 1280
    assert IMAGENET.strides == (2, 4, 8, 16, 32)
    assert IMAGENET.feature_stages == (0, 1, 2, 3, 4)
    assert IMAGENET.channels(32) == (32, 16, 32, 64, 128, 256)


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


@pytest.mark.parametrize("width", [0.1, 3.9, 11.9, 12, 17.3, 100])
def test_channels_are_the_nearest_multiples_of_8(width):
    for channels, scale in zip(IMAGENET.channels(width), (1, *IMAGENET.scales), strict=True):
        assert channels % 8 == 0 and channels > 0
        assert channels == 8 or abs(channels - width * scale) <= 4


def test_small_images_are_refused_where_nothing_would_be_left():
    assert IMAGENET.resolutions((31, 32))[-1] == (1, 1)
    with pytest.raises(ParameterError, match=r"image_size = \[30, 64\] is too small for layout 'imagenet'"):
        IMAGENET.resolutions((30, 64))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reduces": (True,)}, "entries; give each stage one"),
        ({"reduces": (), "scales": (), "repeats": ()}, "entries; give each stage one"),
        ({"repeats": (1, 0, 1, 1, 1)}, "repeats must be at least 1"),
        ({"stem_stride": 0}, "stem_stride"),
        ({"scales": (1, 1, 1, 1, 0)}, "must be above 0"),
        ({"head_channels": 100}, "head_channels = 100, use a multiple of 8"),
    ],
)
def test_values_out_of_range_are_named(changes, message):
    with pytest.raises(ParameterError, match=message):
        GEMNetLayout(**{"name": "x", "stem_stride": 2, "reduces": (True,) * 5, **changes})


@pytest.mark.parametrize("channels", [(8,) * 5, (8, 8, 8, 8, 8, 12), (8, 8, 8, 8, 8, 0)])
def test_channels_that_do_not_go_with_the_layout(channels):
    assert check_channels(IMAGENET, [8] * 6) == (8,) * 6
    with pytest.raises(ParameterError, match="layout 'imagenet' takes 6 multiples of 8"):
        check_channels(IMAGENET, channels)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=str)
def test_json_both_ways(layout):
    assert read_fields(GEMNetLayout, json.loads(json.dumps(layout.to_dict()))) == layout


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"repeats": [1, 3, 4, 6, "4"]}, r"layout.repeats\[4\] = '4': must be of type int"),
        ({"repeats": [1, 3, 4, 6, 0]}, "repeats must be at least 1"),
        ({"reduces": [0, 1, 1, 1, 1]}, r"layout.reduces\[0\] = 0: must be of type bool"),
        ({"stem_scale": float("nan")}, "layout.stem_scale = nan: must be a finite number"),
        ({"stem_scale": 0}, "stem_scale and scales must be above 0"),
        ({"stem_stride": True}, "layout.stem_stride = True: must be of type int"),
        ({"name": None}, "layout.name = None: must be of type str"),
        ({"repeats": [1]}, "give each stage one"),
        ({"more": 1}, "layout.more is unknown: known are name, stem_stride"),
    ],
)
def test_damaged_documents_are_named(changes, message):
    with pytest.raises(ParameterError, match=message):
        read_fields(GEMNetLayout, IMAGENET.to_dict() | changes, "layout")


def test_names_are_known_or_listed():
    assert named_layout("tiny") is TINY
    with pytest.raises(ParameterError, match="layout = 'large': choose one of imagenet, tiny, cifar"):
        named_layout("large")
