import json

import pytest

from nasgem_core.deployment.card import NetworkCard
from nasgem_core.errors import DataError
from tests.deployment.networks import card, gemnet_spec


def test_a_card_survives_json():
    first = card(gemnet_spec())
    assert NetworkCard.from_json(first.to_json()) == first


def test_only_the_card_of_an_untrained_network_says_so():
    fresh = card(gemnet_spec(), trained=False)
    assert NetworkCard.from_json(fresh.to_json()) == fresh
    assert "trained" not in card(gemnet_spec()).to_dict()  # as in cards of earlier versions
    assert NetworkCard.from_dict(card(gemnet_spec()).to_dict()).trained


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", 'x"""; import os', "field 'name' of the network's card is"),
        ("classes", [], "field 'classes' of the card of GEMNet-S is empty"),
        ("classes", "cat", "field 'classes' is 'cat'"),
        ("classes", [1], r"field 'classes' is \[1\]"),
        ("image_size", 0, "image_size = 0 in the card of GEMNet-S: must be at least 1"),
        ("image_size", True, "field 'image_size' is True"),
        ("centre_share", 1.5, r"centre_share = 1.5 in the card of GEMNet-S: must lie in \(0, 1\]"),
        ("centre_share", 0, "centre_share = 0"),
        ("mean", [0.5], r"mean = \[0.5\] in the card of GEMNet-S: must be three finite numbers"),
        ("std", [1, 0, 1], r"std = \[1, 0, 1\] .* std above 0"),
        ("metrics", {"top1": "high"}, "field 'metrics' is"),
        ("network", None, "field 'network' is None"),
        ("schema", "other/1", "field 'schema' must be 'nasgem.card/1', found 'other/1'"),
        ("trained", "no", "field 'trained' is 'no'"),
        ("colour", 1, "field 'colour' is unknown"),
    ],
)
def test_a_wrong_field_is_named(field, value, message):
    document = card(gemnet_spec()).to_dict() | {field: value}
    with pytest.raises(DataError, match=message):
        NetworkCard.from_dict(document)


def test_a_missing_field_and_no_json_are_named():
    document = card(gemnet_spec()).to_dict()
    del document["mean"]
    with pytest.raises(DataError, match="field 'mean' is None; export or register the network again"):
        NetworkCard.from_json(json.dumps(document))
    with pytest.raises(DataError, match="no valid JSON"):
        NetworkCard.from_json("{")
    with pytest.raises(DataError, match="found 'list'"):
        NetworkCard.from_json("[]")
