"""The benchmark of fast forms compares networks of equal multiply-adds, and its cell is the one of docs/results.md."""

from pathlib import Path

import pytest

from nasgem_core.backbones.counting import count_costs
from tests.scripts import load_script

ROOT = Path(__file__).parents[2]
fast_form = load_script("fast_form")


def test_the_networks_have_equal_multiply_adds():
    built = fast_form.networks(18_970_000, 64, 20, "mobile")
    assert fast_form.RIVAL in built
    for network in built.values():
        assert count_costs(network, (64, 64)).macs == pytest.approx(18_970_000, rel=0.01)


def test_the_cell_is_the_one_that_the_documented_search_chose():
    assert fast_form.SEARCHED_CELL.canonical_key[:8] in (ROOT / "docs/results.md").read_text()
