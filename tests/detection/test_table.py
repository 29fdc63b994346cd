"""The table of docs/networks.md is that of `python benchmarks/detectors.py`; GEMNets depend on the search."""

import sys

import pytest

from nasgem_core.backbones.spec import PublishedSpec
from tests.scripts import ROOT, load_script

detectors = load_script("detectors")
PAGE = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "networks.md").read_text().splitlines()
    if line.startswith("|")
]


def test_the_page_shows_what_is_printed(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["detectors.py", "--gemnets", str(tmp_path / "none")])
    detectors.main()
    printed = capsys.readouterr()
    assert (
        printed.err == f"{tmp_path / 'none'} has no networks, so GEMNet is left out: run `nasgem stage gemnet` first\n"
    )
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in printed.out.splitlines()]
    shown = PAGE[PAGE.index(rows[0]) :][: len(rows)]
    papers = [
        place for place, heading in enumerate(rows[0]) if heading in ("detector", "backbone", "paper", "paper's AP")
    ]
    for row, page in zip(rows, shown, strict=True):
        places = papers if row[1].startswith("GEMNet") else range(len(row))
        assert [row[place] for place in places] == [page[place] for place in places]


@pytest.mark.parametrize("content", [b'{"schema": "nasgem.cell/1"}', b"[", b"\xff\xfe"])
def test_a_file_of_something_else_is_named_in_one_line(tmp_path, content):
    (tmp_path / "gemnet_a.json").write_text(PublishedSpec.for_imagenet("mnasnet_1_3").to_json())
    (tmp_path / "other.json").write_bytes(content)
    with pytest.raises(SystemExit) as end:
        detectors.backbones(tmp_path)
    message = str(end.value)
    assert message.startswith(f"{tmp_path / 'other.json'}: not a network: ") and "\n" not in message
    assert message.endswith("or run `nasgem stage gemnet` first and name its folder")
