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
        (
            "classes",
            [],
            r"card: classes = \[\]: must be a list with at least one value; export or register",
        ),
        ("classes", "cat", "classes = 'cat': must be a list"),
        ("classes", [1], r"classes\[0\] = 1: must be of type str"),
        ("image_size", 0, "image_size = 0 in the card of GEMNet-S: must be at least 1"),
        ("image_size", 10**9, "image_size = 1000000000 in the card of GEMNet-S: must be at most 16384"),
        ("image_size", True, "image_size = True: must be of type int"),
        ("centre_share", 1.5, r"centre_share = 1.5 in the card of GEMNet-S: must lie in \(0, 1\]"),
        ("centre_share", 0, "centre_share = 0"),
        ("mean", [0.5], r"mean = \[0.5\] in the card of GEMNet-S: must be three finite numbers"),
        ("std", [1, 0, 1], r"std = \[1.0, 0.0, 1.0\] .* std above 0"),
        ("metrics", {"top1": "high"}, r"metrics\.top1 = 'high': must be of type int or float"),
        ("network", None, "network = None: must be a mapping"),
        ("schema", "other/1", "field 'schema' must be 'nasgem.card/1', found 'other/1'"),
        ("trained", "no", "trained = 'no': must be of type bool"),
        ("colour", 1, "colour is unknown: known are name, network, classes"),
    ],
)
def test_a_wrong_field_is_named(field, value, message):
    document = card(gemnet_spec()).to_dict() | {field: value}
    with pytest.raises(DataError, match=message):
        NetworkCard.from_dict(document)


def test_a_missing_field_and_what_is_not_json_are_named():
    document = card(gemnet_spec()).to_dict()
    del document["mean"]
    with pytest.raises(DataError, match="mean is missing; export or register the network again"):
        NetworkCard.from_json(json.dumps(document))
    with pytest.raises(DataError, match="not valid JSON"):
        NetworkCard.from_json("{")
    with pytest.raises(DataError, match="found 'list'"):
        NetworkCard.from_json("[]")
