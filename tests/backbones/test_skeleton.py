import json
from dataclasses import fields, replace

import numpy as np
import pytest

from nasgem_core.backbones.skeleton import (
    BLOCK_FIELDS,
    MOBILE,
    NONLINEARITIES,
    PAPER,
    SKELETONS,
    Skeleton,
    named_skeleton,
)
from nasgem_core.cells.cell import Cell
from nasgem_core.config.documents import read_fields
from nasgem_core.config.transfer import GemnetConfig
from nasgem_core.errors import ParameterError
from tests.backbones.cells import INVERTED_RESIDUAL, PARALLEL


def test_the_paper_has_what_the_method_says():
    assert (
        Skeleton(
            name="paper",
            stem_scale=1.0,
            scales=(0.5, 1, 2, 4, 8),
            repeats=(1, 3, 4, 6, 4),
            head_channels=1280,
            activation="always",
            channel_multiple=8,
            nonlinearity="relu",
            squeeze=0.0,
            dropout=0.0,
            stochastic_depth=0.0,
        )
        == PAPER
    )
    assert PAPER.channels(32) == (32, 16, 32, 64, 128, 256)


def test_the_skeletons_of_the_parameters_are_those_that_there_are():
    allowed = {item.name: item.metadata.get("allowed") for item in fields(GemnetConfig)}
    assert allowed["skeleton"] == tuple(SKELETONS) and allowed["nonlinearity"] == NONLINEARITIES
    assert all(named_skeleton(name) == skeleton for name, skeleton in SKELETONS.items())
    with pytest.raises(ParameterError, match="skeleton = 'large': choose one of paper, mobile, mobile_8"):
        named_skeleton("large")


def test_a_relu_follows_where_the_cell_would_be_linear_without_it():
    half = Cell(np.array([[0, 1, 1, 0], [0, 0, 0, 1], [0] * 4, [0] * 4]), ("input", *["conv1x1"] * 3))
    short = Cell(np.array([[0, 1, 1], [0, 0, 1], [0] * 3]), ("input", *["conv1x1"] * 2))
    single = Cell(np.array([[0, 1], [0, 0]]), ("input", "dwconv3x3"))
    expected = {INVERTED_RESIDUAL: False, half: False, short: False, PARALLEL: True, single: True}
    for cell, activated in expected.items():
        assert MOBILE.activates(cell) is activated
        assert PAPER.activates(cell)
        assert not Skeleton("linear", activation="never").activates(cell)


def test_blocks_can_be_chosen_but_for_the_paper():
    block = {"nonlinearity": "hard_swish", "squeeze": 0.25, "dropout": 0.2, "stochastic_depth": 0.1}
    assert tuple(block) == BLOCK_FIELDS
    assert named_skeleton("mobile", **block) == replace(MOBILE, **block)
    for name, value in block.items():
        with pytest.raises(ParameterError, match=rf"skeleton = 'paper' is .*{name}.*, or choose skeleton mobile"):
            named_skeleton("paper", **{name: value})


def test_hard_swish_is_in_the_later_half():
    assert replace(MOBILE, nonlinearity="hard_swish").hard_swish == (False, False, False, True, True)
    assert MOBILE.hard_swish == (False,) * 5
    two = Skeleton("two", scales=(1, 2), repeats=(1, 1), nonlinearity="hard_swish")
    assert two.hard_swish == (False, True)


@pytest.mark.parametrize("multiple", [8, 4, 2])
@pytest.mark.parametrize("width", [0.1, 3.9, 11.9, 12, 17.3, 100])
def test_channels_are_the_nearest_multiples(multiple, width):
    skeleton = Skeleton("own", channel_multiple=multiple)
    for channels, scale in zip(skeleton.channels(width), (1, *PAPER.scales), strict=True):
        assert channels % multiple == 0 and channels > 0
        assert channels == multiple or abs(channels - width * scale) <= multiple / 2


@pytest.mark.parametrize("channels", [(8,) * 5, (8, 8, 8, 8, 8, 12), (8, 8, 8, 8, 8, 0)])
def test_channels_that_do_not_go_with_the_skeleton(channels):
    assert PAPER.check_channels([8] * 6) == (8,) * 6
    with pytest.raises(ParameterError, match="skeleton 'paper' takes 6 multiples of 8"):
        PAPER.check_channels(channels)


def test_other_multiples_take_other_channels():
    assert MOBILE.check_channels((8, 8, 8, 8, 8, 12)) == (8, 8, 8, 8, 8, 12)
    with pytest.raises(ParameterError, match="skeleton 'mobile' takes 6 multiples of 4"):
        MOBILE.check_channels((8, 8, 8, 8, 8, 14))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scales": (), "repeats": ()}, "entries; give each stage one"),
        ({"repeats": (1,)}, "entries; give each stage one"),
        ({"repeats": (1, 0, 1, 1, 1)}, "repeats must be at least 1"),
        ({"scales": (1, 1, 1, 1, 0)}, "must be above 0"),
        ({"head_channels": 100}, "head_channels = 100, use a multiple of 8"),
        ({"head_channels": 99, "channel_multiple": 2}, "head_channels = 99, use a multiple of 2"),
        ({"channel_multiple": 3}, "channel_multiple = 3, use one of 8, 4, 2"),
        ({"activation": "relu"}, "activation = 'relu', use one of always, never, auto"),
        ({"nonlinearity": "swish"}, "nonlinearity = 'swish', use one of relu, hard_swish"),
        ({"squeeze": 1.5}, "squeeze = 1.5 must be between 0 and 1.0"),
        ({"dropout": -0.1}, "dropout = -0.1 must be between 0 and 0.99"),
        ({"stochastic_depth": 1.0}, "stochastic_depth = 1.0 must be between 0 and 0.99"),
    ],
)
def test_values_out_of_range_are_named(changes, message):
    with pytest.raises(ParameterError, match=message):
        Skeleton(**{"name": "x", **changes})


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=lambda skeleton: skeleton.name)
def test_json_both_ways(skeleton):
    assert read_fields(Skeleton, json.loads(json.dumps(skeleton.to_dict()))) == skeleton


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"repeats": [1, 3, 4, 6, "4"]}, r"repeats\[4\] = '4': must be of type int"),
        ({"stem_scale": float("nan")}, "stem_scale = nan: must be a finite number"),
        ({"stem_scale": 0}, "stem_scale and scales must be above 0"),
        ({"channel_multiple": True}, "channel_multiple = True: must be of type int"),
        ({"more": 1}, "more is unknown: known are name, stem_scale"),
    ],
)
def test_damaged_documents_are_named(changes, message):
    with pytest.raises(ParameterError, match=message):
        read_fields(Skeleton, PAPER.to_dict() | changes)
