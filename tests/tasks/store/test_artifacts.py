import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nasgem_core.errors import DataError
from tasks.store.artifacts import (
    read_arrays,
    read_json,
    read_table,
    read_weights,
    write_arrays,
    write_json,
    write_table,
    write_weights,
)

ARRAYS = {
    "edges": np.arange(6, dtype=np.uint8).reshape(2, 3),
    "values": np.linspace(0, 1, 4, dtype=np.float32),
    "level": np.array(0.5),
}
TABLE = pd.DataFrame({"key": ["a", "b"], "score": [0.5, float("nan")], "macs": [1, 2]})
WRITERS = {
    "json": lambda path, schema: write_json(path, schema, {"a": [1, None, 2.5]}),
    "npz": lambda path, schema: write_arrays(path, schema, ARRAYS, {"names": ["x"]}),
    "parquet": lambda path, schema: write_table(path, schema, TABLE),
    "safetensors": lambda path, schema: write_weights(path, schema, ARRAYS, {"names": ["x"]}),
}
READERS = {"json": read_json, "npz": read_arrays, "parquet": read_table, "safetensors": read_weights}
KINDS = sorted(WRITERS)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "estimator" / "a file"


def test_content_comes_back(path):
    WRITERS["json"](path, "s/1")
    assert read_json(path, "s/1") == {"schema": "s/1", "a": [1, None, 2.5]}
    for kind in ("npz", "safetensors"):
        WRITERS[kind](path, "s/1")
        arrays, metadata = READERS[kind](path, "s/1")
        assert metadata == {"names": ["x"]} and arrays.keys() == ARRAYS.keys()
        for name, array in ARRAYS.items():
            assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)
            np.testing.assert_array_equal(arrays[name], array)
    WRITERS["parquet"](path, "s/1")
    pd.testing.assert_frame_equal(read_table(path, "s/1"), TABLE)


@pytest.mark.parametrize("kind", KINDS)
def test_equal_content_gives_equal_bytes(path, kind):
    WRITERS[kind](path, "s/1")
    first = path.read_bytes()
    WRITERS[kind](path, "s/1")
    assert path.read_bytes() == first
    assert [item.name for item in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("write", [write_arrays, write_weights])
def test_bytes_do_not_depend_on_the_order_in_memory(path, write):
    contents = []
    for array in (np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3))):
        write(path, "s/1", {"a": array}, {})
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_file_names_the_stage_that_makes_it(path, kind):
    with pytest.raises(DataError, match=r"a file is missing: run .*`nasgem stage estimator`"):
        READERS[kind](path, "s/1")
    path.mkdir(parents=True)
    with pytest.raises(DataError, match="is missing"):
        READERS[kind](path, "s/1")


@pytest.mark.parametrize("kind", KINDS)
def test_every_truncation_is_refused(path, kind):
    WRITERS[kind](path, "s/1")
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, 11):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"a file is not a s/1 file .* run `nasgem stage estimator`"):
            READERS[kind](path, "s/1")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_another_kind_or_schema_of_file_is_refused(path, kind, other):
    WRITERS[other](path, "other/2")
    expected = "says 'other/2'" if kind == other else "it is truncated, corrupt or another file"
    with pytest.raises(DataError, match=rf"a file is not a s/1 file .*{expected}"):
        READERS[kind](path, "s/1")


def foreign_files() -> dict[str, bytes]:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.arange(3))
    compressed = buffer.getvalue()
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3))
    table = io.BytesIO()
    TABLE.to_parquet(table)
    return {
        "empty": b"",
        "text": b"hello",
        "json without schema": b"{}",
        "json list": b"[1]",
        "json number": b"3",
        "broken utf-8": b'{"schema": "\xff"}',
        "npz of others": compressed,
        "npz damaged inside": compressed.replace(compressed[60:70], b"0123456789"),
        "npy": buffer.getvalue(),
        "parquet of others": table.getvalue(),
        "huge header": b"\xff" * 64,
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", foreign_files())
def test_foreign_files_are_refused(path, kind, name):
    path.parent.mkdir()
    path.write_bytes(foreign_files()[name])
    with pytest.raises(DataError, match="a file is not a s/1 file"):
        READERS[kind](path, "s/1")


@pytest.mark.parametrize("kind", ["npz", "parquet", "safetensors"])
def test_a_changed_byte_is_refused_or_changes_nothing(path, kind):
    WRITERS[kind](path, "s/1")
    whole, content = path.read_bytes(), READERS[kind](path, "s/1")
    for position in range(0, len(whole), 5):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        try:
            found = READERS[kind](path, "s/1")
        except DataError as error:
            assert str(path) in str(error)
        else:
            assert str(found) == str(content)


def test_metrics_name_their_stage(tmp_path):
    with pytest.raises(DataError, match="`nasgem stage bootstrap`"):
        read_json(tmp_path / "metrics" / "bootstrap.json", "s/1")


def test_what_is_not_finite_becomes_null(path):
    write_json(path, "s/1", {"score": float("nan"), "rounds": [{"tau": float("inf"), "new": 2}]})
    assert read_json(path, "s/1") == {"schema": "s/1", "score": None, "rounds": [{"tau": None, "new": 2}]}
    assert "NaN" not in path.read_text()
