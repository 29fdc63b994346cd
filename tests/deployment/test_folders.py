import json
import os
from pathlib import Path

import pytest
import safetensors.torch
import torch
from safetensors import safe_open

from nasgem_core.deployment.folders import CARD_FILE, new_folder, read_weights, write_weights
from nasgem_core.errors import DataError


def paths(folder):
    return folder / CARD_FILE, folder / "weights.safetensors"


def test_weights_and_document_come_back(tmp_path):
    weights = {"a": torch.randn(2, 3), "b": torch.arange(4).reshape(2, 2).t()}
    write_weights(tmp_path, json.dumps({"name": "x"}), weights)
    document, found = read_weights(*paths(tmp_path))
    assert json.loads(document) == {"name": "x"}
    assert all(torch.equal(found[name], tensor) for name, tensor in weights.items())
    with safe_open(tmp_path / "weights.safetensors", "pt") as file:
        assert json.loads(file.metadata()["nasgem"])["network"] == {"name": "x"}
    assert (tmp_path / "weights.safetensors").stat().st_mode & 0o777 == (tmp_path / CARD_FILE).stat().st_mode & 0o777


def test_damaged_and_missing_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r"network\.json is missing: name a folder that `nasgem export` wrote"):
        read_weights(*paths(tmp_path))
    write_weights(tmp_path, "{}", {"a": torch.zeros(3)})
    weights = tmp_path / "weights.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1])
    with pytest.raises(DataError, match=r"holds no exported network: .*; export it again"):
        read_weights(*paths(tmp_path))
    content = bytearray(whole)
    for damaged in (bytes(content[:-1] + bytearray([content[-1] ^ 1])), safetensors.torch.save({"a": torch.zeros(3)})):
        weights.write_bytes(damaged)
        with pytest.raises(
            DataError,
            match=r"weights\.safetensors was changed or damaged after nasgem wrote it \((the checksum does not match|"
            r"it lacks the header).*\): export the network again; .*`build` of network\.py",
        ):
            read_weights(*paths(tmp_path))
    weights.unlink()
    with pytest.raises(DataError, match=r"weights\.safetensors is missing"):
        read_weights(*paths(tmp_path))


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with new_folder(tmp_path / "a" / "b") as target:
        (target / CARD_FILE).write_text("first")
        assert not (tmp_path / "a" / "b").exists()
    with pytest.raises(KeyError), new_folder(tmp_path / "a" / "b") as target:
        (target / CARD_FILE).write_text("second")
        raise KeyError
    assert (tmp_path / "a" / "b" / CARD_FILE).read_text() == "first"
    assert os.listdir(tmp_path / "a") == ["b"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "photo.jpg").write_text("")
    for folder, reason in ((tmp_path / "photo.jpg" / "out", "Not a directory"), (Path("/proc/out"), "No such file")):
        with (
            pytest.raises(DataError, match=rf"output = {folder}: no folder can be made there \({reason}.*\); name"),
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
    with pytest.raises(DataError, match="empty holds x, which is of no export"), new_folder(tmp_path / "empty"):
        pass
