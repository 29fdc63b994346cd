import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasgem_core.errors import DataError
from nasgem_core.figures.image import figure_png
from tasks.store.artifacts import (
    read_arrays,
    read_json,
    read_picture,
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


def same(one, other) -> bool:
    """Whether two readers have returned the same values, to the bit."""
    if isinstance(one, tuple):
        arrays, metadata = one
        return (
            metadata == other[1]
            and arrays.keys() == other[0].keys()
            and all(array.dtype == other[0][name].dtype for name, array in arrays.items())
            and all(array.tobytes() == other[0][name].tobytes() for name, array in arrays.items())
        )
    return one == other


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_changed_byte_is_read_as_another_value(path, kind, data):
    WRITERS[kind](path, "s/1")
    written, value = path.read_bytes(), READERS[kind](path, "s/1")
    changed = bytearray(written)
    changed[data.draw(st.integers(0, len(written) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(changed)
    try:
        found = READERS[kind](path, "s/1")
    except DataError as error:
        assert str(path) in str(error) and "move it away and run `nasgem stage estimator`" in str(error)
    else:
        assert kind != "parquet" and same(found, value)


@pytest.mark.parametrize("kind", ["json", "parquet"])
def test_a_file_without_a_checksum_is_refused(path, kind):
    WRITERS[kind](path, "s/1")
    if kind == "json":
        path.write_text('{"schema": "s/1", "a": 1}')
    else:
        pq.write_table(pa.Table.from_pandas(TABLE).replace_schema_metadata({"schema": "s/1"}), path)
    with pytest.raises(
        DataError, match=r"is not a s/1 file \(it was changed or damaged: it has no checksum\): move it"
    ):
        READERS[kind](path, "s/1")


def test_json_that_a_person_may_write_needs_none(path):
    path.parent.mkdir()
    path.write_text('{"schema": "s/1", "a": 1}')
    said = []
    assert read_json(path, "s/1", said.append) == {"schema": "s/1", "a": 1} and said == [path]
    write_json(path, "s/1", {"a": 1})
    assert read_json(path, "s/1", pytest.fail) == {"schema": "s/1", "a": 1}
    path.write_text(path.read_text().replace('"a": 1', '"a": 2'))
    with pytest.raises(DataError, match="changed or damaged: the checksum does not match"):
        read_json(path, "s/1", pytest.fail)


@pytest.fixture(scope="module")
def picture() -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1))
    figure.subplots().plot([1, 2])
    return figure_png(figure)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_changed_byte_of_a_picture_is_refused(tmp_path, picture, data):
    path = tmp_path / "figure.png"
    path.write_bytes(picture)
    assert read_picture(path) == picture
    changed = bytearray(picture)
    changed[data.draw(st.integers(0, len(picture) - 1))] ^= data.draw(st.integers(1, 255))
    for content in (bytes(changed), picture[: data.draw(st.integers(0, len(picture) - 1))], picture + b"x"):
        path.write_bytes(content)
        with pytest.raises(DataError, match="is not a PNG file"):
            read_picture(path)
