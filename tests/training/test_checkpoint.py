import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nasgem_core.errors import DataError
from nasgem_core.training.checkpoint import LAST, PREVIOUS, Checkpoint, load_checkpoint, save_checkpoint

IDENTITY = {"task": {"network": {"kind": "gemnet", "width": 1.5}, "classes": 20}, "seed": 3}


def checkpoint(step=7, identity=IDENTITY):
    weight = torch.randn(4, 3, 2, 2).to(memory_format=torch.channels_last)
    tensors = {"model.a": weight, "model.b": weight, "c": torch.tensor(5), "d": torch.randn(3).bfloat16()}
    return Checkpoint(identity, step, 1, tensors, {"optimiser": {"0": {"step": 4.0}}}, ({"loss": 0.1, "step": 2},))


def assert_equal(found, expected):
    assert found.tensors.keys() == expected.tensors.keys()
    for name, value in expected.tensors.items():
        assert torch.equal(found.tensors[name], value) and found.tensors[name].dtype == value.dtype
    assert replace(found, tensors={}) == replace(expected, tensors={})


def test_a_checkpoint_comes_back_whole(tmp_path):
    expected = checkpoint()
    assert load_checkpoint(tmp_path / "none", IDENTITY) is None
    save_checkpoint(tmp_path / "new" / "folder", expected)
    assert_equal(load_checkpoint(tmp_path / "new" / "folder", IDENTITY), expected)


def test_the_one_before_is_kept_and_used_when_the_last_cannot_be_read(tmp_path):
    first, second = checkpoint(7), checkpoint(8)
    save_checkpoint(tmp_path, first)
    save_checkpoint(tmp_path, second)
    assert sorted(os.listdir(tmp_path)) == [LAST, PREVIOUS]
    assert_equal(load_checkpoint(tmp_path, IDENTITY), second)
    content = (tmp_path / LAST).read_bytes()
    for damaged in (content[:-1], content[: len(content) // 2], content[:5], b"", _flipped(content, -3)):
        (tmp_path / LAST).write_bytes(damaged)
        warnings: list[str] = []
        assert_equal(load_checkpoint(tmp_path, IDENTITY, warnings.append), first)
        assert len(warnings) == 1 and str(tmp_path / LAST) in warnings[0]
        assert warnings[0].endswith("going on from previous.safetensors, step 7")
    (tmp_path / LAST).unlink()
    assert_equal(load_checkpoint(tmp_path, IDENTITY), first)


def test_a_full_disk_names_the_folder_and_leaves_nothing(tmp_path, monkeypatch):
    save_checkpoint(tmp_path, checkpoint(7))

    def full(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        save_checkpoint(tmp_path, checkpoint(8))
    assert caught.value.filename == str(tmp_path) and os.listdir(tmp_path) == [LAST]
    assert load_checkpoint(tmp_path, IDENTITY).step == 7


def _flipped(content, place):
    changed = bytearray(content)
    changed[place] ^= 1
    return bytes(changed)


def test_a_changed_header_is_found(tmp_path):
    save_checkpoint(tmp_path, checkpoint())
    content = (tmp_path / LAST).read_bytes()
    (tmp_path / LAST).write_bytes(content.replace(b'\\"step\\": 7', b'\\"step\\": 9'))
    with pytest.raises(DataError, match=r"the checksum does not match.*, and there is no other checkpoint: remove"):
        load_checkpoint(tmp_path, IDENTITY)


@pytest.mark.parametrize("metadata", [None, {"nasgem": "[]"}, {"nasgem": "{"}, {"nasgem": '{"checksum": "x"}'}])
def test_a_foreign_file_is_named(tmp_path, metadata):
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(2)}, tmp_path / LAST, metadata=metadata)
    with pytest.raises(
        DataError,
        match=r"last\.safetensors is not a nasgem\.checkpoint/2 file \(it is truncated",
    ):
        load_checkpoint(tmp_path, IDENTITY)


def test_another_schema_is_named(tmp_path):
    from safetensors.torch import save_file

    document = {"schema": "nasgem.checkpoint/9", "checksum": ""}
    save_file({"a": torch.zeros(2)}, tmp_path / LAST, metadata={"nasgem": json.dumps(document)})
    with pytest.raises(DataError, match=r"is not a nasgem\.checkpoint/2 file \(it says 'nasgem\.checkpoint/9'\)"):
        load_checkpoint(tmp_path, IDENTITY)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"task": {"network": {"kind": "gemnet", "width": 2}, "classes": 20}, "seed": 3}, "task.network.width is 1.5"),
        ({"task": IDENTITY["task"], "seed": 4}, "seed is 3 there and 4 here"),
        ({"seed": 3}, "task is {.* there and null here"),
        ({**IDENTITY, "more": [1]}, r"more is null there and \[1\] here"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused_with_the_difference(tmp_path, changed, message):
    save_checkpoint(tmp_path, checkpoint())
    with pytest.raises(DataError, match=f"is a checkpoint of another training: {message}.*Remove {tmp_path}"):
        load_checkpoint(tmp_path, changed)
    assert load_checkpoint(tmp_path, IDENTITY).step == 7


def test_a_write_that_fails_leaves_the_last_one(tmp_path, monkeypatch):
    save_checkpoint(tmp_path, checkpoint(7))

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            save_checkpoint(tmp_path, checkpoint(8))
    assert load_checkpoint(tmp_path, IDENTITY).step == 7
    save_checkpoint(tmp_path, checkpoint(9))
    assert load_checkpoint(tmp_path, IDENTITY).step == 9
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".tmp")]


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_crash_between_the_renames_leaves_one_that_can_be_read(tmp_path, monkeypatch, fails_at):
    save_checkpoint(tmp_path, checkpoint(7))
    calls = []
    replace_file = Path.replace

    def crash(self, target):
        calls.append(self)
        if len(calls) == fails_at:
            raise KeyboardInterrupt
        return replace_file(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            save_checkpoint(tmp_path, checkpoint(8))
    assert load_checkpoint(tmp_path, IDENTITY).step == 7
