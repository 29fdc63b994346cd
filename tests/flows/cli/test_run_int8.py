import shutil
from pathlib import Path

import pytest

from flows.cli import run_int8 as module
from flows.cli.run_int8 import run_int8
from nasgem_core.deployment import int8
from nasgem_core.deployment.folders import write_network
from nasgem_core.deployment.int8 import Int8Report
from nasgem_core.deployment.specs import build_network
from nasgem_core.errors import DataError
from tests.deployment.networks import card, gemnet_spec
from tests.training.folders import write_images


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Go to a folder with images of three classes and a network of them; return what exports are asked for."""
    calls = []

    def export(own, weights, folder, images, *, most_lost, on_step):
        on_step("measuring")
        calls.append((own.name, len(weights), folder, images.folder, len(images), most_lost))
        return Int8Report(15, 0.9, 0.8931, 2_000_000, 500_000, 1.25, 0.75)

    monkeypatch.setattr(int8, "export_int8", export)
    monkeypatch.setattr(module, "prepare_environment", lambda **_: None)
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "images")
    (tmp_path / "images" / "classes.txt").write_text("blue cat\ngreen dog\nred a 'third' class\n")
    (tmp_path / "net").mkdir()
    weights = build_network(gemnet_spec()).state_dict()
    write_network(tmp_path / "net", card(gemnet_spec()).to_json(), weights)
    return calls, len(weights)


def test_what_the_export_measured_is_printed(place, capsys):
    calls, tensors = place
    run_int8("net", Path("out"), Path("images"), 0.03)
    assert calls == [("GEMNet-S", tensors, Path("out"), Path("images/val"), 15, 0.03)]
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["float", "0.9000", "2.00", "1.250"] in lines and ["int8", "0.8931", "0.50", "0.750"] in lines


def test_files_that_are_skipped_are_named_where_one_folder_is_split_too(place, capsys):
    shutil.copytree("images/train", "one")
    shutil.copy("images/classes.txt", "one")
    next(Path("one").glob("*/*.*")).with_name("notes.xyz").write_text("no image")
    run_int8("net", Path("out"), Path("one"), 0.03)
    said = capsys.readouterr().err
    assert "one has no train/ and val/" in said and "2 files are skipped" in said and "green/notes.xyz" in said


def test_images_are_needed_and_those_of_the_network(place):
    with pytest.raises(DataError, match="--format int8 needs images: name the data set by --images"):
        run_int8("net", Path("out"), None, 0.02)
    Path("images/classes.txt").unlink()
    with pytest.raises(DataError, match="images = images: they have other classes than GEMNet-S"):
        run_int8("net", Path("out"), Path("images"), 0.02)
    assert not place[0]
