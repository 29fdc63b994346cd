import errno
import json
import os
from pathlib import Path

import pytest
import safetensors.torch
import torch
from safetensors import safe_open

from nasgem_core.deployment.folders import CARD_FILE, new_folder, read_network, write_network
from nasgem_core.errors import DataError


def paths(folder):
    return folder / CARD_FILE, folder / "weights.safetensors"


def test_weights_and_document_come_back(tmp_path):
    weights = {"a": torch.randn(2, 3), "b": torch.arange(4).reshape(2, 2).t()}
    write_network(tmp_path, json.dumps({"name": "x"}), weights)
    document, found = read_network(*paths(tmp_path))
    assert json.loads(document) == {"name": "x"}
    assert all(torch.equal(found[name], tensor) for name, tensor in weights.items())
    with safe_open(tmp_path / "weights.safetensors", "pt") as file:
        assert json.loads(file.metadata()["nasgem"])["network"] == {"name": "x"}
    assert (tmp_path / "weights.safetensors").stat().st_mode & 0o777 == (tmp_path / CARD_FILE).stat().st_mode & 0o777


def test_damaged_and_missing_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r"network\.json is missing: name a folder that `nasgem export` wrote"):
        read_network(*paths(tmp_path))
    write_network(tmp_path, "{}", {"a": torch.zeros(3)})
    weights = tmp_path / "weights.safetensors"
    whole = weights.read_bytes()
    foreign = "it is truncated, corrupt or another file"
    changed = "it was changed or damaged: the checksum does not match"
    for damaged, fault in (
        (whole[:-1], foreign),
        (whole[:-1] + bytes([whole[-1] ^ 1]), changed),
        (safetensors.torch.save({"a": torch.zeros(3)}), foreign),
    ):
        weights.write_bytes(damaged)
        with pytest.raises(
            DataError,
            match=rf"weights\.safetensors is not .*\({fault}\): export the network again; .*`build` of network",
        ):
            read_network(*paths(tmp_path))
    weights.unlink()
    with pytest.raises(DataError, match=r"weights\.safetensors is missing"):
        read_network(*paths(tmp_path))


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with new_folder(tmp_path / "a" / "b") as target:
        (target / CARD_FILE).write_text("first")
        assert not (tmp_path / "a" / "b").exists()
    with pytest.raises(KeyError), new_folder(tmp_path / "a" / "b") as target:
        (target / CARD_FILE).write_text("second")
        raise KeyError
    assert (tmp_path / "a" / "b" / CARD_FILE).read_text() == "first"
    assert os.listdir(tmp_path / "a") == ["b"]


def test_an_error_of_a_library_that_names_no_file_names_the_folder(tmp_path):
    for filename, named in ((None, tmp_path / "a"), ("other", "other")):
        with pytest.raises(OSError, match="No space left") as raised, new_folder(tmp_path / "a"):
            raise OSError(errno.ENOSPC, "No space left on device", filename)
        assert raised.value.filename == str(named)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "photo.jpg").write_text("")
    for folder, reason in ((tmp_path / "photo.jpg" / "out", "Not a directory"), (Path("/proc/out"), "No such file")):
        with (
            pytest.raises(DataError, match=rf"output = {folder}: cannot make a folder there \({reason}.*\); name"),
            new_folder(folder),
        ):
            pass


def test_the_current_folder_is_not_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"output = \.: that is the current folder"), new_folder(Path(".")):
        pass


def test_an_empty_folder_is_taken_and_a_foreign_one_left(tmp_path):
    (tmp_path / "empty").mkdir()
    with new_folder(tmp_path / "empty") as target:
        (target / "x").write_text("")
    assert os.listdir(tmp_path / "empty") == ["x"]
    with pytest.raises(DataError, match="empty has x, which no export wrote"), new_folder(tmp_path / "empty"):
        pass
