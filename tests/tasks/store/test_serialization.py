import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from nasgem_core.errors import DataError
from tasks.store.serialization import PlainSerializer, decode, encode

DTYPES = st.sampled_from([np.uint8, np.int64, np.float32, np.float64, np.bool_])
ARRAYS = DTYPES.flatmap(lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=1, max_dims=3, min_side=0)))
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | ARRAYS
TREES = st.recursive(
    LEAVES, lambda tree: st.lists(tree, max_size=3) | st.dictionaries(st.text(max_size=3), tree, max_size=3)
)


def assert_same(left, right):
    assert type(left) is type(right)
    if isinstance(left, np.ndarray):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    elif isinstance(left, dict):
        assert list(left) == list(right)
        for key in left:
            assert_same(left[key], right[key])
    elif isinstance(left, list):
        assert len(left) == len(right)
        for pair in zip(left, right, strict=True):
            assert_same(*pair)
    else:
        assert left == right


@given(TREES)
def test_values_come_back_and_give_equal_bytes(tree):
    data = encode(tree)
    assert_same(decode(data), tree)
    assert encode(tree) == data


def test_special_values():
    value = {"nan": float("nan"), "inf": float("-inf"), "none": None, "empty": {}, "view": np.arange(6).reshape(2, 3).T}
    back = decode(encode(value))
    assert np.isnan(back["nan"]) and back["inf"] == float("-inf") and back["none"] is None and back["empty"] == {}
    np.testing.assert_array_equal(back["view"], value["view"])


@pytest.mark.parametrize("value", [object(), {1: 2}, {"$array": 1}, {"a": {3, 4}}, b"bytes", np.float32(1)])
def test_what_is_no_plain_value_is_refused(value):
    with pytest.raises(DataError, match="plain value"):
        encode(value)


def test_every_missing_or_changed_byte_is_noticed():
    data = encode({"weights": np.arange(5.0), "name": "x"})
    for position in range(0, len(data), 7):
        broken = bytearray(data)
        broken[position] ^= 1
        with pytest.raises(DataError, match="truncated or altered"):
            decode(bytes(broken))
        with pytest.raises(DataError, match="truncated or altered"):
            decode(data[:position])


def test_serializer_of_prefect_holds_text_bytes():
    serializer = PlainSerializer()
    blob = serializer.dumps({"a": np.arange(3)})
    blob.decode("ascii")
    np.testing.assert_array_equal(serializer.loads(blob)["a"], np.arange(3))
