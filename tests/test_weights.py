import os

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from nasgem_core.errors import DataError
from nasgem_core.weights import read_weights, write_weights

DOCUMENT = {"network": {"kind": "gemnet", "width": 1.5}, "history": [0.1, None]}


def weights():
    shared = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(0)).to(memory_format=torch.channels_last)
    return {"a": shared, "b": shared, "c": shared[::2], "d": torch.tensor(5)}


def test_weights_and_document_come_back(tmp_path):
    path = tmp_path / "new" / "file"
    expected = weights() | {"half": torch.randn(3).half(), "brain": torch.randn(3, 2).bfloat16()}
    write_weights(path, "s/1", expected, DOCUMENT)
    found, document = read_weights(path, "s/1")
    assert document == DOCUMENT and found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor) and found[name].dtype == tensor.dtype
    assert all(torch.equal(load_file(path)[name], tensor) for name, tensor in expected.items())


def test_arrays_and_tensors_give_the_same_bytes_in_any_layout(tmp_path):
    array = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    array.flags.writeable = False
    contents = set()
    for value in (array, np.asfortranarray(array), torch.tensor(array), torch.tensor(array.T.copy()).t()):
        write_weights(tmp_path / "file", "s/1", {"a": value, "b": np.array(2)}, DOCUMENT)
        contents.add((tmp_path / "file").read_bytes())
    assert len(contents) == 1


def test_the_file_before_is_kept_where_it_is_wanted(tmp_path):
    for number in range(3):
        write_weights(tmp_path / "last", "s/1", {"a": torch.tensor(number)}, {}, keep=tmp_path / "previous")
    assert [int(read_weights(tmp_path / name, "s/1")[0]["a"]) for name in ("last", "previous")] == [2, 1]
    assert sorted(os.listdir(tmp_path)) == ["last", "previous"]


def test_a_missing_file_is_told_from_a_damaged_one(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(FileNotFoundError):
            read_weights(path, "s/1")


@pytest.mark.parametrize("metadata", [None, {"other": "{}"}, {"nasgem": "[]"}, {"nasgem": "{"}, {"nasgem": "{}"}])
def test_weights_of_others_are_refused(tmp_path, metadata):
    save_file({"a": torch.zeros(2)}, tmp_path / "file", metadata=metadata)
    with pytest.raises(DataError, match=r"file is not a s/1 file \(it is truncated, corrupt or another file\)"):
        read_weights(tmp_path / "file", "s/1")


def test_another_schema_is_named(tmp_path):
    write_weights(tmp_path / "file", "s/2", weights(), {})
    with pytest.raises(DataError, match=r"file is not a s/1 file \(it says 's/2'\)"):
        read_weights(tmp_path / "file", "s/1")


def test_every_changed_byte_of_weights_and_document_is_found(tmp_path):
    path = tmp_path / "file"
    write_weights(path, "s/1", weights(), DOCUMENT)
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    places = [whole.index(b"1.5"), whole.index(b"gemnet"), *range(header, len(whole), 7)]
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(DataError, match="it was changed or damaged: the checksum does not match"):
            read_weights(path, "s/1")
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match="it is truncated"):
            read_weights(path, "s/1")
    path.write_bytes(whole)
    assert read_weights(path, "s/1")[1] == DOCUMENT
