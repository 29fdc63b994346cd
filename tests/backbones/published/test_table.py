"""The table and the notes of docs/networks.md are those that `python benchmarks/published.py` prints."""

import re

import pytest

from nasgem_core.backbones.published.reported import REPORTED
from tests.scripts import ROOT, load_script

PAGE = (ROOT / "docs" / "networks.md").read_text()
published = load_script("published")


def unwrapped(text):
    return " ".join(text.split())


@pytest.fixture(scope="module")
def lines():
    return list(published.table_lines())


def test_the_page_shows_the_table(lines):
    assert "\n\n" + "\n".join(lines) + "\n\n" in PAGE


def test_the_page_shows_the_notes():
    assert unwrapped("\n".join(published.notes())) in unwrapped(PAGE)
    assert unwrapped(published.randwire_spread()) in unwrapped(PAGE)


def test_every_row_has_the_papers_figures_and_those_of_the_publication(lines):
    rows = {cells[0].strip("`"): cells for cells in ([c.strip() for c in line.strip("|").split("|")] for line in lines)}
    assert rows["p_darts"][3:5] == ["5.1 (4.9)", "**-3.1 %** (+0.9 %)"]
    for row in REPORTED:
        for place, paper, own in ((3, row.params, row.own_params), (6, row.macs, row.own_macs)):
            shown = rows[row.name][place]
            assert shown.split(" (")[0] == ("-" if paper is None else f"{paper:g}") or (paper is None and own)
            assert (own is not None) == shown.endswith(")") and (own is None or f"({own:g})" in shown)


def test_differences_above_the_bound_are_bold():
    assert published.difference(4_895_000, 4.8) == "+2.0 %"
    assert published.difference(4_897_000, 4.8) == "**+2.0 %**"
    assert published.difference(4_000_000, 4.0) == "+0.0 %"


def test_one_line_of_the_page_trains_all_of_table_1():
    (names,) = re.findall(r"^nasgem search --set 'imagenet\.networks=\[(.*)\]'$", PAGE, re.MULTILINE)
    first, *others = names.split(",")
    assert first == "gemnet"
    assert others == [row.name for row in REPORTED if row.top1_error and not row.missing]
