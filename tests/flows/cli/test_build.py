"""Where `nasgem build` writes, never over anything but a network of its own, and which budgets it names."""

import json
import re
from pathlib import Path

import pytest

from flows.cli import build
from nasgem_core.backbones.layout import CIFAR, named_layout
from nasgem_core.backbones.spec import GEMNetSpec, NetworkSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.errors import DataError, ParameterError

CELL = Cell.from_dict(
    {"schema": "nasgem.cell/1", "operations": ["input", "dwconv3x3", "conv1x1"], "edges": [[0, 1], [0, 2], [1, 2]]}
)
NETWORK = GEMNetSpec("earlier", 10, (32, 32), CELL, CIFAR, 16.0).to_json()


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    """Work in a folder with a cell, a chosen cell, a network and a file of something else."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(build, "prepare_environment", lambda **_: None)
    monkeypatch.setattr(build, "load_config", lambda: None)
    for name, text in {
        "cell.json": CELL.to_json(),
        "network.json": NETWORK,
        "notes.json": json.dumps({"kept": True}),
        "data/bootstrap/best_cell.json": CELL.to_json(),
        "data/gemnet/gemnet_a.json": NETWORK,
    }.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    Path("folder.json").mkdir()
    Path("link.json").symlink_to("cell.json")


def contents():
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("cell", "output", "message"),
    [
        ("cell.json", "cell.txt", "the name must end in .json"),
        ("cell.json", "cell.json", "the cell itself would be replaced; name another file"),
        ("cell.json", "link.json", "the cell itself would be replaced"),
        ("network.json", "data/../network.json", "the cell itself would be replaced"),
        ("best", "data/bootstrap/best_cell.json", "data/bootstrap is kept for the stages; name another file, such as"),
        ("best", "data/gemnet/gemnet_a.json", "data/gemnet is kept for the stages"),
        ("best", "data/gemnet/new/mine.json", "data/gemnet is kept for the stages"),
        ("best", "data/metrics/mine.json", "data/metrics is kept for the stages"),
        ("best", "data/raw/mine.json", "data/raw is kept for the stages"),
        ("best", "data/tables/mine.json", "data/tables is kept for the stages"),
        ("best", "notes.json", "the file there is not a network of `nasgem build`, so it is kept; name another"),
        ("best", "cell.json", "the file there is not a network of `nasgem build`"),
        ("best", "folder.json", "the file there is not a network of `nasgem build`"),
    ],
)
def test_nothing_else_is_replaced_and_nothing_computed(monkeypatch, cell, output, message):
    monkeypatch.setattr(build, "find_cell", lambda *_: pytest.fail("the cell was looked for"))
    before = contents()
    with pytest.raises(DataError, match=f"^output = {output}: {message}"):
        build.build_network(cell, "20M", build.Shape("cifar", "paper", 10), Path(output))
    assert contents() == before


@pytest.mark.parametrize("output", ["network.json", "new.json", "data/mine.json"])
def test_an_earlier_network_is_replaced_and_a_new_file_written(monkeypatch, capsys, output):
    monkeypatch.setattr(build, "find_cell", lambda *_: (CELL, None))
    before = contents()
    build.build_network("best", "20M", build.Shape("cifar", "paper", 10), Path(output))
    written = NetworkSpec.from_json(Path(output).read_bytes())
    assert (written.name, written.image_size) == (Path(output).stem, (32, 32))
    assert f"written   {output}" in capsys.readouterr().out
    assert {**contents(), Path(output): b""} == {**before, Path(output): b""}


def test_a_network_in_the_mobile_skeleton(monkeypatch, capsys):
    monkeypatch.setattr(build, "find_cell", lambda *_: (CELL, None))
    build.build_network("best", "20M", build.Shape("tiny", "mobile", 10), Path("new.json"))
    spec = NetworkSpec.from_json(Path("new.json").read_bytes())
    assert spec.layout == named_layout("tiny", "mobile")
    assert "layout tiny, skeleton mobile, images of 64x64" in capsys.readouterr().out
    block = {"nonlinearity": "hard_swish", "squeeze": 0.25}
    build.build_network("best", "20M", build.Shape("tiny", "mobile", 10, **block), Path("new.json"))
    assert NetworkSpec.from_json(Path("new.json").read_bytes()).layout == named_layout("tiny", "mobile", **block)
    with pytest.raises(ParameterError, match="skeleton = 'large': choose one of paper, mobile"):
        build.build_network("best", "20M", build.Shape("tiny", "large", 10), None)


@pytest.mark.parametrize(("macs", "layout"), [("1k", "cifar"), ("900000G", "tiny"), ("463", "imagenet")])
def test_the_bounds_that_are_named_are_met_when_given_back(monkeypatch, capsys, macs, layout):
    monkeypatch.setattr(build, "find_cell", lambda *_: (CELL, None))
    with pytest.raises(ParameterError, match=rf"^macs = {macs} cannot be met") as caught:
        build.build_network("best", macs, build.Shape(layout, "paper", 10), None)
    (bound,) = re.search(r" have at (?:least|most) (\S+); choose", str(caught.value)).groups()
    build.build_network("best", bound, build.Shape(layout, "paper", 10), None)
    assert "classifier" in capsys.readouterr().out
