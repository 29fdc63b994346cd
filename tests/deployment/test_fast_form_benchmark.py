"""The benchmark of fast forms compares networks of equal multiply-adds, and README's cell is the one it means."""

import pytest

from nasgem_core.backbones.counting import count_costs
from tests.scripts import load_script

fast_form = load_script("fast_form")


def test_the_networks_have_equal_multiply_adds():
    built = fast_form.networks(18_970_000, 64, 20, "mobile")
    assert fast_form.RIVAL in built
    for network in built.values():
        assert count_costs(network, (64, 64)).macs == pytest.approx(18_970_000, rel=0.01)


def test_the_cell_is_readmes():
    assert fast_form.README_CELL.canonical_key.startswith("c949d962")
