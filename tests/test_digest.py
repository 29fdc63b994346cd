import hashlib

import numpy as np
import pytest

from nasgem_core.digest import arrays_digest, digest_of

ARRAYS = {"x": np.arange(6.0).reshape(2, 3), "y": np.zeros((0, 2)), "z": np.array(1.5)}


def test_a_digest_is_of_the_bytes_of_all_parts():
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    expected = hashlib.blake2b("é".encode() + b"\xff" + array.T.tobytes(), digest_size=16).hexdigest()
    assert digest_of(["é", b"\xff", array.T]) == expected
    assert digest_of([]) == hashlib.blake2b(digest_size=16).hexdigest()


def test_neither_the_order_of_names_nor_that_of_memory_counts():
    other = {name: np.array(array, order="F") for name, array in reversed(ARRAYS.items())}
    assert arrays_digest(other, "text") == arrays_digest(ARRAYS, "text")


@pytest.mark.parametrize(
    "other",
    [
        ARRAYS | {"x": ARRAYS["x"] + np.eye(2, 3) * 1e-15},
        ARRAYS | {"x": ARRAYS["x"].reshape(3, 2)},
        ARRAYS | {"x": ARRAYS["x"].view(np.int64)},
        ARRAYS | {"y": np.zeros((2, 0))},
        ARRAYS | {"z": np.array([1.5])},
        {name: ARRAYS[name] for name in "xy"},
        {"a": ARRAYS["x"], "y": ARRAYS["y"], "z": ARRAYS["z"]},
        {},
    ],
)
def test_every_difference_counts(other):
    assert arrays_digest(other) != arrays_digest(ARRAYS)
    assert arrays_digest(ARRAYS, "text") != arrays_digest(ARRAYS)
